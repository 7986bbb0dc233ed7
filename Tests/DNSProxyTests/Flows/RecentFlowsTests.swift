import DNSWire
import FQDNCache
import FQDNPolicy
import Testing

@testable import DNSProxy

/// Flows of two rings, for a recorder and for readers.
struct RecentFlowsTests {
    /// Room for eight flows of each ring, of which one worker may note eight a second.
    private let flows = RecentFlows(capacity: 8, rate: 8, watchedRate: 8, workers: 1)

    /// A policy of nobody.
    private static func snapshot() throws -> EngineSnapshot {
        let policy = try #require(PolicyCompiler.compile(policies: [], identities: [], generation: 1).snapshot)
        return EngineSnapshot(generation: 1, policy: policy, zones: LocalZones([]))
    }

    /// A flow of the client with this port that ended that many milliseconds after another moment.
    private static func entry(_ outcome: QueryOutcome, _ port: UInt16, after milliseconds: Int64) -> FlowEntry {
        var entry = FlowEntry(outcome, outcome == .denied ? FlowEntry.refusal : FlowEntry.answer)
        entry.port = port
        entry.arrived = Moment(seconds: 100).adding(nanoseconds: milliseconds * 1_000_000)
        return entry
    }

    /// Adds flows that ended a millisecond after one another, with the ports 1, 2, 3 …
    private func append(_ outcomes: [QueryOutcome]) {
        for (index, outcome) in outcomes.enumerated() {
            let entry = RecentFlowsTests.entry(outcome, UInt16(index + 1), after: Int64(index))
            (outcome == .hit ? flows.hits : flows.others).append([entry])
        }
    }

    /// A listing of what `change` makes of a request for everything.
    private func listing(_ change: (inout FlowRequest) -> Void = { _ in }) throws -> FlowListing {
        var request = FlowRequest()
        change(&request)
        return FlowListing(
            request, flows: flows, snapshots: PublishedCell(try RecentFlowsTests.snapshot()),
            now: Moment(seconds: 200))
    }

    /// The ports of the flows among `events`.
    private func ports(_ events: [FlowEvent]) -> [UInt16] {
        events.compactMap { event in
            guard case .flow(let flow) = event else { return nil }
            return flow.clientPort
        }
    }

    /// The ports of the recent flows that `listing` has.
    private func recent(_ listing: inout FlowListing) -> [UInt16] {
        var ports: [UInt16] = []
        while let events = listing.nextRecent() { ports += self.ports(events) }
        return ports
    }

    @Test func `however many queries the cache answers, every denial is noted and kept`() throws {
        let policy = try RecentFlowsTests.snapshot().policy
        var recorder = FlowRecorder(flows)
        flows.beginWatching(FlowSelection())
        recorder.beginTurn()
        let now = Moment(seconds: 1_000)
        let message = FlowEntry.refusal
        for number in 0..<800 {
            let isDenial = number % 100 == 99
            let origin = QueryOrigin(
                client: IPAddress(ipv4: 0x0A00_0001), port: UInt16(number), transport: .udp, arrived: now)
            recorder.note(
                message.span, of: origin, outcome: isDenial ? .denied : .hit, isAudited: false,
                times: FlowTimes(), policy: policy, now: now)
        }
        recorder.handOver(end: now)
        var listing = try listing()
        let denials = (0..<8).map { UInt16($0 * 100 + 99) }
        #expect(recent(&listing).filter { $0 % 100 == 99 } == denials)
        #expect(flows.others.totals.leftOut == 0 && flows.hits.totals.noted == 8)
    }

    @Test func `flows of both rings come in the order in which they ended, whatever the batch`() {
        append([.hit, .denied, .hit, .hit, .failed, .upstream, .denied, .hit, .local, .hit])
        for limit in 1...9 {
            var position = flows.oldest
            var entries: [FlowEntry] = []
            while flows.read(from: &position, limit: limit, takesHits: true, into: &entries).hasMore {}
            #expect(entries.map(\.port) == Array(1...10), "\(limit)")
            #expect(position == flows.newest, "\(limit)")
        }
    }

    @Test func `the last flows are those of both rings that are wanted`() throws {
        append([.hit, .denied, .hit, .hit, .failed, .upstream, .denied, .hit, .local, .hit])
        let cases: [(Int?, Set<QueryOutcome>, [UInt16])] = [
            (nil, [], Array(1...10)), (3, [], [8, 9, 10]), (0, [], []), (100, [], Array(1...10)),
            (1, [.denied], [7]), (2, [.denied, .hit], [8, 10]), (3, [.hit], [4, 8, 10]), (5, [.stale], []),
            (nil, [.denied], [2, 7]),
        ]
        for (last, outcomes, wanted) in cases {
            var listing = try listing {
                $0.last = last
                $0.filter.outcomes = outcomes
            }
            #expect(recent(&listing) == wanted, "\(String(describing: last)) \(outcomes)")
        }
    }

    @Test func `a listing of recent flows counts nothing as missed, who follows does`() throws {
        append(Array(repeating: .denied, count: 8))
        var plain = try listing()
        var follower = try listing {
            $0.follows = true
            $0.last = 0
        }
        append(Array(repeating: .denied, count: 11))
        #expect(recent(&plain).isEmpty && flows.totals.overtaken == 0)
        #expect(recent(&follower).isEmpty)
        #expect(ports(follower.next().events) == Array(4...11) && flows.totals.overtaken == 3)
    }

    @Test func `who begins with recent flows goes on behind them`() throws {
        append([.denied, .hit, .denied])
        var follower = try listing {
            $0.follows = true
            $0.last = 2
        }
        flows.hits.append([RecentFlowsTests.entry(.hit, 20, after: 20)])
        #expect(recent(&follower) == [2, 3])
        #expect(ports(follower.next().events) == [20] && !follower.next().hasMore)
    }

    @Test func `only who may want queries that the cache answered asks for them`() {
        let filters: [(Bool, FlowSelection)] = [
            (true, FlowSelection()), (true, selection { $0.verdicts = [.audit] }),
            (true, selection { $0.outcomes = [.denied, .hit] }),
            (false, selection { $0.verdicts = [.dropped, .error] }),
            (false, selection { $0.outcomes = [.denied] }),
            (true, FlowSelection(allow: [FlowFilter(), selection { $0.outcomes = [.denied] }.allow[0]])),
            (false, FlowSelection(deny: selection { $0.outcomes = [.hit, .stale] }.allow)),
            (false, FlowSelection(deny: selection { $0.verdicts = [.forwarded, .audit] }.allow)),
            (true, FlowSelection(deny: selection { $0.verdicts = [.forwarded] }.allow)),
            (
                true,
                FlowSelection(
                    deny: selection {
                        $0.outcomes = [.hit]
                        $0.types = [.aaaa]
                    }.allow)
            ),
        ]
        for (index, (wantsHits, selection)) in filters.enumerated() {
            #expect(selection.maySelectHits == wantsHits, "\(index)")
            flows.beginWatching(selection)
            #expect(flows.hits.isWatched == wantsHits && flows.others.isWatched, "\(index)")
            flows.endWatching(selection)
            #expect(!flows.hits.isWatched && !flows.others.isWatched, "\(index)")
        }
    }

    /// A selection of one filter that `change` has set.
    private func selection(_ change: (inout FlowFilter) -> Void) -> FlowSelection {
        var filter = FlowFilter()
        change(&filter)
        return FlowSelection(allow: [filter])
    }
}
