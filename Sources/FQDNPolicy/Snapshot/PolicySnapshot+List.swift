extension PolicySnapshot {
    /// What is compiled for the identity with this index, as a whole; for unknown clients when there is none.
    public func listing(identity index: Int) -> ListedIdentity {
        let index = identities.indices.contains(index) ? index : 0
        let identity = identities[index]
        let ruleSet = ruleSet(of: index)
        let isRestricted =
            outcome([], ruleSet, isUnknown: index == 0, .udp) != .allowed
        return ListedIdentity(
            id: identity.id, title: identity.title, labels: identity.labels,
            policies: selectingPolicies[Int(ruleSets[index])].map { policies[$0].title }, isRestricted: isRestricted,
            ruleCount: tables.entryRanges(of: ruleSet).reduce(0) { $0 + $1.count })
    }

    /// The rules that are in force for the identity with this index, at most `limit` of them, from the one with the
    /// number `start` on; and the number to go on from, nil when these were the last.
    ///
    /// A snapshot never changes, so a caller that keeps it sees each rule once, however long it takes.
    public func listRules(identity index: Int, from start: Int = 0, limit: Int) -> (rules: [ListedRule], next: Int?) {
        var skip = max(0, start)
        var rules: [ListedRule] = []
        let ranges = tables.entryRanges(of: ruleSet(of: index))
        for range in ranges {
            guard skip < range.count else {
                skip -= range.count
                continue
            }
            for entry in tables.entries[range].dropFirst(skip) {
                guard rules.count < limit else { return (rules, max(0, start) + rules.count) }
                rules.append(ListedRule(entry, of: self))
            }
            skip = 0
        }
        return (rules, nil)
    }

    /// The key path of a rule in its document.
    func path(of rule: RuleSummary) -> String {
        let specs = policies[Int(rule.policy)].specs
        let spec = specs.indices.contains(Int(rule.spec)) ? specs[Int(rule.spec)] : "spec"
        return "\(spec).\(rule.isDeny ? "egressDeny" : "egress")[\(rule.number)]"
    }
}
