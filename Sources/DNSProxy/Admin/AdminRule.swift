public import FQDNPolicy

/// A compiled rule as it is in force for an identity; an element of `GET /v1/policy/rules`.
public struct AdminRule: Codable, Hashable, Sendable {
    /// The identity's number.
    public var identity: UInt64
    /// The identity as `namespace/name`, or `reserved:unknown`.
    public var identityName: String
    /// `allow` and `deny` are about queries; `learn` and `denyLearning` about the addresses in answers.
    public var kind: ListedRule.Kind
    /// The text, such as `matchPattern: "*.example.com"`.
    public var rule: String
    /// `UDP` and `TCP`, of a rule about queries.
    public var transports: [String]
    /// What learned addresses are opened for, or not.
    public var ports: [SelectedRule.Port]
    /// Whether what it denies is only reported.
    public var audit: Bool
    /// Whether it selects CNAME targets as well.
    public var matchAliases: Bool
    /// `namespace/name` of its policy, or the name of a clusterwide one.
    public var policy: String
    /// The kind of the policy's document.
    public var policyKind: String
    /// The file that it is in.
    public var file: String
    /// Its line there.
    public var line: Int
    /// Its key path there, such as `spec.egress[0]`.
    public var path: String

    /// `rule` as it is in force for `identity`.
    init(_ rule: ListedRule, of identity: ListedIdentity) {
        self.identity = identity.id.rawValue
        identityName = identity.title
        kind = rule.kind
        self.rule = rule.rule
        transports = rule.transports
        ports = rule.ports
        audit = rule.isAudit
        matchAliases = rule.matchesAliases
        policy = rule.policy
        policyKind = rule.policyKind
        file = rule.file
        line = rule.line
        path = rule.path
    }
}
