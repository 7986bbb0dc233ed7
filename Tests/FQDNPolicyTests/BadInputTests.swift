import DNSWire
import FQDNPolicy
import Foundation
import Testing

/// Documents that cost too much, or that are nearly right: what is refused, where, and how soon.
@Suite struct BadInputTests {
    /// A valid policy with a list of names below it, to which a bad part is added.
    private func policy(_ spec: String) -> String { Policies.policy("  endpointSelector: {}\n  \(spec)\n") }

    @Test(
        arguments: [
            ("egress: {}", "spec.egress: expected a list, found a mapping"),
            ("egress: text", "spec.egress: expected a list, found text"),
            ("egress:", "spec.egress: expected a list, found nothing"),
            ("egress: [text]", "spec.egress[0]: expected a mapping of keys and values, found text"),
            ("egress: [[{}]]", "spec.egress[0]: expected a mapping of keys and values, found a list"),
            ("egress: [{toPort: []}]", #"spec.egress[0]: unknown key "toPort" (did you mean "toPorts"?)"#),
            ("egress: [{toFQDN: []}]", #"spec.egress[0]: unknown key "toFQDN" (did you mean "toFQDNs"?)"#),
            ("egress: [{toFQDNs: {matchName: a}}]", "spec.egress[0].toFQDNs: expected a list, found a mapping"),
            (
                "egress: [{toFQDNs: [a.b]}]",
                "spec.egress[0].toFQDNs[0]: expected a mapping of keys and values, found text"
            ),
            (
                "egress: [{toFQDNs: [{matchName: [a]}]}]",
                "spec.egress[0].toFQDNs[0].matchName: expected text, found a list"
            ),
            (
                "egress: [{toFQDNs: [{matchName: }]}]",
                "spec.egress[0].toFQDNs[0].matchName: expected text, found nothing"
            ),
            (
                "egress: [{toPorts: [{port: 53}]}]",
                #"spec.egress[0].toPorts[0]: unknown key "port" (did you mean "ports"?)"#
            ),
            (
                "egress: [{toPorts: [{ports: [53]}]}]",
                "spec.egress[0].toPorts[0].ports[0]: expected a mapping of keys and values, found text"
            ),
            (
                "egress: [{toPorts: [{ports: [{port: -1}]}]}]",
                #"spec.egress[0].toPorts[0].ports[0].port: expected a port number from 0 to 65535 or a port name, found "-1""#
            ),
            (
                "egress: [{toPorts: [{ports: [{port: 99999999999999999999}]}]}]",
                #"spec.egress[0].toPorts[0].ports[0].port: expected a whole number from 0 to 65535, found "99999999999999999999""#
            ),
            (
                "egress: [{toPorts: [{rules: [dns]}]}]",
                "spec.egress[0].toPorts[0].rules: expected a mapping of keys and values, found a list"
            ),
            (
                "egress: [{toPorts: [{rules: {dns: {}}}]}]",
                "spec.egress[0].toPorts[0].rules.dns: expected a list, found a mapping"
            ),
            (
                "egress: [{toPorts: [{rules: {DNS: []}}]}]",
                #"spec.egress[0].toPorts[0].rules: unknown key "DNS" (did you mean "dns"?)"#
            ),
            (
                "egress: [{toEndpoints: [{matchLabel: {}}]}]",
                #"spec.egress[0].toEndpoints[0]: unknown key "matchLabel" (did you mean "matchLabels"?)"#
            ),
            ("egress: [{toEntities: all}]", "spec.egress[0].toEntities: expected a list, found text"),
            (
                "egressDeny: [{toEntities: [clutser]}]",
                #"spec.egressDeny[0].toEntities[0]: unknown entity "clutser" (did you mean "cluster"?); "#
                    + "expected one of all, cluster, health, host, ingress, init, kube-apiserver, none, remote-node, "
                    + "unmanaged, world, world-ipv4, world-ipv6"
            ),
            ("enableDefaultDeny: {egress: yes}", "spec.enableDefaultDeny.egress: expected true or false, found yes"),
            ("egres: []", #"spec: unknown key "egres" (did you mean "egress"?)"#),
            ("nodeSelector: {}", "spec.nodeSelector: a spec has either nodeSelector or endpointSelector"),
        ])
    func `a wrong type or an unknown field is an error with its key path`(_ spec: String, _ expected: String) {
        let (snapshot, problems) = Policies.load(policy(spec))
        #expect(snapshot == nil)
        let errors = problems.filter { $0.severity == .error }.map { "\($0.path): \($0.message)" }
        #expect(errors == [expected])
    }

    @Test(
        arguments: [
            (
                "kind: CiliumNetworkPolicy\nspec: {}",
                ["\"apiVersion\" is missing", "\"metadata\" is missing", "\"endpointSelector\" is missing"]
            ),
            (
                "apiVersion: cilium.io/v2\nkind: CiliumNetworkPolicy\nmetadata: {}",
                ["\"name\" is missing", "\"spec\" is missing"]
            ),
            (
                "apiVersion: cilium.io/v2\nkind: CiliumNetworkPolicy\nmetadata: []\nspec: []",
                [
                    "expected a mapping of keys and values, found a list",
                    "expected a mapping of keys and values, found a list",
                ]
            ),
            (
                "apiVersion: [x]\nkind: CiliumNetworkPolicy\nmetadata: {name: a/b}\nspec: {endpointSelector: }",
                [
                    "expected text, found a list", "\"a/b\" is not a name",
                    "expected a mapping of keys and values, found nothing",
                ]
            ),
            ("kind: [x]", ["expected text, found a list"]), ("identities: 5", ["expected a list, found text"]),
            ("identities: []\nextra: 1", ["unknown key \"extra\""]),
        ])
    func `a document without its parts says which are missing`(_ text: String, _ expected: [String]) {
        let problems = Policies.load(text).problems.filter { $0.severity == .error }
        #expect(problems.map(\.message) == expected)
    }

    /// Runs `body` with the path of a file that has `text`.
    private func withFile<Result>(_ text: String, _ body: (String) throws -> Result) throws -> Result {
        let path = NSTemporaryDirectory() + "bad-input-\(UInt64.random(in: 0 ... .max)).yaml"
        try Data(text.utf8).write(to: URL(fileURLWithPath: path))
        defer { try? FileManager.default.removeItem(atPath: path) }
        return try body(path)
    }

    @Test func `a reload with any error in any file changes nothing and tells all of them`() throws {
        try withFile(policy("egress: [{toFQDNs: [{matchName: '*'}]}]")) { bad in
            try withFile(Policies.allowing("[{matchName: a.b}]", name: "good")) { good in
                do throws(PolicySources.LoadError) {
                    _ = try PolicySources(policies: [good, bad], identities: ["/nonexistent"]).load(generation: 2)
                    Issue.record("it loaded")
                } catch {
                    #expect(error.problems.count { $0.severity == .error } == 2)
                    #expect(error.description.contains("\(bad):6:35: error: spec.egress[0].toFQDNs[0].matchName: "))
                }
            }
        }
    }

    @Test(
        arguments: [
            ("identities:\n- {name: a, addresses: [10.0.0.0/8]}\n- {name: b, prefixes: [10.0.0.0/8]}", 1),
            ("identities:\n- {name: a, addresses: ['fd00::/8']}\n- {name: b, addresses: ['fd00:0::/8']}", 1),
            ("identities:\n- {name: a, addresses: [10.0.0.1]}\n- {name: b, addresses: ['::ffff:10.0.0.1']}", 1),
            ("identities:\n- {name: a, addresses: [10.0.0.0/8]}\n- {name: b, addresses: [10.0.0.0/9]}", 0),
            ("identities:\n- {name: a, addresses: [10.0.0.0/8, 10.0.0.0/8]}", 0),
        ])
    func `prefixes of equal length that overlap belong to one identity`(_ text: String, _ errors: Int) {
        let problems = Policies.load("", identities: text).problems.filter { $0.severity == .error }
        #expect(problems.count == errors, "\(problems)")
    }

    /// What refusing a text costs and says.
    private func refusal(_ text: String, _ limits: DocumentLimits) -> (problems: [DocumentProblem], time: Duration) {
        var problems: [DocumentProblem] = []
        let time = ProcessorTime.measure {
            problems = DocumentNode.documents(in: text, file: "f", limits: limits).problems
        }
        return (problems, time)
    }

    @Test(
        arguments: [
            DocumentTests.CostlyText("lists", String(repeating: "- ", count: 5000)),
            DocumentTests.CostlyText("mappings", String(repeating: "{a: ", count: 5000)),
            DocumentTests.CostlyText(
                "indented keys", (0..<3000).map { String(repeating: " ", count: $0) + "a:\n" }.joined()),
            DocumentTests.CostlyText(
                "indented lists", (0..<200).map { "\(String(repeating: " ", count: $0))- a\n" }.joined()),
            DocumentTests.CostlyText("keys of keys", String(repeating: "? ", count: 5000)),
            DocumentTests.CostlyText("tags", String(repeating: "!!x ", count: 5000)),
            DocumentTests.CostlyText("open brackets", String(repeating: "- - - [\n", count: 2000)),
            DocumentTests.CostlyText("anchors within anchors", "a: &a {b: &b [*a, *b]}\nc: [*a, *b]\n"),
            DocumentTests.CostlyText("a merge of itself", "a: &a\n  <<: *a\n"),
            DocumentTests.CostlyText("many documents", String(repeating: "--- &a [*a]\n", count: 3000)),
        ])
    func `deep nesting and odd anchors are read or refused soon, and never crash`(_ each: DocumentTests.CostlyText) {
        let limits = DocumentLimits(bytes: 8 << 20, values: 20_000, depth: 64)
        #expect(refusal(each.text, limits).time < .seconds(60))
    }

    @Test func `anchors that double without end are refused within their budget`() {
        for width in [2, 3, 9] {
            var text = "k0: &k0 {a: 1}\n"
            for level in 1...50 {
                let fields = (0..<width).map { "f\($0): *k\(level - 1)" }.joined(separator: ", ")
                text += "k\(level): &k\(level) {\(fields)}\n"
            }
            let (problems, time) = refusal(text, DocumentLimits(values: 50_000))
            #expect(problems.contains { $0.message.contains("more than 50000 values") })
            #expect(time < .seconds(60))
        }
    }

    @Test func `random damage to a document is never more than an error`() {
        var generator = SplitMix(state: 99)
        let good = Array(
            (policy("egress: [{toPorts: [{ports: [{port: 53}], rules: {dns: [{matchPattern: '*.a.b'}]}}]}]")
                + Policies.identities).utf8)
        let damage = Array("*&[]{}:-,'\"#!|>%@`?\n ".utf8)
        var accepted = 0
        for _ in 0..<300 {
            var bytes = good
            for _ in 0...Int(generator.next() % 3) {
                let position = Int(generator.next() % UInt64(bytes.count))
                switch generator.next() % 3 {
                case 0: bytes.remove(at: position)
                case 1: bytes.insert(UInt8(truncatingIfNeeded: generator.next() % 128), at: position)
                default: bytes[position] = damage[Int(generator.next() % UInt64(damage.count))]
                }
            }
            let found = Policies.load(String(decoding: bytes, as: UTF8.self), identities: "")
            #expect((found.snapshot == nil) == found.problems.hasErrors)
            if found.snapshot != nil { accepted += 1 }
        }
        #expect(accepted > 5 && accepted < 295)
    }
}
