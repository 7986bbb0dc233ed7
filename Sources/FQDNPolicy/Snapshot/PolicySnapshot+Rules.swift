public import DNSWire

extension PolicySnapshot {
    /// What an enforcer is told about addresses of `name` that the client of `identity` learned: the policies whose
    /// `toFQDNs` select it, with their ports, less what `egressDeny` takes away. Empty when nothing is to be learned.
    ///
    /// With `asAlias` only the policies count that match CNAME targets, `name` being such a target.
    public func rules(identity: Int, name: borrowing NameBuffer, asAlias: Bool = false) -> [SelectedRule] {
        let matching = matchingEntries(identity: identity, name: name)
        guard !matching.contains(where: { $0.effects.contains(.deniesLearning) }) else { return [] }
        var denied: [PortRange] = []
        for entry in matching where entry.effects.contains(.deniesPorts) { denied += rules[Int(entry.rule)].ports }
        var ports: [Int: Set<PortRange>] = [:]
        for entry in matching where entry.effects.contains(asAlias ? .selectsAliases : .selects) {
            let rule = rules[Int(entry.rule)]
            for range in rule.ports {
                ports[rule.policy, default: []].formUnion(range.subtracting(denied))
            }
        }
        return ports.filter { !$0.value.isEmpty }.sorted { $0.key < $1.key }.map { policy, ranges in
            SelectedRule(policy: policies[policy].title, ports: ranges.map { SelectedRule.Port($0) }.sorted())
        }
    }

    /// What an enforcer is told about the addresses of an answer to `name` that leads over `aliases`: the rules that
    /// select the name, and those of policies that match CNAME targets and select one of them. A deny rule for the
    /// name itself leaves nothing.
    public func rules(identity: Int, name: borrowing NameBuffer, aliases: [DomainName]) -> [SelectedRule] {
        let direct = rules(identity: identity, name: name)
        guard matchesAliases, !aliases.isEmpty else { return direct }
        let own = matchingEntries(identity: identity, name: name)
        guard !own.contains(where: { $0.effects.contains(.deniesLearning) }) else { return direct }
        var ports: [String: Set<SelectedRule.Port>] = [:]
        for rule in direct { ports[rule.policy, default: []].formUnion(rule.ports) }
        for alias in aliases {
            for rule in rules(identity: identity, name: NameBuffer(alias), asAlias: true) {
                ports[rule.policy, default: []].formUnion(rule.ports)
            }
        }
        return ports.sorted { $0.key < $1.key }.map { SelectedRule(policy: $0, ports: $1.sorted()) }
    }

    /// All entries whose pattern matches `name`, in the order of the documents.
    func matchingEntries(identity: Int, name: borrowing NameBuffer) -> [RuleTables.Entry] {
        var found = HeadsVisitor()
        tables.walk(ruleSet(of: identity), name, &found)
        var indices: [Int] = []
        for head in found.heads {
            var index = Int(head)
            while index != 0 {
                indices.append(index)
                index = Int(tables.entries[index].next)
            }
        }
        return indices.sorted().map { tables.entries[$0] }
    }
}

extension PortRange {
    /// What is left of the range when `denied` ranges of its protocol, or of `ANY`, are cut out.
    ///
    /// A denial of one protocol leaves a range of `ANY` as its parts: it is split into the protocols with ports.
    func subtracting(_ denied: [PortRange]) -> [PortRange] {
        let relevant = denied.filter { self.protocol == "ANY" || $0.protocol == "ANY" || $0.protocol == self.protocol }
        guard !relevant.isEmpty else { return [self] }
        if self.protocol == "ANY", relevant.contains(where: { $0.protocol != "ANY" }) {
            return ["TCP", "UDP", "SCTP"].flatMap { PortRange(low, high, $0).subtracting(relevant) }
        }
        var rest = [self]
        for cut in relevant {
            rest = rest.flatMap { range -> [PortRange] in
                guard cut.low <= range.high, cut.high >= range.low else { return [range] }
                var parts: [PortRange] = []
                if cut.low > range.low { parts.append(PortRange(range.low, cut.low - 1, range.protocol)) }
                if cut.high < range.high { parts.append(PortRange(cut.high + 1, range.high, range.protocol)) }
                return parts
            }
        }
        return rest
    }
}
