import DNSWire
import FQDNPolicy
import Testing

/// The compiled snapshot against a naive reading of the same rules, on many random rules and names.
@Suite struct SnapshotPropertyTests {
    /// A random text of up to `length` characters of a small alphabet, so that rules and names often meet.
    private func label(_ alphabet: String, _ length: Int, _ generator: inout SplitMix) -> String {
        let characters = Array(alphabet)
        return String(
            (0..<Int.random(in: 1...length, using: &generator)).map { _ in
                characters[Int.random(in: 0..<characters.count, using: &generator)]
            })
    }

    /// A random pattern, often with stars.
    private func pattern(_ generator: inout SplitMix) -> String {
        if Int.random(in: 0..<60, using: &generator) == 0 { return "*" }
        var labels = (0..<Int.random(in: 1...4, using: &generator)).map { _ in
            label(Bool.random(using: &generator) ? "ab" : "ab**", 3, &generator)
        }
        if Int.random(in: 0..<6, using: &generator) == 0 { labels.insert("**", at: 0) }
        return labels.joined(separator: ".")
    }

    /// A random name; now and then with a byte that no star stands for.
    private func name(_ generator: inout SplitMix) -> DomainName? {
        let labels = (0..<Int.random(in: 0...5, using: &generator)).map { _ in
            label(Int.random(in: 0..<20, using: &generator) == 0 ? "ab+" : "ab", 3, &generator)
        }
        return try? DomainName(labels.isEmpty ? "." : labels.joined(separator: "."))
    }

    /// One random rule with its patterns.
    private struct Rule {
        /// Whether it denies.
        let isDeny: Bool
        /// The transports of its port entry.
        let transports: [QueryTransport]
        /// The names that may be asked for; nil for a rule that selects for learning.
        let dns: [Pattern]?
        /// The names that are learned.
        let toFQDNs: [Pattern]?

        /// Whether it says something about a query for `name`.
        func covers(_ name: borrowing NameBuffer, _ transport: QueryTransport) -> Bool {
            guard transports.contains(transport), let dns else { return false }
            for pattern in dns where pattern.matches(name, for: .query) { return true }
            return false
        }

        /// Whether it says something about learning `name`.
        func learns(_ name: borrowing NameBuffer) -> Bool {
            for pattern in toFQDNs ?? [] where pattern.matches(name, for: .learning) { return true }
            return false
        }

        /// The rule as a document has it.
        var model: EgressRule {
            func entries(_ patterns: [Pattern]) -> [PatternEntry] { patterns.map { PatternEntry($0, line: 1) } }
            let ports = transports.map { PortRange(53, 53, $0.protocolName) }
            return EgressRule(
                isDeny: isDeny, toPorts: dns.map { [PortRule(ports: ports, dns: entries($0))] },
                toFQDNs: toFQDNs.map(entries), place: DocumentPlace(file: "random"))
        }
    }

    /// One random rule of up to `size` patterns.
    private func rule(_ size: Int, _ generator: inout SplitMix) throws -> Rule {
        var patterns: [Pattern] = []
        for _ in 0..<Int.random(in: 1...size, using: &generator) {
            patterns.append(try Pattern(.matchPattern, pattern(&generator)))
        }
        let transports: [[QueryTransport]] = [[.udp], [.tcp], [.udp, .tcp]]
        let learns = Int.random(in: 0..<3, using: &generator) == 0
        return Rule(
            isDeny: Int.random(in: 0..<5, using: &generator) == 0,
            transports: transports[Int.random(in: 0..<3, using: &generator)], dns: learns ? nil : patterns,
            toFQDNs: learns ? patterns : nil)
    }

    @Test(arguments: [(1, 1, 1500), (3, 4, 1000), (12, 10, 200), (40, 50, 25)])
    func `a compiled snapshot decides as reading every rule does`(
        _ ruleLimit: Int, _ patternLimit: Int, _ rounds: Int
    ) throws {
        var generator = SplitMix(state: UInt64(ruleLimit))
        var allowed = 0
        var denied = 0
        var selected = 0
        let identity = IdentityEntry(
            name: "x", namespace: "default", labels: [:], prefixes: [], place: DocumentPlace(file: "random"))
        for _ in 0..<rounds {
            var rules: [Rule] = []
            for _ in 0..<Int.random(in: 1...ruleLimit, using: &generator) {
                rules.append(try rule(patternLimit, &generator))
            }
            let policy = PolicyDocument(
                kind: .namespaced, namespace: "default", name: "p", file: "random", line: 1,
                specs: [PolicyDocument.Spec(selector: EndpointSelector(), egress: rules.map(\.model))])
            let snapshot = try #require(
                PolicyCompiler.compile(policies: [policy], identities: [identity]).snapshot)
            for _ in 0..<20 {
                guard let name = name(&generator) else { continue }
                let buffer = NameBuffer(name)
                for transport in QueryTransport.allCases {
                    let allows = rules.contains { !$0.isDeny && $0.covers(buffer, transport) }
                    let denies = rules.contains { $0.isDeny && $0.covers(buffer, transport) }
                    let learns = rules.contains { !$0.isDeny && $0.learns(buffer) }
                    let keeps = rules.contains { $0.isDeny && $0.learns(buffer) }
                    let expected = Verdict(
                        outcome: allows && !denies ? .allowed : .denied, isSelected: learns && !keeps)
                    let found = snapshot.verdict(identity: 1, name: buffer, transport: transport)
                    if found != expected {
                        Issue.record("\(name) over \(transport): \(found), not \(expected), by \(rules)")
                        return
                    }
                    let hasRules = !snapshot.rules(identity: 1, name: buffer).isEmpty
                    #expect(hasRules == expected.isSelected, "\(name)")
                    if expected.outcome == .allowed { allowed += 1 } else { denied += 1 }
                    if expected.isSelected { selected += 1 }
                }
            }
        }
        // The random cases must be of every sort, or the comparison says nothing.
        #expect(min(allowed, denied, selected) > rounds / 4, "\(allowed) \(denied) \(selected)")
    }

    @Test func `identities with the same policies share compiled rules, and many names are found again`() throws {
        let names = try (0..<20_000).map { try Pattern(.matchName, "host\($0).zone\($0 % 100).example.com") }
        let stars = try (0..<5000).map { try Pattern(.matchPattern, "*.svc\($0).example.net") }
        let rule = EgressRule(
            toPorts: [PortRule(ports: nil, dns: (names + stars).map { PatternEntry($0, line: 1) })],
            place: DocumentPlace(file: "many"))
        let policy = PolicyDocument(
            kind: .clusterwide, namespace: nil, name: "many", file: "many", line: 1,
            specs: [PolicyDocument.Spec(selector: EndpointSelector(), egress: [rule])])
        let identities = (0..<500).map {
            IdentityEntry(
                name: "i\($0)", namespace: "n\($0 % 7)", labels: [:], prefixes: [], place: DocumentPlace(file: "many"))
        }
        let snapshot = try #require(
            PolicyCompiler.compile(policies: [policy], identities: identities).snapshot)
        #expect(snapshot.identities.count == 501)
        var buffer = NameBuffer()
        for number in stride(from: 0, to: 20_000, by: 7) {
            for (text, isKnown) in [
                ("host\(number).zone\(number % 100).example.com", true),
                ("host\(number).zone\((number + 1) % 100).example.com", false),
                ("x.svc\(number % 5000).example.net", true), ("svc\(number % 5000).example.net", false),
                ("x.svc\(number + 5000).example.net", false),
            ] {
                buffer.assign(try DomainName(text))
                let verdict = snapshot.verdict(identity: 1 + number % 500, name: buffer, transport: .udp)
                #expect(verdict.isAnswered == isKnown, "\(text)")
            }
        }
    }

    @Test func `an identity index that does not exist is an unknown client, and an empty name matches nothing`() throws
    {
        let snapshot = try Policies.snapshot(Policies.allowing(#"[{matchPattern: "*"}]"#))
        let name = NameBuffer(try DomainName("a.b"))
        for index in [-1, 5, Int.max, Int.min] {
            #expect(snapshot.verdict(identity: index, name: name, transport: .udp).outcome == .prohibited)
            #expect(snapshot.rules(identity: index, name: name).isEmpty)
        }
        let empty = NameBuffer()
        #expect(snapshot.verdict(identity: 2, name: empty, transport: .udp).outcome == .denied)
    }
}
