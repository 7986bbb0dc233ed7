/// What a matching rule does, and what all matching rules together do: a set of bits that is or-ed.
struct RuleEffects: OptionSet, Hashable, Sendable {
    /// The bits.
    let rawValue: UInt16

    /// It allows queries over UDP; the three groups that follow have one bit for UDP and one for TCP likewise.
    static let allowsUDP = RuleEffects(rawValue: 1)
    /// It denies queries over UDP.
    static let deniesUDP = RuleEffects(rawValue: 1 << 2)
    /// It would allow queries over UDP, were its policy not in audit.
    static let auditAllowsUDP = RuleEffects(rawValue: 1 << 4)
    /// It would deny queries over UDP, were its policy not in audit.
    static let auditDeniesUDP = RuleEffects(rawValue: 1 << 6)
    /// Its `toFQDNs` selects the name for learning.
    static let selects = RuleEffects(rawValue: 1 << 8)
    /// Its `toFQDNs` selects the name as a CNAME target.
    static let selectsAliases = RuleEffects(rawValue: 1 << 9)
    /// It keeps the name from being learned, for every port.
    static let deniesLearning = RuleEffects(rawValue: 1 << 10)
    /// It keeps the name from being learned, for some ports.
    static let deniesPorts = RuleEffects(rawValue: 1 << 11)

    /// Whether it is about what is learned, not about queries.
    var isAboutLearning: Bool {
        !isDisjoint(with: [.selects, .selectsAliases, .deniesLearning, .deniesPorts])
    }

    /// Whether the bit of `transport` in the group of `first` is set.
    @inline(__always)
    func has(_ first: RuleEffects, _ transport: QueryTransport) -> Bool {
        rawValue & first.for(transport).rawValue != 0
    }

    /// The bit of `transport` in the group whose first bit this is.
    @inline(__always)
    func `for`(_ transport: QueryTransport) -> RuleEffects {
        RuleEffects(rawValue: transport == .udp ? rawValue : rawValue << 1)
    }

    /// What a rule of `egress` or `egressDeny` does to queries that it matches.
    static func queries(isDeny: Bool, isAudit: Bool, _ transports: [QueryTransport]) -> RuleEffects {
        let group =
            switch (isDeny, isAudit) {
            case (false, false): allowsUDP
            case (true, false): deniesUDP
            case (false, true): auditAllowsUDP
            case (true, true): auditDeniesUDP
            }
        return transports.reduce(into: []) { $0.formUnion(group.for($1)) }
    }

    /// What `toFQDNs` of a rule do; nil for nothing.
    static func learning(_ rule: EgressRule, isAudit: Bool, aliases: Bool) -> RuleEffects? {
        if rule.isDeny { return isAudit ? nil : rule.toPorts == nil ? .deniesLearning : .deniesPorts }
        guard !rule.learnedPorts.isEmpty else { return nil }
        return aliases ? [.selects, .selectsAliases] : .selects
    }
}
