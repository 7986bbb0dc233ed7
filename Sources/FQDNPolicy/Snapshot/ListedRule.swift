/// One compiled pattern, as it is in force for an identity; plain text and numbers, for people and for JSON.
public struct ListedRule: Hashable, Sendable, Codable {
    /// What a rule does.
    public enum Kind: String, Hashable, Sendable, Codable, CaseIterable {
        /// It allows queries.
        case allow
        /// It denies queries.
        case deny
        /// It selects names whose addresses are learned.
        case learn
        /// It keeps addresses from being learned, for some ports or for all.
        case denyLearning
    }

    /// What it does.
    public let kind: Kind
    /// The text, such as `matchPattern: "*.example.com"`.
    public let rule: String
    /// The transports of queries that it is about, `UDP` and `TCP`; empty when it is about learning.
    public let transports: [String]
    /// The ports that learned addresses are opened for, or denied; empty when it is about queries.
    public let ports: [SelectedRule.Port]
    /// Whether its policy is in audit: what it would deny is reported and answered.
    public let isAudit: Bool
    /// Whether it selects CNAME targets as well.
    public let matchesAliases: Bool
    /// `namespace/name`, or the name of a clusterwide policy.
    public let policy: String
    /// The kind of the policy's document.
    public let policyKind: String
    /// The file of the policy.
    public let file: String
    /// The rule's key path in the document, such as `spec.egress[0]`.
    public let path: String
    /// The line of the pattern, or of the rule when it has none.
    public let line: Int

    /// What an entry of a snapshot says.
    init(_ entry: RuleTables.Entry, of snapshot: PolicySnapshot) {
        let rule = snapshot.rules[Int(entry.rule)]
        let policy = snapshot.policy(of: rule)
        let effects = entry.effects
        let groups: [(first: RuleEffects, kind: Kind)] = [
            (.allowsUDP, .allow), (.auditAllowsUDP, .allow), (.deniesUDP, .deny), (.auditDeniesUDP, .deny),
        ]
        let queries = groups.first { group in QueryTransport.allCases.contains { effects.has(group.first, $0) } }
        let learns = effects.contains(.selects)
        kind = queries?.kind ?? (learns ? .learn : .denyLearning)
        transports = QueryTransport.allCases.filter { transport in
            queries.map { effects.has($0.first, transport) } ?? false
        }.map(\.protocolName)
        ports = queries == nil ? snapshot.ports(of: entry).map { SelectedRule.Port($0) }.sorted() : []
        self.rule = snapshot.tables.text(of: entry)
        isAudit = policy.isAudit
        matchesAliases = effects.contains(.selectsAliases)
        self.policy = policy.title
        policyKind = policy.kind.rawValue
        file = policy.file
        path = snapshot.path(of: rule)
        line = Int(entry.line)
    }
}

extension ListedRule: CustomStringConvertible {
    /// The rule for a terminal, in one line.
    public var description: String {
        let what =
            switch kind {
            case .allow, .deny: transports.joined(separator: "+")
            case .learn, .denyLearning: ports.map(\.description).joined(separator: ", ")
            }
        let word = kind == .denyLearning ? "deny learning" : kind.rawValue
        return "\(word)\(isAudit ? " (audit)" : "") \(rule) \(what) \(policy) (\(file):\(line))"
    }
}

/// An identity with what is known of its rules as a whole.
public struct ListedIdentity: Hashable, Sendable, Codable {
    /// Its number.
    public let id: IdentityID
    /// `namespace/name`, or `reserved:unknown`.
    public let title: String
    /// Its labels.
    public let labels: [String: String]
    /// The policies that select it.
    public let policies: [String]
    /// Whether it may ask only for what is allowed.
    public let isRestricted: Bool
    /// Its rules: how many there are to list.
    public let ruleCount: Int
}
