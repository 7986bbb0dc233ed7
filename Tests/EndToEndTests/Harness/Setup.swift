/// What a daemon of a test is configured with; each part has the value that most tests want.
struct Setup {
    /// Addresses that it listens on, without the port.
    var listen = ["127.0.0.1"]
    /// Its port; nil for any free one.
    var port: Int?
    /// Its worker threads.
    var workers = 2
    /// Routes in YAML flow style; none for the nameservers of resolv.conf.
    var upstreams: [String] = []
    /// How long answers wait for acknowledgements.
    var maxDelay = "100ms"
    /// The folder of its journal.
    var journal = "journal"
    /// Policy documents by file name.
    var policies: [String: String] = [:]
    /// A folder of policy documents that the test sees to itself; nil for one with `policies`.
    var policyFolder: String?
    /// The lines of the identities document.
    var identities = Setup.twoIdentities
    /// A zone file with local records.
    var zone: String?
    /// The port on 127.0.0.1 where Prometheus finds its metrics; nil for none.
    var metricsPort: Int?
    /// The port on 127.0.0.1 where its health is asked for; nil for none.
    var healthPort: Int?
    /// Further entries of the configuration's section `admin`, each with a comma in front.
    var admin = ""
    /// Whom its folder is given to, which takes root; nil for who runs the tests.
    var owner: SystemUser?
    /// Further lines of the configuration file.
    var extra = ""

    /// A daemon that forwards to a server on 127.0.0.1.
    init(upstream port: Int) { upstreams = [#"{servers: ["127.0.0.1:\#(port)"]}"#] }

    /// A daemon that has no upstream, but one that nobody listens on.
    init() { self.init(upstream: 9) }

    /// `shop/web` on 127.0.0.1 and ::1, `shop/batch` on 127.0.0.2.
    static let twoIdentities = """
          - {name: web, namespace: shop, labels: {app: web}, addresses: [127.0.0.1, "::1"]}
          - {name: batch, namespace: shop, labels: {app: batch}, addresses: [127.0.0.2]}
        """

    /// Local records of `local.example`: `api` and `ledger`.
    static let localZone = """
        $ORIGIN local.example.
        $TTL 300
        @ IN SOA ns hostmaster 1 3600 600 86400 60
        @ IN NS ns
        ns IN A 192.0.2.3
        api IN A 192.0.2.10
        ledger IN A 192.0.2.20

        """

    /// A policy of the identities with the label `app`: they may ask for the names that `dns` selects, and those that
    /// `learn` selects are published. It is called like the label, or `name`.
    static func policy(
        _ app: String, name: String? = nil, dns: [String] = ["*"], learn: [String] = ["*"], port: Int = 443
    ) -> String {
        """
        apiVersion: cilium.io/v2
        kind: CiliumNetworkPolicy
        metadata: {name: \(name ?? app), namespace: shop}
        spec:
          endpointSelector: {matchLabels: {app: \(app)}}
          egress:
            - toPorts:
                - ports: [{port: "53", protocol: ANY}]
                  rules: {dns: [\(dns.map { "{matchPattern: \"\($0)\"}" }.joined(separator: ", "))]}
            - toFQDNs: [\(learn.map { "{matchPattern: \"\($0)\"}" }.joined(separator: ", "))]
              toPorts:
                - ports: [{port: "\(port)", protocol: TCP}]

        """
    }

    /// A port on 127.0.0.1 as the configuration has it, or nothing.
    private static func local(_ port: Int?) -> String { port.map { #""127.0.0.1:\#($0)""# } ?? "null" }

    /// Writes the configuration and all documents, and returns the path of the former.
    func write(to workspace: Workspace, port: Int) throws -> String {
        for (name, text) in policies { try workspace.write("policies/\(name)", text) }
        try workspace.write("identities.yaml", "identities:\n\(identities)\n")
        if let zone { try workspace.write("local.zone", zone) }
        if let owner { try owner.own(workspace.path) }
        let addresses = listen.map { $0.contains(":") ? #""[\#($0)]:\#(port)""# : #""\#($0):\#(port)""# }
        return try workspace.write(
            "dnsproxyd.yaml",
            """
            listen: [\(addresses.joined(separator: ", "))]
            workers: \(workers)
            policies: [\(policyFolder ?? (policies.isEmpty ? "" : "policies/"))]
            identities: [identities.yaml]
            zones: [\(zone == nil ? "" : "local.zone")]
            \(upstreams.isEmpty ? "" : "upstreams: [\(upstreams.joined(separator: ", "))]")
            feed: {socket: feed.sock, journal: \(journal), maxDelay: \(maxDelay)}
            admin: {socket: admin.sock, http: \(Setup.local(metricsPort)), health: \(Setup.local(healthPort))\(admin)}
            \(extra)

            """)
    }
}
