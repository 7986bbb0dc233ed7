/// Why a query gets the verdict that it gets; plain text and numbers, for people and for JSON.
public struct Explanation: Hashable, Sendable, Codable {
    /// A rule that matches the name.
    public struct Rule: Hashable, Sendable, Codable {
        /// `namespace/name`, or the name of a clusterwide policy.
        public let policy: String
        /// The file of the policy.
        public let file: String
        /// The rule's key path in the document, such as `spec.egress[0]`.
        public let path: String
        /// The line of the pattern, or of the rule when it has none.
        public let line: Int
        /// The text, such as `matchPattern: "*.example.com"`.
        public let rule: String
        /// `allows`, `denies`, `would allow (audit)` or `would deny (audit)`.
        public let effect: String
    }

    /// The client's address; nil when an identity was asked about.
    public let client: String?
    /// The identity's number.
    public let identity: IdentityID
    /// The identity's first name.
    public let identityName: String
    /// The identity's namespace; empty for unknown clients.
    public let namespace: String
    /// The identity's labels.
    public let labels: [String: String]
    /// The name in canonical form, with a trailing dot.
    public let name: String
    /// How the query arrived.
    public let transport: QueryTransport
    /// What becomes of it.
    public let outcome: Verdict.Outcome
    /// The reason in one sentence.
    public let reason: String
    /// The policies that select the identity.
    public let policies: [String]
    /// The rules about queries that match, the deciding ones first.
    public let rules: [Rule]
    /// What is told to enforcers about the addresses in the answer; empty when they are not learned.
    public let learned: [SelectedRule]
    /// Rules that nearly match, each as a sentence, the likeliest first; empty unless the query is denied.
    public let nearMisses: [String]
    /// What else helps to understand the outcome and to change it, each as a sentence.
    public let notes: [String]
}

extension Explanation {
    /// The explanation for a terminal, one line each.
    public var lines: [String] {
        var lines: [String] = []
        let labelText = labels.sorted { $0.key < $1.key }.map { "\($0.key)=\($0.value)" }.joined(separator: ",")
        let title = namespace.isEmpty ? identityName : "\(namespace)/\(identityName)"
        if let client { lines.append("client    \(client)") }
        lines.append("identity  \(title) (\(identity)) \(labelText)")
        lines.append("policies  \(policies.isEmpty ? "none" : policies.joined(separator: ", "))")
        lines.append("query     \(name) over \(transport.protocolName)")
        lines.append("verdict   \(outcome.rawValue): \(reason)")
        for rule in rules {
            lines.append("rule      \(rule.policy) \(rule.effect): \(rule.rule) (\(rule.file):\(rule.line))")
        }
        if learned.isEmpty {
            lines.append("learned   no")
        }
        for rule in learned {
            lines.append("learned   \(rule.policy): \(rule.ports.map(\.description).joined(separator: ", "))")
        }
        for miss in nearMisses { lines.append("near miss \(miss)") }
        for note in notes { lines.append("note      \(note)") }
        return lines
    }
}
