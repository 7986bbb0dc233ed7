import DNSWire
import FQDNPolicy
import Testing

@Suite struct VerdictTests {
    @Test func `without any policy everyone may ask for everything`() throws {
        let snapshot = try Policies.snapshot("")
        #expect(try snapshot.outcome("10.0.0.1", "a.b") == .allowed)
        #expect(try snapshot.outcome("192.0.2.1", "a.b") == .allowed)
        #expect(snapshot.policyCount == 0)
    }

    @Test func `a selected identity may ask for what is allowed and nothing else`() throws {
        let snapshot = try Policies.snapshot(
            Policies.allowing(#"[{matchName: cilium.io}, {matchPattern: "*.stripe.com"}]"#))
        #expect(try snapshot.outcome("10.0.0.1", "cilium.io") == .allowed)
        #expect(try snapshot.outcome("fd00::1", "API.Stripe.com", .tcp) == .allowed)
        #expect(try snapshot.outcome("10.0.0.1", "stripe.com") == .denied)
        #expect(try snapshot.outcome("10.0.0.1", ".") == .denied)
        #expect(try snapshot.outcome("10.0.0.2", "anything.at.all") == .allowed)
        #expect(try snapshot.outcome("10.0.1.9", "anything.at.all") == .allowed)
        #expect(try snapshot.outcome("192.0.2.1", "cilium.io") == .prohibited)
        #expect(snapshot.ruleCount == 2)
    }

    /// What the port entry of a rule with `matchName: a.b` says, and the outcomes over UDP and TCP.
    struct PortCase: Sendable {
        /// The flow-style content of `toPorts`.
        let toPorts: String
        /// The outcome over UDP.
        let udp: Verdict.Outcome
        /// The outcome over TCP.
        let tcp: Verdict.Outcome

        /// A case from its parts.
        init(_ toPorts: String, _ udp: Verdict.Outcome, _ tcp: Verdict.Outcome) {
            self.toPorts = toPorts
            self.udp = udp
            self.tcp = tcp
        }
    }

    /// Port entries and what they allow, each with three forms of peers: 72 cases.
    static let portCases: [PortCase] = [
        PortCase(#"[{ports: [{port: "53", protocol: UDP}]}]"#, .allowed, .denied),
        PortCase(#"[{ports: [{port: "53", protocol: TCP}]}]"#, .denied, .allowed),
        PortCase(#"[{ports: [{port: "53", protocol: ANY}]}]"#, .allowed, .allowed),
        PortCase(#"[{ports: [{port: "53"}]}]"#, .allowed, .allowed),
        PortCase(#"[{ports: [{port: 53, protocol: udp}]}]"#, .allowed, .denied),
        PortCase(#"[{ports: [{port: "53", protocol: UDP}, {port: "53", protocol: TCP}]}]"#, .allowed, .allowed),
        PortCase(#"[{ports: [{port: "1", endPort: 52}]}]"#, .denied, .denied),
        PortCase(#"[{ports: [{port: "1", endPort: 53}]}]"#, .allowed, .allowed),
        PortCase(#"[{ports: [{port: "53", endPort: 100, protocol: TCP}]}]"#, .denied, .allowed),
        PortCase(#"[{ports: [{port: "54", endPort: 100}]}]"#, .denied, .denied),
        PortCase(#"[{ports: [{port: "0"}]}]"#, .allowed, .allowed),
        PortCase(#"[{ports: [{port: "0", protocol: UDP}]}]"#, .allowed, .denied),
        PortCase(#"[{ports: [{port: "443", protocol: TCP}]}]"#, .denied, .denied),
        PortCase(#"[{ports: [{port: "53", protocol: SCTP}]}]"#, .denied, .denied),
        PortCase(#"[{ports: [{port: dns, protocol: UDP}, {port: dns-tcp, protocol: TCP}]}]"#, .allowed, .allowed),
        PortCase(#"[{ports: [{port: http}]}]"#, .denied, .denied),
        PortCase(#"[{}]"#, .allowed, .allowed),
        PortCase(#"[{ports: []}]"#, .allowed, .allowed),
        PortCase(#"[{ports: [{port: "53"}], rules: {dns: [{matchName: a.b}]}}]"#, .allowed, .allowed),
        PortCase(#"[{ports: [{port: "53"}], rules: {dns: [{matchName: c.d}]}}]"#, .denied, .denied),
        PortCase(#"[{ports: [{port: "53"}], rules: {dns: []}}]"#, .denied, .denied),
        PortCase(
            #"[{ports: [{port: "53", protocol: TCP}], rules: {dns: [{matchPattern: "*"}]}}]"#, .denied, .allowed),
        PortCase(#"[{ports: [{port: "80"}], rules: {dns: [{matchPattern: "*"}]}}]"#, .denied, .denied),
        PortCase(#"[{rules: {dns: [{matchPattern: "a.*"}]}}]"#, .allowed, .allowed),
    ]

    @Test(arguments: portCases)
    func `a port entry allows queries when it covers 53 with the transport`(_ each: PortCase) throws {
        for peers in [
            "", "  - toEndpoints: [{matchLabels: {k8s-app: kube-dns}}]\n  ", "  - toCIDR: [10.96.0.10/32]\n  ",
        ] {
            let start = peers.isEmpty ? "  - toPorts:" : "\(peers)  toPorts:"
            let snapshot = try Policies.snapshot(
                Policies.policy("  endpointSelector: {}\n  egress:\n\(start) \(each.toPorts)\n"))
            #expect(try snapshot.outcome("10.0.0.1", "a.b", .udp) == each.udp)
            #expect(try snapshot.outcome("10.0.0.1", "a.b", .tcp) == each.tcp)
        }
    }

    /// Rules of every form, and what becomes of a query for `a.b`: 45 cases.
    static let ruleCases: [(String, Verdict.Outcome)] = [
        ("egress: [{}]", .denied),
        ("egress: []", .allowed),
        ("egressDeny: []", .allowed),
        ("ingress: [{fromEndpoints: [{}]}]", .allowed),
        ("egress: [{toEntities: [all]}]", .allowed),
        ("egress: [{toEntities: [world, cluster]}]", .allowed),
        ("egress: [{toEntities: [host]}]", .allowed),
        ("egress: [{toEntities: [world]}]", .denied),
        ("egress: [{toEntities: [kube-apiserver, remote-node]}]", .denied),
        ("egress: [{toCIDR: [0.0.0.0/0]}]", .denied),
        ("egress: [{toCIDRSet: [{cidr: 10.96.0.10/32}]}]", .denied),
        ("egress: [{toServices: [{k8sService: {serviceName: kube-dns, namespace: kube-system}}]}]", .denied),
        ("egress: [{toEndpoints: [{}]}]", .denied),
        ("egress: [{toEndpoints: [{matchLabels: {app: db}}]}]", .denied),
        ("egress: [{toEndpoints: [{matchLabels: {k8s-app: kube-dns}}]}]", .denied),
        (
            "egress: [{toEndpoints: [{matchLabels: {k8s-app: kube-dns, io.kubernetes.pod.namespace: kube-system}}]}]",
            .allowed
        ),
        (
            "egress: [{toEndpoints: [{matchLabels: {'k8s:k8s-app': node-local-dns, 'k8s:io.kubernetes.pod.namespace': kube-system}}]}]",
            .allowed
        ),
        ("egress: [{toEndpoints: [{matchLabels: {io.kubernetes.pod.namespace: kube-system}}]}]", .allowed),
        (
            "egress: [{toEndpoints: [{matchLabels: {k8s-app: metrics, io.kubernetes.pod.namespace: kube-system}}]}]",
            .denied
        ),
        (
            "egress: [{toEndpoints: [{matchExpressions: [{key: io.kubernetes.pod.namespace, operator: Exists}]}]}]",
            .allowed
        ),
        ("egress: [{toEntities: [world], toPorts: [{ports: [{port: 53}]}]}]", .allowed),
        ("egress: [{toEntities: [world], toPorts: [{ports: [{port: 443}]}]}]", .denied),
        ("egress: [{toEndpoints: []}]", .denied),
        ("egress: [{toEndpoints: [], toPorts: [{ports: [{port: 53}]}]}]", .denied),
        ("egress: [{toFQDNs: [{matchName: a.b}]}]", .denied),
        ("egress: [{toFQDNs: [{matchName: a.b}], toPorts: [{ports: [{port: 53}]}]}]", .denied),
        (
            "egress: [{toFQDNs: [{matchName: a.b}], toPorts: [{ports: [{port: 53}], rules: {dns: [{matchName: a.b}]}}]}]",
            .allowed
        ),
        ("egress: [{toFQDNs: [{matchName: a.b}]}]\n  enableDefaultDeny: {egress: false}", .allowed),
        ("ingress: []\n  enableDefaultDeny: {egress: true}", .denied),
        ("egressDeny: [{toEndpoints: [{}]}]", .denied),
        ("egressDeny: [{toEntities: [all]}]\n  egress: [{toEntities: [all]}]", .denied),
        ("egressDeny: [{toEntities: [world]}]\n  egress: [{toEntities: [all]}]", .allowed),
        (
            "egressDeny: [{toEntities: [world], toPorts: [{ports: [{port: 53}]}]}]\n  egress: [{toEntities: [all]}]",
            .allowed
        ),
        (
            "egressDeny: [{toEntities: [world], toPorts: [{rules: {dns: [{matchName: a.b}]}}]}]\n  egress: [{toEntities: [all]}]",
            .denied
        ),
        ("egressDeny: [{toCIDR: [169.254.0.0/16]}]\n  egress: [{toEntities: [all]}]", .allowed),
        (
            "egressDeny: [{toPorts: [{ports: [{port: 53, protocol: TCP}]}]}]\n  egress: [{toEntities: [all]}]",
            .allowed
        ),
        ("egressDeny: [{toPorts: [{ports: [{port: 53}]}]}]\n  egress: [{toEntities: [all]}]", .denied),
        (
            "egressDeny: [{toEndpoints: [{}], toPorts: [{ports: [{port: 53}]}]}]\n  egress: [{toEntities: [all]}]",
            .allowed
        ),
        ("egressDeny: [{toPorts: [{rules: {dns: [{matchName: a.b}]}}]}]\n  egress: [{toEntities: [all]}]", .denied),
        (
            "egressDeny: [{toPorts: [{rules: {dns: [{matchPattern: '*.b'}]}}]}]\n  egress: [{toEntities: [all]}]",
            .denied
        ),
        ("egressDeny: [{toPorts: [{rules: {dns: [{matchName: b}]}}]}]\n  egress: [{toEntities: [all]}]", .allowed),
        ("egressDeny: [{toFQDNs: [{matchName: a.b}]}]\n  egress: [{toEntities: [all]}]", .allowed),
        ("egress: [{toEntities: [all], icmps: [{fields: [{type: 8, family: IPv4}]}]}]", .denied),
        ("egress: [{toEntities: [all], icmps: []}]", .allowed),
        (
            "egressDeny: [{toEntities: [all], icmps: [{fields: [{type: 8, family: IPv4}]}]}]\n  egress: [{toEntities: [all]}]",
            .allowed
        ),
    ]

    @Test func `the tables have the sizes that their comments say`() {
        #expect(VerdictTests.portCases.count * 3 == 72 && VerdictTests.ruleCases.count == 45)
    }

    @Test(arguments: ruleCases)
    func `rules of every form allow or deny as documented`(_ rules: String, _ expected: Verdict.Outcome) throws {
        let snapshot = try Policies.snapshot(Policies.policy("  endpointSelector: {}\n  \(rules)\n"))
        #expect(try snapshot.outcome("10.0.0.1", "a.b", .udp) == expected)
    }

    @Test func `rules of several policies and specs add up, whatever their order`() throws {
        let first = Policies.allowing("[{matchName: a.x}]", name: "one")
        let second = Policies.allowing("[{matchName: b.x}]", name: "two")
        let specs = """
            apiVersion: cilium.io/v2
            kind: CiliumClusterwideNetworkPolicy
            metadata: {name: wide}
            specs:
            - endpointSelector: {matchLabels: {app: api}}
              egress: [{toPorts: [{rules: {dns: [{matchName: c.x}]}}]}]
            - endpointSelector: {matchLabels: {app: web}}
              egress: [{toPorts: [{rules: {dns: [{matchName: d.x}]}}]}]
            ---

            """
        for text in [first + second + specs, specs + second + first] {
            let snapshot = try Policies.snapshot(text)
            for (name, expected) in [("a.x", true), ("b.x", true), ("c.x", true), ("d.x", false)] {
                #expect(try snapshot.verdict("10.0.0.1", name).isAnswered == expected, "\(name)")
            }
            #expect(try snapshot.outcome("10.0.0.2", "d.x") == .allowed)
            #expect(try snapshot.outcome("10.0.0.2", "a.x") == .denied)
            #expect(try snapshot.outcome("10.0.1.1", "c.x") == .allowed)
            #expect(try snapshot.outcome("10.0.1.1", "a.x") == .denied)
        }
    }

    @Test func `denying wins over allowing, in the same and in another policy`() throws {
        let snapshot = try Policies.snapshot(
            Policies.allowing(#"[{matchPattern: "**.x"}]"#, name: "one")
                + Policies.allowing("[{matchName: bad.x}]", name: "two", egress: "egressDeny"))
        #expect(try snapshot.outcome("10.0.0.1", "good.x") == .allowed)
        #expect(try snapshot.outcome("10.0.0.1", "bad.x") == .denied)
        #expect(try snapshot.outcome("10.0.0.1", "a.bad.x") == .allowed)
    }

    @Test func `a denial of one transport leaves the other`() throws {
        let snapshot = try Policies.snapshot(
            Policies.allowing(#"[{matchPattern: "*"}]"#, name: "one")
                + Policies.policy(
                    """
                      endpointSelector: {}
                      egressDeny:
                      - toPorts: [{ports: [{port: 53, protocol: TCP}], rules: {dns: [{matchName: a.b}]}}]
                    """, name: "two"))
        #expect(try snapshot.outcome("10.0.0.1", "a.b", .udp) == .allowed)
        #expect(try snapshot.outcome("10.0.0.1", "a.b", .tcp) == .denied)
    }

    // MARK: Modes

    @Test(
        arguments: [
            (.default, .allowed, .denied, .allowed, .prohibited),
            (.always, .allowed, .denied, .denied, .prohibited),
            (.never, .allowed, .allowed, .allowed, .allowed),
            (.audit, .allowed, .audited, .allowed, .audited),
        ] as [(EnforcementMode, Verdict.Outcome, Verdict.Outcome, Verdict.Outcome, Verdict.Outcome)])
    func `the enforcement mode decides when rules bind`(
        _ mode: EnforcementMode, _ allowed: Verdict.Outcome, _ denied: Verdict.Outcome,
        _ unselected: Verdict.Outcome, _ unknown: Verdict.Outcome
    ) throws {
        let snapshot = try Policies.snapshot(
            Policies.allowing("[{matchName: a.b}]"), options: PolicyOptions(enforcement: mode))
        #expect(try snapshot.outcome("10.0.0.1", "a.b") == allowed)
        #expect(try snapshot.outcome("10.0.0.1", "c.d") == denied)
        #expect(try snapshot.outcome("10.0.0.2", "c.d") == unselected)
        #expect(try snapshot.outcome("192.0.2.1", "a.b") == unknown)
    }

    @Test func `always denies everyone when there is no policy`() throws {
        let snapshot = try Policies.snapshot("", options: PolicyOptions(enforcement: .always))
        #expect(try snapshot.outcome("10.0.0.1", "a.b") == .denied)
        #expect(try snapshot.outcome("192.0.2.1", "a.b") == .denied)
    }

    @Test func `unknown clients are refused, allowed by setting, or judged by a policy that selects them`() throws {
        let policy = Policies.allowing("[{matchName: a.b}]")
        let open = PolicyOptions(unknownClients: .allow)
        #expect(try Policies.snapshot(policy).outcome("192.0.2.1", "a.b") == .prohibited)
        #expect(try Policies.snapshot(policy, options: open).outcome("192.0.2.1", "c.d") == .allowed)
        for selector in [
            "{matchLabels: {reserved: unknown}}", "{matchLabels: {'reserved:unknown': ''}}",
            "{matchLabels: {'k8s:reserved': unknown}}", "{matchLabels: {'reserved:unknown': }}",
            "{matchExpressions: [{key: reserved, operator: In, values: [unknown, world]}]}",
            "{matchExpressions: [{key: reserved, operator: Exists}]}",
        ] {
            let wide = """
                apiVersion: cilium.io/v2
                kind: CiliumClusterwideNetworkPolicy
                metadata: {name: unknown}
                spec:
                  endpointSelector: \(selector)
                  egress: [{toPorts: [{rules: {dns: [{matchName: a.b}]}}]}]
                """
            for options in [PolicyOptions(), open] {
                let snapshot = try Policies.snapshot(wide, options: options)
                #expect(try snapshot.outcome("192.0.2.1", "a.b") == .allowed, "\(selector)")
                #expect(try snapshot.outcome("192.0.2.1", "c.d") == .denied, "\(selector)")
                #expect(try snapshot.outcome("10.0.0.1", "c.d") == .allowed, "\(selector)")
            }
        }
    }

    @Test(
        arguments: [
            "{}", "{matchExpressions: [{key: app, operator: DoesNotExist}]}",
            "{matchExpressions: [{key: reserved, operator: NotIn, values: [host]}]}", "{matchLabels: {app: unknown}}",
        ])
    func `only a selector that names the label reserved means unknown clients`(_ selector: String) throws {
        let snapshot = try Policies.snapshot(
            """
            apiVersion: cilium.io/v2
            kind: CiliumClusterwideNetworkPolicy
            metadata: {name: all}
            spec:
              endpointSelector: \(selector)
              egress: [{toEntities: [all]}]
            """)
        #expect(try snapshot.outcome("192.0.2.1", "a.b") == .prohibited)
    }

    @Test func `a policy in audit never causes a denial, and what depends on it is reported`() throws {
        let audit = #"{dnsproxyd.io/enforcement: audit}"#
        let one = Policies.allowing("[{matchName: a.x}, {matchName: b.x}]", name: "one")
        let two = Policies.allowing("[{matchName: b.x}, {matchName: c.x}]", name: "two", annotations: audit)
        let deny = Policies.allowing("[{matchName: a.x}]", name: "deny", annotations: audit, egress: "egressDeny")
        let alone = try Policies.snapshot(two)
        #expect(try alone.outcome("10.0.0.1", "c.x") == .allowed)
        #expect(try alone.outcome("10.0.0.1", "a.x") == .audited)
        let both = try Policies.snapshot(one + two)
        #expect(try both.outcome("10.0.0.1", "a.x") == .allowed)
        #expect(try both.outcome("10.0.0.1", "b.x") == .allowed)
        #expect(try both.outcome("10.0.0.1", "c.x") == .audited)
        #expect(try both.outcome("10.0.0.1", "d.x") == .denied)
        let denied = try Policies.snapshot(one + deny)
        #expect(try denied.outcome("10.0.0.1", "a.x") == .audited)
        #expect(try denied.outcome("10.0.0.1", "b.x") == .allowed)
        let always = try Policies.snapshot(two, options: PolicyOptions(enforcement: .always))
        #expect(try always.outcome("10.0.0.1", "a.x") == .audited)
        #expect(try always.outcome("10.0.0.2", "a.x") == .denied)
    }
}
