import DNSWire
import FQDNCache
import FQDNPolicy
import Testing

@testable import DNSProxy

/// Which flows a reader gets.
struct FlowFilterTests {
    /// `shop/web`, which the flows of the tests are of.
    private static let identity = Identity(
        id: IdentityID(rawValue: 7), names: ["web", "www"], namespace: "shop", labels: ["app": "web"], prefixes: [])

    /// Filters, and whether they select the answer and the refusal of `www.shop.example A`.
    private static let filters: [(String, Bool, Bool, @Sendable (inout FlowFilter) throws -> Void)] = [
        ("nothing", true, true, { _ in }),
        ("a verdict", false, true, { $0.verdicts = [.dropped] }),
        ("two verdicts", true, true, { $0.verdicts = [.dropped, .forwarded] }),
        ("an outcome", true, false, { $0.outcomes = [.hit] }),
        ("a name", true, true, { $0.names = [try NameFilter("*.shop.example")] }),
        ("another name", false, false, { $0.names = [try NameFilter("*.example")] }),
        ("one of two names", true, true, { $0.names = [try NameFilter("a.b"), try NameFilter("**.example")] }),
        ("an identity", true, true, { $0.identities = [7, 8] }),
        ("another identity", false, false, { $0.identities = [8] }),
        ("no identity", false, false, { $0.identities = [] }),
        ("the title of the identity", true, true, { $0.identityNames = ["shop/web"] }),
        ("another name of it", true, true, { $0.identityNames = ["www"] }),
        ("its number", true, true, { $0.identityNames = ["7"] }),
        ("another title", false, false, { $0.identityNames = ["shop/batch"] }),
        ("a network", true, true, { $0.clients = [try #require(IPPrefix("10.244.0.0/16"))] }),
        ("another network", false, false, { $0.clients = [try #require(IPPrefix("10.245.0.0/16"))] }),
        ("a type", true, true, { $0.types = [.a, .aaaa] }),
        ("another type", false, false, { $0.types = [.aaaa] }),
        ("a response code", false, true, { $0.responseCodes = [.refused, .nameError] }),
        (
            "two parts", false, true,
            {
                $0.types = [.a]
                $0.verdicts = [.dropped]
            }
        ),
    ]

    @Test(arguments: filters.indices)
    func `a filter selects what all of its parts fit`(index: Int) throws {
        let (title, answer, refusal, set) = FlowFilterTests.filters[index]
        var filter = FlowFilter()
        try set(&filter)
        for (entry, wanted) in [
            (FlowEntry(.hit), answer), (FlowEntry(.denied, FlowEntry.refusal), refusal),
        ] {
            let message = FlowMessage(entry.message.span.extracting(0..<entry.count))
            #expect(filter.selects(entry, message, FlowFilterTests.identity) == wanted, "\(title)")
            if wanted { #expect(filter.maySelect(entry)) }
        }
    }

    @Test func `a selection wants what one filter allows and none denies, since a moment`() {
        var dropped = FlowFilter()
        dropped.verdicts = [.dropped]
        var web = FlowFilter()
        web.identityNames = ["web"]
        /// Whether `selection` has a denied flow.
        func selects(_ selection: FlowSelection) -> Bool {
            let entry = FlowEntry(.denied, FlowEntry.refusal)
            let message = FlowMessage(entry.message.span.extracting(0..<entry.count))
            return selection.selects(entry, message, FlowFilterTests.identity)
        }
        #expect(selects(FlowSelection()))
        #expect(selects(FlowSelection(allow: [dropped])))
        #expect(!selects(FlowSelection(allow: [dropped], deny: [web])))
        #expect(!selects(FlowSelection(deny: [dropped])))
        #expect(selects(FlowSelection(since: Moment(seconds: 100))))
        #expect(!selects(FlowSelection(since: Moment(seconds: 101))))
    }

    @Test(arguments: QueryOutcome.allCases)
    func `every outcome has a verdict, and audit is said only of what was answered`(outcome: QueryOutcome) {
        let verdict = FlowVerdict(outcome, isAudited: false)
        let audited = FlowVerdict(outcome, isAudited: true)
        #expect(audited == (verdict == .forwarded ? .audit : verdict))
        #expect(QueryOutcome(label: outcome.label) == outcome)
    }
}
