public import DNSWire

/// What decides about a query, without everything else that explains it.
public struct PolicyDecision: Hashable, Sendable {
    /// The reason in one sentence, as `Explanation` has it.
    public let reason: String
    /// The rule that decides; nil when it is none.
    public let rule: Explanation.Rule?
}

extension PolicySnapshot {
    /// What decides about a query of the identity with this index for `name`.
    public func decision(identity index: Int, name: DomainName, transport: QueryTransport) -> PolicyDecision {
        let index = identities.indices.contains(index) ? index : 0
        let buffer = NameBuffer(name)
        let outcome = verdict(identity: index, name: buffer, transport: transport).outcome
        let rules = explained(matchingEntries(identity: index, name: buffer), transport)
        let judging = selectingPolicies[Int(ruleSets[index])].map { policies[$0] }.filter(\.isAboutQueries).map(\.title)
        let effects: Set<String> =
            switch outcome {
            case .allowed: ["allows"]
            case .audited: ["denies", "would deny (audit)"]
            case .denied, .prohibited: ["denies"]
            }
        return PolicyDecision(
            reason: reason(outcome, rules, ruleSet(of: index), isUnknown: index == 0, judging),
            rule: rules.first { effects.contains($0.effect) })
    }
}
