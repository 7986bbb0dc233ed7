import DNSWire
import FQDNPolicy
import Foundation
import Testing

@Suite struct LintTests {
    /// Suffixes for these tests.
    private static let suffixes = PublicSuffixes("com\nco.uk\nuk\nio\ngithub.io\nx\n", source: "test")

    /// What lint says about a text, beside what reading and compiling say.
    private func lint(_ text: String, identities: String = Policies.identities) throws -> [String] {
        let folder = NSTemporaryDirectory() + "policy-lint-\(UInt64.random(in: 0 ... .max))"
        try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
        defer { try? FileManager.default.removeItem(atPath: folder) }
        try Data(text.utf8).write(to: URL(fileURLWithPath: "\(folder)/policy.yaml"))
        try Data(identities.utf8).write(to: URL(fileURLWithPath: "\(folder)/identities.yaml"))
        return PolicySources(policies: [folder]).check(suffixes: LintTests.suffixes)
            .map { $0.description.replacing("\(folder)/", with: "") }
    }

    /// A policy whose flow-style list of names is on line 10.
    private func dns(_ list: String, _ more: String = "") -> String {
        Policies.policy(
            """
              endpointSelector: {matchLabels: {app: api}}
              egress:
              - toPorts:
                - ports: [{port: "53"}]
                  rules:
                    dns: \(list)
            \(more)
            """)
    }

    @Test(
        arguments: [
            (
                "[{matchName: a.b.x}, {matchPattern: '*.b.x'}]",
                #"10:27 "a.b.x" has no effect of its own beside matchPattern: "*.b.x" of production/p (policy.yaml:10); remove one of them [hidden-rule]"#
            ),
            (
                "[{matchPattern: '*.b.x'}, {matchPattern: '**.b.x'}]",
                #"10:30 "*.b.x" has no effect of its own beside matchPattern: "**.b.x""#
            ),
            (
                "[{matchPattern: 'a-*-b.c.x'}, {matchPattern: 'a*b.c.x'}]",
                #"10:30 "a-*-b.c.x" has no effect of its own"#
            ),
            ("[{matchPattern: '**.a.b.x'}, {matchPattern: '**.b.x'}]", #"10:30 "**.a.b.x" has no effect of its own"#),
            ("[{matchPattern: '*.c.b.x'}, {matchPattern: '*.*.b.x'}]", #"10:30 "*.c.b.x" has no effect of its own"#),
            (
                "[{matchName: a.b.x}, {matchPattern: '*'}]",
                #"10:27 "a.b.x" has no effect of its own beside matchPattern: "*""#
            ),
            (
                "[{matchName: a.b.x}, {matchName: A.B.x.}]",
                #"10:47 "a.b.x" is already on line 10 of this list; remove it [hidden-rule]"#
            ),
            (
                "[{matchName: 10.0.0.1}]",
                #"10:27 "10.0.0.1" is an IP address: nobody asks for it as a name; addresses are for toCIDR [never-matches]"#
            ),
            (
                "[{matchPattern: '*.com'}]",
                #"10:30 "*.com" reaches names that strangers register below "com"; write the registered name out, as in "*.example.com" [public-suffix]"#
            ),
            ("[{matchPattern: '**.co.uk'}]", #"10:30 "**.co.uk" reaches names that strangers register below "co.uk""#),
            ("[{matchPattern: 'api.*.io'}]", #"10:30 "api.*.io" reaches names"#),
            ("[{matchPattern: '*example.com'}]", #"10:30 "*example.com" reaches names"#),
            ("[{matchPattern: '*.github.io'}]", #"10:30 "*.github.io" reaches names"#),
            (
                "[{matchPattern: 'a.**.b.com'}]",
                ##"10:30 "a.**.b.com": stars in a row are as one star here; they stand for several labels only at the start, before a dot [double-star]"##
            ),
        ])
    func `what has no effect or reaches too far is a warning with its place`(_ list: String, _ expected: String) throws
    {
        let found = try lint(dns(list))
        #expect(found.count == 1, "\(found)")
        let first = try #require(found.first)
        let parts = expected.split(separator: " ", maxSplits: 1)
        #expect(first.hasPrefix("policy.yaml:\(parts[0]): warning: spec.egress[0].toPorts[0].rules.dns["), "\(first)")
        #expect(first.contains(parts[1]), "\(first)")
    }

    @Test(
        arguments: [
            "[{matchName: a.b.x}, {matchName: b.x}, {matchPattern: '*.c.x'}]", "[{matchPattern: '*'}]",
            "[{matchPattern: '*.b.x'}, {matchPattern: '*.*.b.x'}]",
            "[{matchPattern: 'a*.b.x'}, {matchPattern: '*a.b.x'}]",
            "[{matchPattern: '**.b.x'}, {matchName: b.x}]", "[{matchPattern: '*.local'}]",
            "[{matchPattern: '*.svc.cluster.local'}]", "[{matchPattern: '*.example.com'}]",
            "[{matchPattern: '*.example.co.uk'}]", "[{matchPattern: '*.bl.uk'}]", "[{matchName: com}]",
            "[{matchPattern: '**.*.b.x'}, {matchPattern: '*.b.x'}]",
        ])
    func `what is all right is not warned of`(_ list: String) throws {
        #expect(try lint(dns(list)) == [])
    }

    @Test func `a rule is hidden only by one for the same transports and ports`() throws {
        let ports = """
              - toPorts:
                - ports: [{port: "53", protocol: UDP}]
                  rules: {dns: [{matchPattern: '*.q.x'}]}
              - toFQDNs: [{matchName: a.q.x}]
                toPorts: [{ports: [{port: 443, protocol: TCP}]}]
              - toFQDNs: [{matchPattern: '*.q.x'}]
                toPorts: [{ports: [{port: 80, protocol: TCP}]}]
            """
        #expect(try lint(dns("[{matchName: a.q.x}]", ports)) == [])
        let covered = """
              - toFQDNs: [{matchName: a.q.x}]
                toPorts: [{ports: [{port: 443, protocol: TCP}]}]
              - toFQDNs: [{matchPattern: '*.q.x'}]
                toPorts: [{ports: [{port: 400, endPort: 500}]}]
            """
        let found = try lint(dns("[{matchName: a.q.x}]", covered))
        #expect(found.count == 1)
        #expect(
            found.first?.hasPrefix("policy.yaml:11:27: warning: spec.egress[1].toFQDNs[0].matchName:") == true,
            "\(found)")
    }

    @Test func `of two rules that say the same the later one is hidden, by another policy only as a notice`() throws {
        let again = dns("[{matchName: b.x.y}]").replacing("name: p,", with: "name: q,")
        let found = try lint(dns("[{matchName: b.x.y}]") + again)
        #expect(
            found == [
                #"policy.yaml:22:27: notice: spec.egress[0].toPorts[0].rules.dns[0].matchName: "b.x.y" has no effect of its own beside matchName: "b.x.y" of production/p (policy.yaml:10); remove one of them [hidden-rule]"#
            ])
    }

    @Test func `a rule hidden for one identity but not for another is not hidden`() throws {
        let web = Policies.policy(
            """
              endpointSelector: {matchLabels: {app: web}}
              egress: [{toPorts: [{rules: {dns: [{matchPattern: '**.b.y'}]}}]}]
            """, name: "web")
        let all = Policies.policy(
            """
              endpointSelector: {}
              egress: [{toPorts: [{rules: {dns: [{matchName: a.b.y}]}}]}]
            """, name: "all")
        #expect(try lint(web + all) == [])
        #expect(
            try lint(web + all.replacing("endpointSelector: {}", with: "endpointSelector: {matchLabels: {app: web}}"))
                .count == 1)
    }

    @Test func `an allowing rule that a denying one makes useless is named`() throws {
        let deny = "  egressDeny: [{toPorts: [{rules: {dns: [{matchPattern: '**.b.y'}]}}]}]"
        let found = try lint(dns("[{matchName: a.b.y}, {matchPattern: '*.y'}]", deny))
        #expect(
            found == [
                #"policy.yaml:10:27: warning: spec.egress[0].toPorts[0].rules.dns[0].matchName: "a.b.y" is denied whatever it allows, by matchPattern: "**.b.y" of production/p (policy.yaml:11); remove one of them [always-denied]"#
            ])
    }

    @Test func `a selector that selects nothing is named, and that there are no identities at all`() throws {
        let policy = Policies.policy("  endpointSelector: {matchLabels: {app: apy}}\n  egress: [{}]")
        #expect(
            try lint(policy) == [
                #"policy.yaml:5:21: warning: spec.endpointSelector: selects no identity in the namespace "production"; compare the labels with `dnsproxyd identity list` [no-identity]"#
            ])
        let alone = try lint(policy, identities: "identities: []")
        #expect(alone.count == 1)
        #expect(alone.first?.hasPrefix("policy.yaml:3:18: notice: there are no identities, so only unknown") == true)
    }

    @Test func `names that are learned but may not be asked for are named`() throws {
        let alone = Policies.policy("  endpointSelector: {}\n  egress:\n  - toFQDNs: [{matchName: a.b.y}]")
        #expect(
            try lint(alone) == [
                "policy.yaml:7:5: warning: spec.egress[0]: toFQDNs allows no queries, and no rule of any policy lets these "
                    + "identities ask for names, so nothing is ever learned; add a rule with toPorts for port 53 and "
                    + "rules.dns [never-asked]"
            ])
        #expect(try lint(alone.replacing("  egress:", with: "  enableDefaultDeny: {egress: false}\n  egress:")) == [])
        let beside = dns(
            "[{matchPattern: '*.c.y'}]",
            "  - toFQDNs: [{matchName: a.b.y}, {matchName: a.c.y}, {matchPattern: '*.d.y'}]")
        #expect(
            try lint(beside) == [
                #"policy.yaml:11:27: warning: spec.egress[1].toFQDNs[0].matchName: "a.b.y" is never learned, since no rule allows asking for it; add it under rules.dns of a rule for port 53 [never-asked]"#
            ])
    }

    @Test func `documents with errors are not linted`() throws {
        let found = try lint(dns("[{matchPattern: '*.com'}, {matchName: '*'}]"))
        #expect(found.count == 1 && found.first?.contains("error") == true)
    }

    @Test func `a rule of the Kubernetes dialect is judged in that dialect`() throws {
        let found = try lint(
            """
            apiVersion: policy.networking.k8s.io/v1alpha2
            kind: ClusterNetworkPolicy
            metadata: {name: k}
            spec:
              tier: Admin
              priority: 1
              subject: {namespaces: {}}
              egress: [{action: Accept, to: [{domainNames: ["*.co.uk", "a.b.y", "*.b.y"]}]}]
            """)
        #expect(
            found.map { $0.prefix(90) } == [
                #"policy.yaml:8:49: warning: spec.egress[0].to: "*.co.uk" reaches names that strangers regis"#,
                #"policy.yaml:8:60: warning: spec.egress[0].to: "a.b.y" has no effect of its own beside doma"#,
            ])
    }

    @Test func `ten times as many rules take about ten times as long to look through`() throws {
        func duration(_ count: Int) throws -> Duration {
            let list = (0..<count).map { "\n            - matchPattern: '*-\($0).s\($0 % 7).y'" }.joined()
            var found = ["not looked at"]
            let time = try ProcessorTime.measure { found = try lint(dns(list)) }
            #expect(found == [])
            return time
        }
        // Comparing each rule with each other one would take a hundred times as long. The shorter run is the best of
        // three and the longer one may meet with anything else the machine does: 50 is between the two.
        let few = try (0..<3).map { _ in try duration(2_000) }.min() ?? .zero
        #expect(try duration(20_000) < few * 50)
    }
}

/// What is said of valid documents while they are read.
@Suite struct ReadingLintTests {
    /// The page that names every code.
    private static let page = URL(fileURLWithPath: #filePath).deletingLastPathComponent()
        .deletingLastPathComponent().deletingLastPathComponent().appendingPathComponent("docs/POLICY.md")

    @Test func `every code is explained in the documentation`() throws {
        let text = try String(contentsOf: ReadingLintTests.page, encoding: .utf8)
        for code in LintCode.allCases { #expect(text.contains("| `\(code)` |"), "\(code)") }
    }

    @Test(
        arguments: [
            ("toPorts: [{ports: [{port: 80}], rules: {dns: [{matchName: a.b}]}}]", "never-matches"),
            ("toPorts: [{rules: {dns: []}}]", "never-matches"),
            ("toFQDNs: [{matchName: a.b}], toPorts: [{ports: [{port: https}]}]", "named-port"),
            ("toCIDR: [10.0.0.0/8]", "not-enforced"),
            ("toPorts: [{ports: [{port: 53}], rules: {http: []}}]", "not-enforced"),
            ("icmps: [], toFQDNs: [{matchName: a.b}]", "not-enforced"),
            ("toFQDNs: [{matchName: a.b}], toPorts: [{ports: [{port: 0, protocol: ICMP}]}]", "not-enforced"),
            ("toEntities: [all]}, {toPorts: [{rules: {dns: [{matchName: a.b}]}}]", "every-name"),
        ])
    func `what has no effect here is said while it is read`(_ rule: String, _ code: String) {
        let (snapshot, problems) = Policies.load(
            Policies.policy("  endpointSelector: {}\n  egress: [{\(rule)}]\n"))
        #expect(snapshot != nil)
        let found = problems.filter { $0.message.hasSuffix(" [\(code)]") }
        #expect(found.count == 1, "\(problems)")
        #expect(found.allSatisfy { $0.line == 6 && $0.column > 0 && $0.path.hasPrefix("spec.egress[0]") })
    }

    @Test(
        arguments: [
            ("**", false), ("***.", false), ("**.a.b", false), ("****.a.b", false), ("*.a", false), ("a*b*.c", false),
            ("**a.b", true), ("a.**.b", true), ("a**b.c", true), ("**.a**.b", true), ("a.**", true), ("**.**.a", true),
        ])
    func `stars in a row that mean one star are a warning`(_ text: String, _ isWarned: Bool) {
        let found = Policies.load(Policies.allowing("[{matchPattern: '\(text)'}]")).problems
        #expect(found.contains { $0.message.hasSuffix("[double-star]") } == isWarned)
    }
}
