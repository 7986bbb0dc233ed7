import DNSWire
import FQDNPolicy
import Foundation
import Testing

@Suite struct ExplanationTests {
    /// The explanation of a query in text form.
    private func explain(
        _ snapshot: PolicySnapshot, _ name: String, client: String = "10.0.0.1", _ transport: QueryTransport = .udp
    ) throws -> Explanation {
        snapshot.explain(
            client: try #require(IPAddress(client)), name: try DomainName(name), transport: transport)
    }

    /// Rules for names and for learning.
    private let policy = Policies.policy(
        """
          endpointSelector: {matchLabels: {app: api}}
          egress:
          - toPorts:
            - ports: [{port: 53, protocol: ANY}]
              rules:
                dns:
                - matchPattern: "*.stripe.com"
                - matchName: cilium.io
            - ports: [{port: 53, protocol: TCP}]
              rules: {dns: [{matchName: big.example}]}
          - toFQDNs: [{matchPattern: "*.stripe.com"}]
            toPorts: [{ports: [{port: 443, protocol: TCP}]}]
        """)

    @Test func `an allowed query is explained by the rule that allows it and what is learned`() throws {
        let found = try explain(try Policies.snapshot(policy), "API.stripe.com")
        let identity = IdentityID(namespace: "production", labels: ["app": "api", "tier": "backend"])
        #expect(
            found.lines == [
                "client    10.0.0.1",
                "identity  production/api (\(identity)) app=api,tier=backend",
                "policies  production/p",
                "query     api.stripe.com. over UDP",
                "verdict   allowed: production/p allows it",
                "rule      production/p allows: matchPattern: \"*.stripe.com\" (policy.yaml:11)",
                "learned   production/p: 443/TCP",
            ])
    }

    @Test(
        arguments: [
            (
                "stripe.com",
                [
                    #""*.stripe.com" would match names below; "stripe.com" does not: a star needs a label; add "stripe.com" as a matchName of its own (production/p, policy.yaml:11)"#
                ]
            ),
            (
                "a.b.stripe.com",
                [
                    #""*.stripe.com" stands for one label, since a star never crosses a dot; "**.stripe.com" would match (production/p, policy.yaml:11)"#
                ]
            ),
            (
                "www.cilium.io",
                [
                    #""cilium.io" is that name alone; "**.cilium.io" would match the names below it (production/p, policy.yaml:12)"#
                ]
            ),
            ("cilum.io", [#""cilium.io" is spelled nearly the same (production/p, policy.yaml:12)"#]),
            (
                "big.example",
                [
                    #"matchName: "big.example" is for queries over TCP only: its port entry has protocol TCP (production/p, policy.yaml:14)"#
                ]
            ),
            ("other.net", []), (".", []),
        ])
    func `a denied query is explained with what nearly matches`(_ name: String, _ misses: [String]) throws {
        let found = try explain(try Policies.snapshot(policy), name)
        #expect(found.outcome == .denied)
        #expect(found.reason == "no rule of production/p allows it")
        #expect(found.nearMisses == misses)
        #expect(found.learned.isEmpty)
    }

    @Test(
        arguments: [
            (
                "apx-1.glob.io",
                #""api-*.glob.io" would match, were the label "apx-1" one of the form "api-*" (production/q, policy.yaml:7)"#
            ),
            (
                #"a\032b.stars.io"#,
                #""*.stars.io": a star stands for letters, digits, "-" and "_", and the label "a\032b" has other bytes (production/q, policy.yaml:8)"#
            ),
            ("api-1.globs.io", ""), ("x.y.glob.io", ""),
        ])
    func `a label that does not fit is named`(_ name: String, _ miss: String) throws {
        let policy = Policies.policy(
            """
              endpointSelector: {}
              egress:
              - toPorts: [{rules: {dns: [{matchPattern: "api-*.glob.io"},
                  {matchPattern: "*.stars.io"}]}}]
            """, name: "q")
        let found = try explain(try Policies.snapshot(policy), name)
        #expect(found.nearMisses == (miss.isEmpty ? [] : [miss]))
    }

    @Test func `near misses come the nearest first, and not too many of them`() throws {
        let typos = (0..<20).map { "{matchName: exampl\($0 % 10)\($0 / 10).com}" }.joined(separator: ", ")
        let policy = Policies.allowing("[\(typos), {matchPattern: '*.example.com'}]")
        let found = try explain(try Policies.snapshot(policy), "example.com")
        #expect(found.nearMisses.count == 5)
        #expect(found.nearMisses.first?.hasPrefix(#""*.example.com" would match names below"#) == true)
    }

    @Test func `notes tell what to do about it`() throws {
        let learning = Policies.policy(
            """
              endpointSelector: {matchLabels: {app: api}}
              egress:
              - toFQDNs: [{matchName: pay.io}]
              - toPorts: [{ports: [{port: 53}], rules: {dns: [{matchName: ok.io}]}}]
            """)
        let web = Policies.policy(
            """
              endpointSelector: {matchLabels: {app: web}}
              egress: [{toPorts: [{ports: [{port: 53}], rules: {dns: [{matchPattern: "*.io"}]}}]}]
            """, name: "web")
        let snapshot = try Policies.snapshot(learning + web)
        #expect(
            try explain(snapshot, "pay.io").notes == [
                #"matchName: "pay.io" of production/p (policy.yaml:7) selects it for learning only: toFQDNs never allows a query; name it under rules.dns of a rule for port 53 as well"#,
                "production/web (policy.yaml) allows it, but does not select this identity: compare its labels",
            ])
        #expect(
            try explain(snapshot, "ok.io").notes
                == ["it is not learned, so no enforcer opens its addresses: no toFQDNs selects it"])
        #expect(try explain(snapshot, "a.io", client: "192.0.2.1").notes.first?.hasPrefix("list the client") == true)
        let denied = try Policies.snapshot(
            Policies.policy(
                """
                  endpointSelector: {}
                  egress: [{toFQDNs: [{matchName: a.io}], toPorts: [{rules: {dns: [{matchPattern: "*"}]}}]}]
                  egressDeny: [{toFQDNs: [{matchPattern: "*.io"}]}]
                """))
        #expect(
            try explain(denied, "a.io").notes == [
                #"it is not learned: matchPattern: "*.io" of production/p (policy.yaml:7) under egressDeny takes it away"#
            ])
    }

    @Test func `a rule is named by its key path as well as its line`() throws {
        let found = try explain(try Policies.snapshot(policy), "cilium.io")
        #expect(found.rules.map(\.path) == ["spec.egress[0]"])
        #expect(found.rules.map(\.line) == [12])
    }

    @Test func `the reason tells the mode, the setting or the policy that decided`() throws {
        func reason(_ text: String, _ options: PolicyOptions = PolicyOptions(), client: String = "10.0.0.1") throws
            -> String
        {
            try explain(try Policies.snapshot(text, options: options), "a.b", client: client).reason
        }
        let deny = Policies.allowing("[{matchName: a.b}]", name: "no", egress: "egressDeny")
        let audit = Policies.allowing("[]", name: "au", annotations: "{dnsproxyd.io/enforcement: audit}")
        #expect(try reason("", client: "192.0.2.1") == "there is no policy document")
        #expect(try reason(policy, PolicyOptions(enforcement: .never)) == "enforcement is never")
        #expect(
            try reason(policy, PolicyOptions(unknownClients: .allow), client: "192.0.2.1")
                == "unknown clients are allowed")
        #expect(
            try reason(policy, client: "192.0.2.1")
                == "no identity has the client's address, and no policy selects reserved: unknown")
        #expect(try reason(policy, PolicyOptions(enforcement: .audit)) == "enforcement is audit; no rule allows it")
        #expect(try reason(policy, client: "10.0.0.2") == "no policy selects the identity")
        #expect(
            try reason("", PolicyOptions(enforcement: .always), client: "10.0.0.2")
                == "no policy selects the identity, and enforcement is always")
        #expect(try reason(policy + deny) == "production/no denies it")
        #expect(try reason(audit) == "it depends on a policy in audit")
    }

    @Test func `an explanation survives JSON`() throws {
        let found = try explain(try Policies.snapshot(policy), "api.stripe.com")
        let data = try JSONEncoder().encode(found)
        #expect(try JSONDecoder().decode(Explanation.self, from: data) == found)
    }

    @Test func `an identity can be asked about without a client address`() throws {
        let snapshot = try Policies.snapshot(policy)
        let found = snapshot.explain(identity: 2, name: try DomainName("cilium.io"), transport: .tcp)
        #expect(found.client == nil && found.outcome == .allowed && found.identityName == "api")
        #expect(snapshot.explain(identity: 99, name: .root, transport: .udp).identity == .unknown)
    }
}
