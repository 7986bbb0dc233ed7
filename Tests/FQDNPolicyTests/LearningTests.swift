import DNSWire
import FQDNPolicy
import Testing

@Suite struct LearningTests {
    @Test func `toFQDNs selects what is learned and filters nothing`() throws {
        let snapshot = try Policies.snapshot(
            Policies.policy(
                """
                  endpointSelector: {}
                  egress:
                  - toEndpoints: [{matchLabels: {k8s-app: kube-dns}}]
                    toPorts: [{ports: [{port: 53}], rules: {dns: [{matchPattern: "*"}]}}]
                  - toFQDNs: [{matchName: a.x}, {matchPattern: "*.y"}]
                    toPorts: [{ports: [{port: 443, protocol: TCP}, {port: 80, endPort: 90}]}]
                  - toFQDNs: [{matchName: a.x}]
                    toPorts: [{ports: [{port: 443, protocol: TCP}, {port: 22, protocol: TCP}]}]
                """)
                + Policies.policy(
                    "  endpointSelector: {}\n  egress: [{toFQDNs: [{matchPattern: 'a.*'}]}]", name: "q"))
        #expect(try snapshot.verdict("10.0.0.1", "z.z") == Verdict(outcome: .allowed, isSelected: false))
        #expect(try snapshot.verdict("10.0.0.1", "a.x") == Verdict(outcome: .allowed, isSelected: true))
        #expect(try snapshot.verdict("10.0.0.1", "b.y") == Verdict(outcome: .allowed, isSelected: true))
        #expect(try snapshot.verdict("10.0.1.1", "a.x") == Verdict(outcome: .allowed, isSelected: false))
        #expect(
            try snapshot.learned("10.0.0.1", "a.x")
                == ["production/p 22/TCP 80-90/ANY 443/TCP", "production/q any port/ANY"])
        #expect(try snapshot.learned("10.0.0.1", "b.y") == ["production/p 80-90/ANY 443/TCP"])
        #expect(try snapshot.learned("10.0.0.1", "z.z") == [])
    }

    @Test func `names whose rules are at the same places have the same rules`() throws {
        let snapshot = try Policies.snapshot(
            Policies.policy(
                """
                  endpointSelector: {}
                  egress:
                  - toFQDNs: [{matchPattern: "*.x"}, {matchName: b.x}, {matchPattern: "**.y"}, {matchPattern: "api-*.y"}]
                    toPorts: [{ports: [{port: 443, protocol: TCP}]}]
                  - toFQDNs: [{matchPattern: "*.y"}]
                    toPorts: [{ports: [{port: 80, protocol: TCP}]}]
                  egressDeny:
                  - toFQDNs: [{matchName: d.x}]
                """))
        let names = ["a.x", "c.x", "b.x", "d.x", "a.y", "c.y", "b.a.y", "api-1.y", "api-2.y", "z.z"]
        let identity = snapshot.identityIndex(of: try #require(IPAddress("10.0.0.1")))
        let places = try names.map {
            try #require(snapshot.places(identity: identity, name: NameBuffer(try DomainName($0))))
        }
        for (left, first) in names.enumerated() {
            for (right, second) in names.enumerated() where places[left] == places[right] {
                #expect(try snapshot.learned("10.0.0.1", first) == snapshot.learned("10.0.0.1", second))
            }
        }
        // a.x and c.x, a.y and c.y, and the two of `api-*`.
        #expect(Set(places).count == names.count - 3)
    }

    @Test func `a name with rules at more than four places is not told by them`() throws {
        let patterns = ["a-b-c.x", "*.x", "a-*.x", "*-c.x", "a-*-c.x"].map { "{matchPattern: '\($0)'}" }
        for count in 3...5 {
            let snapshot = try Policies.snapshot(
                Policies.policy(
                    "  endpointSelector: {}\n  egress: [{toFQDNs: [\(patterns.prefix(count).joined(separator: ", "))]}]"
                ))
            let identity = snapshot.identityIndex(of: try #require(IPAddress("10.0.0.1")))
            let places = snapshot.places(identity: identity, name: NameBuffer(try DomainName("a-b-c.x")))
            #expect((places == nil) == (count > 4), "\(count)")
        }
    }

    @Test func `a star alone learns only names of plain labels`() throws {
        let snapshot = try Policies.snapshot(
            Policies.policy("  endpointSelector: {}\n  egress: [{toFQDNs: [{matchPattern: '*'}]}]"))
        #expect(try snapshot.verdict("10.0.0.1", "a_b.c-d").isSelected)
        #expect(try snapshot.verdict("10.0.0.1", ".").isSelected)
        #expect(try !snapshot.verdict("10.0.0.1", #"a\.b.c"#).isSelected)
    }

    @Test(
        arguments: [
            ("", ["production/p 100-200/TCP 443/TCP"]),
            ("egressDeny: [{toFQDNs: [{matchPattern: '*.x'}]}]", []),
            ("egressDeny: [{toFQDNs: [{matchName: b.x}]}]", ["production/p 100-200/TCP 443/TCP"]),
            (
                "egressDeny: [{toFQDNs: [{matchName: a.x}], toPorts: [{ports: [{port: 443, protocol: TCP}]}]}]",
                ["production/p 100-200/TCP"]
            ),
            (
                "egressDeny: [{toFQDNs: [{matchName: a.x}], toPorts: [{ports: [{port: 150, endPort: 160}]}]}]",
                ["production/p 100-149/TCP 161-200/TCP 443/TCP"]
            ),
            (
                "egressDeny: [{toFQDNs: [{matchName: a.x}], toPorts: [{ports: [{port: 443, protocol: UDP}]}]}]",
                ["production/p 100-200/TCP 443/TCP"]
            ),
            ("egressDeny: [{toFQDNs: [{matchName: a.x}], toPorts: [{ports: [{port: 0}]}]}]", []),
        ])
    func `egressDeny takes names and ports away from what is learned`(_ deny: String, _ expected: [String]) throws {
        let snapshot = try Policies.snapshot(
            Policies.policy(
                """
                  endpointSelector: {}
                  egress:
                  - toFQDNs: [{matchName: a.x}]
                    toPorts: [{ports: [{port: 443, protocol: TCP}, {port: 100, endPort: 200, protocol: TCP}]}]
                  \(deny)
                """))
        #expect(try snapshot.learned("10.0.0.1", "a.x") == expected)
    }

    @Test func `a denied protocol leaves the others of a rule for all of them`() throws {
        let snapshot = try Policies.snapshot(
            Policies.policy(
                """
                  endpointSelector: {}
                  egress: [{toFQDNs: [{matchName: a.x}]}]
                  egressDeny: [{toFQDNs: [{matchName: a.x}], toPorts: [{ports: [{port: 25, protocol: TCP}]}]}]
                """))
        #expect(
            try snapshot.learned("10.0.0.1", "a.x")
                == ["production/p any port/SCTP any port/UDP 1-24/TCP 26-65535/TCP"])
    }

    @Test(
        arguments: [
            ("toPorts: [{ports: [{port: 0, protocol: ICMP}]}]", "", []),
            ("toPorts: [{ports: [{port: 0, protocol: ICMP}, {port: 80, protocol: TCP}]}]", "", ["production/p 80/TCP"]),
            ("icmps: [{fields: [{type: 8, family: IPv4}]}]", "", []),
            (
                "", "icmps: [{fields: [{type: 8, family: IPv4}]}]",
                ["production/p any port/SCTP any port/TCP any port/UDP"]
            ),
            ("", "toPorts: [{ports: [{port: 1, endPort: 65535}]}]", []),
            (
                "", "toPorts: [{ports: [{port: 1, protocol: TCP}]}]",
                ["production/p any port/SCTP any port/UDP 2-65535/TCP"]
            ),
            (
                "", "toPorts: [{ports: [{port: 0, endPort: 1024, protocol: TCP}]}]",
                ["production/p any port/SCTP any port/UDP 1025-65535/TCP"]
            ),
            ("toPorts: [{ports: [{port: 0, endPort: 1024, protocol: TCP}]}]", "", ["production/p 1-1024/TCP"]),
            ("toPorts: [{ports: [{port: 0, endPort: 65535, protocol: TCP}]}]", "", ["production/p any port/TCP"]),
        ])
    func `what is opened has ports, and no range of them begins with 0, which stands for all`(
        _ allow: String, _ deny: String, _ expected: [String]
    ) throws {
        let snapshot = try Policies.snapshot(
            Policies.policy(
                """
                  endpointSelector: {}
                  egress: [{toFQDNs: [{matchName: a.x}]\(allow.isEmpty ? "" : ", " + allow)}]
                  egressDeny: \(deny.isEmpty ? "[]" : "[{toFQDNs: [{matchName: a.x}], \(deny)}]")
                """))
        #expect(try snapshot.learned("10.0.0.1", "a.x") == expected)
    }

    @Test func `match-aliases marks the names of its policy as CNAME targets too`() throws {
        let rule = "  endpointSelector: {}\n  egress: [{toFQDNs: [{matchName: a.x}]}]"
        let plain = try Policies.snapshot(Policies.policy(rule))
        let aliases = try Policies.snapshot(
            Policies.policy(rule, annotations: #"{dnsproxyd.io/match-aliases: "true"}"#))
        #expect(try !plain.verdict("10.0.0.1", "a.x").isSelectedAsAlias)
        #expect(try aliases.verdict("10.0.0.1", "a.x").isSelectedAsAlias)
        #expect(try !aliases.verdict("10.0.0.1", "b.x").isSelectedAsAlias)
    }

    @Test(
        arguments: [
            ("", ["production/p 80/TCP 443/TCP"]),
            ("egressDeny: [{toFQDNs: [{matchName: www.x}]}]", []),
            ("egressDeny: [{toFQDNs: [{matchName: cdn.y}]}]", []),
            (
                "egressDeny: [{toFQDNs: [{matchName: www.x}], toPorts: [{ports: [{port: 80}]}]}]",
                ["production/p 443/TCP"]
            ),
            (
                "egressDeny: [{toFQDNs: [{matchName: cdn.y}], toPorts: [{ports: [{port: 443}]}]}]",
                ["production/p 80/TCP"]
            ),
        ])
    func `what is denied to a name or to its CNAME target stays closed`(_ deny: String, _ expected: [String]) throws {
        let snapshot = try Policies.snapshot(
            Policies.policy(
                """
                  endpointSelector: {}
                  egress:
                  - toFQDNs: [{matchName: cdn.y}]
                    toPorts: [{ports: [{port: 443, protocol: TCP}, {port: 80, protocol: TCP}]}]
                  \(deny)
                """, annotations: #"{dnsproxyd.io/match-aliases: "true"}"#))
        let name = NameBuffer(try DomainName("www.x"))
        let aliases = try [DomainName("a.y"), DomainName("cdn.y")]
        let found = snapshot.rules(identity: 2, name: name, aliases: aliases)
        #expect(found.map { "\($0.policy) \($0.ports.map(\.description).joined(separator: " "))" } == expected)
        #expect(snapshot.rules(identity: 2, name: name).isEmpty)
    }
}
