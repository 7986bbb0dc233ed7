import DNSWire
import FQDNPolicy
import Testing

/// `ClusterNetworkPolicy` of the Kubernetes network-policy API.
@Suite struct KubernetesPolicyTests {
    /// A policy with the given subject and flow-style egress rules.
    private func policy(
        _ egress: String, subject: String = "{namespaces: {}}", name: String = "k", annotations: String = "{}"
    ) -> String {
        """
        apiVersion: policy.networking.k8s.io/v1alpha2
        kind: ClusterNetworkPolicy
        metadata: {name: \(name), annotations: \(annotations)}
        spec:
          tier: Admin
          priority: 10
          subject: \(subject)
          egress: \(egress)
        ---

        """
    }

    /// A rule that accepts names, with further keys.
    private func accepting(_ names: String, _ more: String = "") -> String {
        "[{action: Accept, to: [{domainNames: \(names)}]\(more)}]"
    }

    @Test(
        arguments: [
            ("kubernetes.io", "kubernetes.io", true), ("kubernetes.io", "KUBERNETES.io", true),
            ("kubernetes.io.", "kubernetes.io", true), ("kubernetes.io", "www.kubernetes.io", false),
            ("kubernetes.io", "my-kubernetes.io", false), ("*.kubernetes.io", "www.kubernetes.io", true),
            ("*.kubernetes.io", "latest.blog.kubernetes.io", true), ("*.kubernetes.io", "a.b.c.d.kubernetes.io", true),
            ("*.kubernetes.io", "kubernetes.io", false), ("*.kubernetes.io", "my-kubernetes.io", false),
            ("*.kubernetes.io", "wikipedia.org", false), ("a_b.c-d.io", "a_b.c-d.io", true),
            ("*.KUBERNETES.io.", "www.kubernetes.io", true),
        ])
    func `a star in front means one or more labels in this dialect`(_ pattern: String, _ name: String, _ selected: Bool)
        throws
    {
        let snapshot = try Policies.snapshot(policy(accepting("[\"\(pattern)\"]")))
        #expect(try snapshot.verdict("10.0.0.1", name) == Verdict(outcome: .allowed, isSelected: selected))
        #expect(try snapshot.learned("10.0.0.1", name) == (selected ? ["k any port/ANY"] : []))
    }

    @Test(
        arguments: [
            ("com", "needs at least two labels"), ("*.com", "needs at least two labels"), ("*", "may have a star only"),
            ("**.a.b", "may have a star only"), ("a.*.b", "may have a star only"), ("a*.b", "may have a star only"),
            ("-a.b", "has a label that starts or ends"), ("a_.b", "has a label that starts or ends"),
            ("a..b", "has an empty label"), ("a/b.c", "contains \"/\""), (" a.b", "contains \" \""), ("", "is empty"),
            (".", "may"), ("*..a.b", "has an empty label"),
        ])
    func `what the dialect does not allow is refused in its words`(_ text: String, _ message: String) {
        let problems = Policies.load(policy(accepting("[\"\(text)\"]"))).problems
        #expect(problems.count == 1)
        let isExpected = problems.first.map { $0.message.contains(message) || text == "." } ?? false
        #expect(isExpected, "\(problems)")
        #expect(problems.first?.path == "spec.egress[0].to[0].domainNames[0]")
    }

    @Test func `the same text means another thing in each dialect`() throws {
        let cilium = Policies.policy(
            "  endpointSelector: {}\n  egress: [{toFQDNs: [{matchPattern: \"*.x.io\"}]}]\n  enableDefaultDeny: {egress: false}"
        )
        let snapshot = try Policies.snapshot(policy(accepting("[\"*.x.io\"]")) + cilium)
        #expect(try snapshot.learned("10.0.0.1", "a.x.io") == ["k any port/ANY", "production/p any port/ANY"])
        #expect(try snapshot.learned("10.0.0.1", "b.a.x.io") == ["k any port/ANY"])
    }

    @Test func `it never filters queries, whatever else is in force`() throws {
        let learned = policy(accepting("[a.b]"))
        #expect(try Policies.snapshot(learned).outcome("10.0.0.1", "c.d") == .allowed)
        // A daemon with nothing but such policies is open to unknown clients too.
        #expect(try Policies.snapshot(learned).outcome("192.0.2.1", "c.d") == .allowed)
        let both = try Policies.snapshot(learned + Policies.allowing("[{matchName: x.y}]"))
        #expect(try both.outcome("10.0.0.1", "a.b") == .denied)
        #expect(try both.outcome("10.0.0.1", "x.y") == .allowed)
        #expect(try both.outcome("10.0.0.2", "c.d") == .allowed)
        #expect(try both.outcome("192.0.2.1", "a.b") == .prohibited)
        let always = try Policies.snapshot(learned, options: PolicyOptions(enforcement: .always))
        #expect(try always.outcome("10.0.0.1", "a.b") == .denied)
    }

    @Test(
        arguments: [
            ("[{tcp: {destinationPort: {number: 443}}}]", "443/TCP"),
            ("[{udp: {destinationPort: {range: {start: 10, end: 20}}}}]", "10-20/UDP"),
            ("[{sctp: {}}]", "any port/SCTP"), ("[{tcp: {}}, {udp: {}}]", "any port/TCP any port/UDP"),
        ])
    func `protocols are the ports that are opened`(_ protocols: String, _ expected: String) throws {
        let snapshot = try Policies.snapshot(policy(accepting("[a.b]", ", protocols: \(protocols)")))
        #expect(try snapshot.learned("10.0.0.1", "a.b") == ["k \(expected)"])
    }

    @Test(
        arguments: [
            ("{namespaces: {}}", [true, true, true, true]),
            ("{namespaces: {matchLabels: {kubernetes.io/metadata.name: staging}}}", [false, false, true, false]),
            (
                "{namespaces: {matchExpressions: [{key: kubernetes.io/metadata.name, operator: NotIn, values: [default]}]}}",
                [true, true, true, false]
            ),
            ("{pods: {namespaceSelector: {}, podSelector: {matchLabels: {app: api}}}}", [true, false, true, false]),
            (
                "{pods: {namespaceSelector: {matchLabels: {kubernetes.io/metadata.name: production}}, podSelector: {}}}",
                [true, true, false, false]
            ),
            ("{namespaces: {matchLabels: {team: a}}}", [false, false, false, false]),
        ])
    func `the subject selects by labels of namespaces and pods`(_ subject: String, _ expected: [Bool]) throws {
        let snapshot = try Policies.snapshot(policy(accepting("[a.b]"), subject: subject))
        let found = try ["10.0.0.1", "10.0.0.2", "10.0.1.1", "10.9.0.1"].map {
            try snapshot.verdict($0, "a.b").isSelected
        }
        #expect(found == expected)
        #expect(try !snapshot.verdict("192.0.2.1", "a.b").isSelected)
    }

    @Test func `labels of a namespace are those that identities carry in Cilium's form`() throws {
        let snapshot = try Policies.snapshot(
            policy(accepting("[a.b]"), subject: "{namespaces: {matchLabels: {team: a}}}"),
            identities: """
                identities:
                - {name: x, labels: {io.cilium.k8s.namespace.labels.team: a}, addresses: [10.0.0.1]}
                - {name: y, labels: {team: a}, addresses: [10.0.0.2]}
                """)
        #expect(try snapshot.verdict("10.0.0.1", "a.b").isSelected)
        #expect(try !snapshot.verdict("10.0.0.2", "a.b").isSelected)
    }

    @Test func `all mistakes of a document are reported at once`() {
        let (snapshot, problems) = Policies.load(
            """
            apiVersion: policy.networking.k8s.io/v1alpha1
            kind: ClusterNetworkPolicy
            metadata: {name: k, namespace: x}
            spec:
              tier: admin
              priority: 1001
              subject: {namespaces: {}, pods: {namespaceSelector: {}}}
              egress:
              - {action: Allow, to: [{domainNames: [a.b]}], ports: []}
              - {action: Deny, to: [{domainNames: [a.b]}]}
              - {action: Accept, to: [{domainNames: [a.b], networks: [10.0.0.0/8]}, {}]}
              - action: Accept
                to: [{domainNames: a.b}]
                protocols:
                - {tcp: {destinationPort: {number: 0}}}
                - {tcp: {destinationPort: {range: {start: 9, end: 9}}}}
                - {tcp: {}, udp: {}}
                - {tcp: {destinationPort: {}}}
            """)
        #expect(snapshot == nil)
        let expected: Set<String> = [
            #"1:13 apiVersion: unknown version "policy.networking.k8s.io/v1alpha1"; expected policy.networking.k8s.io/v1alpha2"#,
            "3:32 metadata.namespace: a ClusterNetworkPolicy has no namespace",
            #"5:9 spec.tier: unknown value "admin" (did you mean "Admin"?); expected one of Admin, Baseline"#,
            #"6:13 spec.priority: expected a whole number from 0 to 1000, found "1001""#,
            "7:12 spec.subject: has exactly one of namespaces and pods",
            #"9:14 spec.egress[0].action: unknown value "Allow"; expected one of Accept, Deny, Pass"#,
            "9:40 spec.egress[0].to[0].domainNames: domainNames are only possible in rules with the action Accept",
            #"9:49 spec.egress[0]: unknown key "ports""#,
            "10:39 spec.egress[1].to[0].domainNames: domainNames are only possible in rules with the action Accept",
            "11:27 spec.egress[2].to[0]: has exactly one of domainNames, namespaces, pods, nodes and networks",
            "11:73 spec.egress[2].to[1]: has exactly one of domainNames, namespaces, pods, nodes and networks",
            "13:24 spec.egress[3].to[0].domainNames: expected a list, found text",
            #"15:40 spec.egress[3].protocols[0].tcp.destinationPort.number: expected a whole number from 1 to 65535, found "0""#,
            "16:39 spec.egress[3].protocols[1].tcp.destinationPort.range: start 9 is not below end 9",
            "17:7 spec.egress[3].protocols[2]: has exactly one of tcp, udp, sctp and destinationNamedPort",
            "18:31 spec.egress[3].protocols[3].tcp.destinationPort: has neither number nor range",
        ]
        let found = Set(problems.map { "\($0.line):\($0.column) \($0.path): \($0.message)" })
        #expect(found.subtracting(expected).sorted() == [], "unexpected")
        #expect(expected.subtracting(found).sorted() == [], "missing")
    }

    @Test func `what is not about names is said to be not enforced`() throws {
        let (snapshot, problems) = Policies.load(
            policy(
                "[{action: Deny, to: [{networks: [0.0.0.0/0]}]}, {action: Pass, to: [{pods: {podSelector: {}}}]}]"))
        #expect(snapshot != nil)
        #expect(problems.map(\.severity) == [.notice, .notice])
        #expect(problems.map(\.path) == ["spec.egress[0]", "spec.egress[1]"])
    }

    @Test func `its rules are explained and listed in its own dialect`() throws {
        let snapshot = try Policies.snapshot(policy(accepting("[\"*.x.io\", y.io]")))
        #expect(
            snapshot.listRules(identity: 2, limit: 9).rules.map(\.rule) == [
                #"domainNames: "*.x.io""#, #"domainNames: "y.io""#,
            ])
        let found = snapshot.explain(identity: 2, name: try DomainName("b.a.x.io"), transport: .udp)
        #expect(found.reason == "no policy selects the identity")
        #expect(found.policies == ["k"])
        #expect(found.learned.map(\.policy) == ["k"])
    }
}
