import DNSWire
import FQDNPolicy
import Testing

/// Documents for tests, and questions to them.
enum Policies {
    /// Identities that most tests use: an API, two replicas of a web server, another namespace.
    static let identities = """
        identities:
        - {name: api, namespace: production, labels: {app: api, tier: backend}, addresses: [10.0.0.1, "fd00::1"]}
        - {name: web-1, namespace: production, labels: {app: web}, addresses: [10.0.0.2]}
        - {name: web-2, namespace: production, labels: {app: web}, addresses: [10.0.0.3]}
        - {name: api, namespace: staging, labels: {app: api}, addresses: [10.0.1.0/24]}
        - {name: host, addresses: [10.9.0.1]}
        """

    /// What reading and compiling `text` gives.
    static func load(
        _ text: String, identities: String = identities, options: PolicyOptions = PolicyOptions()
    ) -> (snapshot: PolicySnapshot?, problems: [DocumentProblem]) {
        let problems = DocumentProblems()
        var documents = DocumentDispatcher(problems: problems)
        documents.read(text, file: "policy.yaml")
        documents.read(identities, file: "identities.yaml")
        let (snapshot, found) = PolicyCompiler.compile(
            policies: documents.policies, identities: documents.identities, options: options)
        return (problems.hasErrors ? nil : snapshot, problems.list + found)
    }

    /// The snapshot of documents without errors.
    static func snapshot(
        _ text: String, identities: String = identities, options: PolicyOptions = PolicyOptions()
    ) throws -> PolicySnapshot {
        let (snapshot, problems) = load(text, identities: identities, options: options)
        return try #require(snapshot, "\(problems)")
    }

    /// A policy with the given lines under `spec`, which are indented already.
    static func policy(
        _ spec: String, name: String = "p", namespace: String = "production", annotations: String = "{}"
    ) -> String {
        """
        apiVersion: cilium.io/v2
        kind: CiliumNetworkPolicy
        metadata: {name: \(name), namespace: \(namespace), annotations: \(annotations)}
        spec:
        \(spec)
        ---

        """
    }

    /// A policy for `app: api` that allows the flow-style list `dns` over UDP and TCP.
    static func allowing(
        _ dns: String, name: String = "p", annotations: String = "{}", egress: String = "egress"
    ) -> String {
        policy(
            """
              endpointSelector: {matchLabels: {app: api}}
              \(egress):
              - toPorts:
                - ports: [{port: "53", protocol: ANY}]
                  rules: {dns: \(dns)}
            """, name: name, annotations: annotations)
    }
}

extension PolicySnapshot {
    /// The verdict for a query in text form.
    func verdict(_ client: String, _ name: String, _ transport: QueryTransport = .udp) throws -> Verdict {
        let address = try #require(IPAddress(client))
        return verdict(
            identity: identityIndex(of: address), name: NameBuffer(try DomainName(name)), transport: transport)
    }

    /// The outcome of a query in text form.
    func outcome(
        _ client: String, _ name: String, _ transport: QueryTransport = .udp
    ) throws -> Verdict.Outcome {
        try verdict(client, name, transport).outcome
    }

    /// What is learned, as one text for each policy.
    func learned(_ client: String, _ name: String) throws -> [String] {
        let address = try #require(IPAddress(client))
        return rules(identity: identityIndex(of: address), name: NameBuffer(try DomainName(name))).map {
            "\($0.policy) \($0.ports.map(\.description).joined(separator: " "))"
        }
    }
}
