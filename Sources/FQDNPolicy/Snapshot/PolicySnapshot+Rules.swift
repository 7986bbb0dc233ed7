public import DNSWire

extension PolicySnapshot {
    /// What an enforcer is told about the addresses of an answer to `name` that leads over `aliases`: the policies
    /// whose `toFQDNs` select the name, or, where a policy matches CNAME targets, one of these, with their ports, less
    /// what `egressDeny` takes away from the name or the target. Empty when nothing is to be learned.
    public func rules(identity: Int, name: borrowing NameBuffer, aliases: [DomainName] = []) -> [SelectedRule] {
        let own = matchingEntries(identity: identity, name: name)
        guard let denied = deniedPorts(own) else { return [] }
        var ports: [Int: Set<PortRange>] = [:]
        open(own, .selects, less: denied, &ports)
        for alias in matchesAliases ? aliases : [] {
            let entries = matchingEntries(identity: identity, name: NameBuffer(alias))
            guard let more = deniedPorts(entries) else { continue }
            open(entries, .selectsAliases, less: denied + more, &ports)
        }
        return ports.filter { !$0.value.isEmpty }.sorted { $0.key < $1.key }.map { policy, ranges in
            SelectedRule(policy: policies[policy].title, ports: ranges.map { SelectedRule.Port($0) }.sorted())
        }
    }

    /// The ports that matching rules keep from being opened; nil for every port.
    private func deniedPorts(_ matching: [RuleTables.Entry]) -> [PortRange]? {
        guard !matching.contains(where: { $0.effects.contains(.deniesLearning) }) else { return nil }
        return matching.filter { $0.effects.contains(.deniesPorts) }.flatMap { ports(of: $0) }
    }

    /// Adds to `opened`, by policy, what those of the matching rules open that have the effect `selecting`.
    private func open(
        _ matching: [RuleTables.Entry], _ selecting: RuleEffects, less denied: [PortRange],
        _ opened: inout [Int: Set<PortRange>]
    ) {
        for entry in matching where entry.effects.contains(selecting) {
            let policy = Int(rules[Int(entry.rule)].policy)
            for range in ports(of: entry) { opened[policy, default: []].formUnion(range.subtracting(denied)) }
        }
    }

    /// The ports that an entry's rule has for learned addresses.
    func ports(of entry: RuleTables.Entry) -> [PortRange] {
        portLists[Int(rules[Int(entry.rule)].ports)]
    }

    /// All entries whose pattern matches `name`, in the order of the documents.
    func matchingEntries(identity: Int, name: borrowing NameBuffer) -> [RuleTables.Entry] {
        var found = HeadsVisitor()
        tables.walk(ruleSet(of: identity), name, &found)
        var indices: [Int] = []
        for (head, place) in found.found {
            var index = Int(tables.index(of: head))
            while index != 0 {
                if tables.entries[index].place == place { indices.append(index) }
                index = Int(tables.entries[index].next)
            }
        }
        return indices.sorted().map { tables.entries[$0] }
    }
}

extension PortRange {
    /// What is left of the range when `denied` ranges of its protocol, or of `ANY`, are cut out.
    ///
    /// A denial of one protocol leaves a range of `ANY` as its parts: it is split into the protocols with ports. What is left of
    /// every port begins with 1, because 0 stands for all.
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
                let low = max(range.low, 1)
                if cut.low > low { parts.append(PortRange(low, cut.low - 1, range.protocol)) }
                if cut.high < range.high { parts.append(PortRange(cut.high + 1, range.high, range.protocol)) }
                return parts
            }
        }
        return rest
    }
}
