import DNSWire
import FQDNPolicy
import Testing

@Suite struct PolicyReadingTests {
    /// A problem without its file, which is always the same.
    private func texts(_ problems: [DocumentProblem]) -> [String] {
        problems.map { $0.description.replacing("policy.yaml:", with: "") }
    }

    @Test func `a document as users write it is read without complaint`() throws {
        let (snapshot, problems) = Policies.load(
            """
            apiVersion: "cilium.io/v2"
            kind: CiliumNetworkPolicy
            metadata:
              name: "fqdn"
              namespace: production
              labels: {team: a}
              uid: 1234
            spec:
              description: Allow the API to call out
              endpointSelector:
                matchLabels:
                  "k8s:app": api
                  any:tier: backend
                  k8s:io.kubernetes.pod.namespace: production
              egress:
                - toEndpoints:
                    - matchLabels:
                        "k8s:io.kubernetes.pod.namespace": kube-system
                        "k8s:k8s-app": kube-dns
                  toPorts:
                    - ports:
                        - port: "53"
                          protocol: ANY
                      rules:
                        dns:
                          - matchPattern: "*.cilium.io"
                          - matchName: "cilium.io"
                - toFQDNs:
                    - matchPattern: "*.cilium.io"
                  toPorts:
                    - ports:
                        - port: "443"
                          protocol: TCP
            """)
        #expect(problems == [])
        let loaded = try #require(snapshot)
        #expect(try loaded.verdict("10.0.0.1", "a.cilium.io") == Verdict(outcome: .allowed, isSelected: true))
        #expect(try loaded.outcome("10.0.0.1", "a.b") == .denied)
        #expect(try loaded.outcome("10.0.1.1", "a.b") == .allowed)
        #expect(loaded.policyCount == 1 && loaded.ruleCount == 3)
    }

    @Test func `all mistakes of all documents are reported at once`() {
        let (snapshot, problems) = Policies.load(
            """
            apiVersion: cilium.io/v2
            kind: CiliumNetworkPolicy
            metadata: {name: p, annotations: {dnsproxyd.io/enforcement: of, dnsproxyd.io/enforcment: audit, other: x}}
            spec:
              endpointSelector: {matchLabels: [a], matchExpressions: [{key: a, operator: in}, {operator: Exists}]}
              egres: []
              egress:
              - toPorts:
                - ports: [{port: "65536"}, {port: 10, endPort: 5}, {port: "5 3"}, {port: 53, protocol: UPD}, {}]
                  rules:
                    dns:
                    - matchName: "*.x"
                    - {matchName: a, matchPattern: b}
                    - {}
                    - matchPattern: a..b
                    - matchPatern: x
                    - x
            ---
            kind: CiliumNetworkPolicies
            ---
            apiVersion: cilium.io/v3
            kind: CiliumClusterwideNetworkPolicy
            metadata: {namespace: x}
            ---
            kind: ClusterNetworkPolcy
            ---
            {}
            ---
            [a]
            """)
        #expect(snapshot == nil)
        let kinds =
            "known are CiliumNetworkPolicy, CiliumClusterwideNetworkPolicy, ClusterNetworkPolicy, "
            + "and identities documents without kind"
        let dns = "spec.egress[0].toPorts[0].rules.dns"
        let ports = "spec.egress[0].toPorts[0].ports"
        let oneOf = "an entry has exactly one of them"
        let expected: Set<String> = [
            #"3:61: error: metadata.annotations.dnsproxyd.io/enforcement: unknown value "of"; expected one of enforce, audit"#,
            #"3:65: error: metadata.annotations: unknown key "dnsproxyd.io/enforcment""#,
            "5:35: error: spec.endpointSelector.matchLabels: expected a mapping of keys and values, found a list",
            #"5:78: error: spec.endpointSelector.matchExpressions[0].operator: unknown value "in" (did you mean "In"?); expected one of In, NotIn, Exists, DoesNotExist"#,
            #"5:83: error: spec.endpointSelector.matchExpressions[1]: "key" is missing"#,
            #"6:3: error: spec: unknown key "egres""#,
            #"9:22: error: \#(ports)[0].port: expected a whole number from 0 to 65535, found "65536""#,
            "9:52: error: \(ports)[1].endPort: endPort 5 is below port 10",
            #"9:63: error: \#(ports)[2].port: expected a port number from 0 to 65535 or a port name, found "5 3""#,
            #"9:92: error: \#(ports)[3].protocol: unknown protocol "UPD" (did you mean "UDP"?); expected one of TCP, UDP, SCTP, ICMP, ICMPV6, VRRP, IGMP, ANY"#,
            #"9:98: error: \#(ports)[4]: "port" is missing"#,
            #"12:22: error: \#(dns)[0].matchName: "*.x" contains a star: a matchName is one exact name, use matchPattern"#,
            "13:11: error: \(dns)[1]: has both matchName and matchPattern; \(oneOf)",
            "14:11: error: \(dns)[2]: has neither matchName nor matchPattern; \(oneOf)",
            #"15:25: error: \#(dns)[3].matchPattern: "a..b" has an empty label: two dots in a row, or a dot at the start"#,
            "16:11: error: \(dns)[4]: has neither matchName nor matchPattern; \(oneOf)",
            #"16:11: error: \#(dns)[4]: unknown key "matchPatern" (did you mean "matchPattern"?)"#,
            "17:11: error: \(dns)[5]: expected a mapping of keys and values, found text",
            #"19:7: error: kind: unknown kind "CiliumNetworkPolicies"; \#(kinds)"#,
            #"21:13: error: apiVersion: unknown version "cilium.io/v3"; expected cilium.io/v2"#,
            #"23:11: error: metadata: "name" is missing"#,
            #"21:1: error: "spec" is missing"#,
            "23:23: error: metadata.namespace: a clusterwide policy has no namespace",
            #"25:7: error: kind: unknown kind "ClusterNetworkPolcy" (did you mean "ClusterNetworkPolicy"?); \#(kinds)"#,
            #"27:1: error: "kind" is missing; \#(kinds)"#,
            "29:1: error: expected a policy or an identities document, found a list",
        ]
        let found = Set(texts(problems))
        #expect(found.subtracting(expected) == [], "unexpected")
        #expect(expected.subtracting(found) == [], "missing")
    }

    @Test func `parts that are not about names are accepted, and said to be not enforced`() throws {
        let (snapshot, problems) = Policies.load(
            Policies.policy(
                """
                  endpointSelector: {}
                  ingress: [{fromEndpoints: [{}], toPorts: [{ports: [{port: "80"}]}]}]
                  egress:
                  - toEndpoints: [{}]
                    toPorts: [{ports: [{port: "80", protocol: TCP}], rules: {http: [{method: GET}]}}]
                  - toPorts: [{ports: [{port: "53"}], serverNames: [a.b], rules: {dns: [{matchName: a.b}]}}]
                  egressDeny:
                  - toCIDR: [169.254.0.0/16]
                """)
                    + """
                    apiVersion: cilium.io/v2
                    kind: CiliumClusterwideNetworkPolicy
                    metadata: {name: nodes}
                    spec: {nodeSelector: {}, ingress: []}
                    """)
        #expect(snapshot != nil)
        #expect(problems.allSatisfy { $0.severity == .notice })
        #expect(
            problems.map(\.path) == [
                "spec.ingress", "spec.egress[0].toPorts[0].rules.http", "spec.egress[0]",
                "spec.egress[1].toPorts[0].serverNames", "spec.egressDeny[0]", "spec.ingress", "spec.nodeSelector",
            ])
        #expect(problems.first?.message == "not enforced here: this daemon decides about names only [not-enforced]")
    }

    @Test func `what probably does not do what was meant is a warning`() throws {
        let (snapshot, problems) = Policies.load(
            Policies.policy(
                """
                  endpointSelector: {}
                  egress:
                  - toEntities: [cluster]
                  - toPorts: [{ports: [{port: "5353"}], rules: {dns: [{matchName: a.b}]}}]
                  - toPorts: [{ports: [{port: "53"}], rules: {dns: []}}]
                  - toFQDNs: [{matchName: a.b}]
                    toPorts: [{ports: [{port: https, protocol: TCP}]}]
                """))
        #expect(
            Set(problems.filter { $0.severity == .warning }.map { "\($0.line) \($0.message.prefix(24))" })
                == [
                    "7 has no toPorts, and the ", "8 has no effect: the ports", "9 an empty list of names m",
                    "11 the named port \"https\" i",
                ])
        let loaded = try #require(snapshot)
        #expect(try loaded.learned("10.0.0.1", "a.b") == [])
        #expect(try !loaded.verdict("10.0.0.1", "a.b").isSelected)
    }

    @Test(arguments: ["k8s:io.kubernetes.pod.namespace", "io.kubernetes.pod.namespace"])
    func `a policy applies in its own namespace, whatever namespace its matchLabels name`(_ key: String) throws {
        let (snapshot, problems) = Policies.load(
            Policies.policy(
                """
                  endpointSelector: {matchLabels: {app: api, "\(key)": staging}}
                  egress: [{toPorts: [{ports: [{port: "53"}], rules: {dns: [{matchName: a.b}]}}]}]
                """))
        let loaded = try #require(snapshot)
        #expect(try loaded.verdict("10.0.0.1", "c.d").outcome == .denied)
        #expect(try loaded.verdict("10.0.1.1", "c.d").outcome == .allowed)
        #expect(
            problems.map(\.severity) == [.warning] && problems[0].message.hasPrefix(#""staging" is not"#), "\(problems)"
        )
    }

    @Test func `two documents of one name are an error that names both places`() {
        let (_, problems) = Policies.load(Policies.allowing("[]") + Policies.allowing("[]"))
        #expect(
            problems.filter { $0.severity == .error }.map(\.description) == [
                #"policy.yaml:13:18: error: metadata.name: the CiliumNetworkPolicy "production/p" is already at policy.yaml:3"#
            ])
        #expect(
            !Policies.load(Policies.allowing("[]", name: "a") + Policies.allowing("[]", name: "b")).problems.hasErrors)
    }

    // MARK: Selectors

    /// A selector and the clients that it selects, of 10.0.0.1, 10.0.0.2, 10.0.0.3, 10.0.1.1 and 10.9.0.1.
    struct SelectorCase: Sendable {
        /// The flow-style selector.
        let selector: String
        /// Which of the five are selected by a clusterwide policy.
        let clusterwide: [Bool]
        /// Which are by one of the namespace `production`.
        let namespaced: [Bool]

        /// A case from its parts; a 1 stands for a selected client. A namespaced policy selects those of its namespace, unless
        /// told otherwise.
        init(_ selector: String, _ selected: [Int], namespaced: [Int]? = nil) {
            self.selector = selector
            clusterwide = selected.map { $0 == 1 }
            self.namespaced = (namespaced ?? zip(selected, [1, 1, 1, 0, 0]).map { $0 & $1 }).map { $0 == 1 }
        }
    }

    @Test(
        arguments: [
            SelectorCase("{}", [1, 1, 1, 1, 1]),
            SelectorCase("{matchLabels: {}}", [1, 1, 1, 1, 1]),
            SelectorCase("{matchLabels: {app: api}}", [1, 0, 0, 1, 0]),
            SelectorCase("{matchLabels: {'k8s:app': api, 'any:tier': backend}}", [1, 0, 0, 0, 0]),
            SelectorCase("{matchLabels: {app: web}}", [0, 1, 1, 0, 0]),
            SelectorCase("{matchLabels: {name: host}}", [0, 0, 0, 0, 1]),
            SelectorCase("{matchLabels: {name: api}}", [0, 0, 0, 0, 0]),
            SelectorCase(
                "{matchLabels: {io.kubernetes.pod.namespace: staging}}", [0, 0, 0, 1, 0], namespaced: [1, 1, 1, 0, 0]),
            SelectorCase(
                "{matchExpressions: [{key: io.kubernetes.pod.namespace, operator: In, values: [staging]}]}",
                [0, 0, 0, 1, 0]),
            SelectorCase("{matchLabels: {'k8s:io.kubernetes.pod.namespace': production, app: api}}", [1, 0, 0, 0, 0]),
            SelectorCase(
                "{matchLabels: {'k8s:io.cilium.k8s.namespace.labels.kubernetes.io/metadata.name': default}}",
                [0, 0, 0, 0, 1]),
            SelectorCase("{matchExpressions: [{key: app, operator: In, values: [api, web]}]}", [1, 1, 1, 1, 0]),
            SelectorCase("{matchExpressions: [{key: app, operator: NotIn, values: [web]}]}", [1, 0, 0, 1, 1]),
            SelectorCase("{matchExpressions: [{key: tier, operator: Exists}]}", [1, 0, 0, 0, 0]),
            SelectorCase(
                "{matchExpressions: [{key: 'k8s:tier', operator: DoesNotExist, values: []}]}", [0, 1, 1, 1, 1]),
            SelectorCase(
                "{matchLabels: {app: api}, matchExpressions: [{key: tier, operator: DoesNotExist}]}", [0, 0, 0, 1, 0]),
            SelectorCase(
                "{matchExpressions: [{key: io.kubernetes.pod.namespace, operator: NotIn, values: [staging, default]}]}",
                [1, 1, 1, 0, 0]),
            SelectorCase("{matchLabels: {app: API}}", [0, 0, 0, 0, 0]),
        ])
    func `a selector selects by labels, a namespaced policy only in its namespace`(_ each: SelectorCase) throws {
        let clients = ["10.0.0.1", "10.0.0.2", "10.0.0.3", "10.0.1.1", "10.9.0.1"]
        let spec = "  endpointSelector: \(each.selector)\n  egress: [{}]"
        let wide = try Policies.snapshot(
            "apiVersion: cilium.io/v2\nkind: CiliumClusterwideNetworkPolicy\nmetadata: {name: w}\nspec:\n\(spec)\n")
        let wideSelection = try clients.map { try wide.outcome($0, "a.b") == .denied }
        #expect(wideSelection == each.clusterwide)
        let narrow = try Policies.snapshot(Policies.policy(spec, namespace: "production"))
        let narrowSelection = try clients.map { try narrow.outcome($0, "a.b") == .denied }
        #expect(narrowSelection == each.namespaced)
    }

    @Test func `a policy without namespace is one of the namespace default`() throws {
        let snapshot = try Policies.snapshot(
            "apiVersion: cilium.io/v2\nkind: CiliumNetworkPolicy\nmetadata: {name: d}\n"
                + "spec: {endpointSelector: {}, egress: [{}]}\n")
        #expect(try snapshot.outcome("10.9.0.1", "a.b") == .denied)
        #expect(try snapshot.outcome("10.0.0.1", "a.b") == .allowed)
    }
}
