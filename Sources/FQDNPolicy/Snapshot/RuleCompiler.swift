import DNSWire

/// Compiles the rules of specs into layers, and makes rule sets of layers: one for every distinct set of specs that
/// select an identity.
///
/// Specs that always select the same identities are compiled together, once, when they are many: the names that a
/// whole cluster may ask for are not repeated for every identity. The rest of what selects an identity is compiled
/// for it, so that a lookup looks through few layers.
struct RuleCompiler {
    /// Rules from which on specs are worth a layer of their own.
    static let sharedLayerSize = 256
    /// Most layers that one rule set shares with others.
    static let sharedLayers = 3

    /// Where the compiled rules go.
    private(set) var builder = RuleTablesBuilder()
    /// For each rule set the policies that select its identities.
    private(set) var selectingPolicies: [[Int]] = []
    /// Whether there were more patterns than there is room for.
    private(set) var isFull = false
    /// All specs.
    private let units: [PolicyUnits.Unit]
    /// The layers that exist, by the specs that they are made of.
    private var known: [[Int]: UInt32] = [:]

    /// A compiler of `units` that has compiled nothing yet.
    init(_ units: [PolicyUnits.Unit]) {
        self.units = units
    }

    /// The rule sets for these lists of specs, equal ones for equal lists.
    mutating func ruleSets(_ selections: [[Int]]) -> [UInt32] {
        var distinct: [[Int]] = []
        var numbers: [[Int]: Int] = [:]
        let wanted = selections.map { selection -> Int in
            if let number = numbers[selection] { return number }
            numbers[selection] = distinct.count
            distinct.append(selection)
            return distinct.count - 1
        }
        let shared = sharedGroups(distinct)
        var compiled: [UInt32] = []
        for selection in distinct { compiled.append(ruleSet(selection, shared)) }
        return wanted.map { compiled[$0] }
    }

    /// For each spec that is worth sharing the group of specs that it is compiled with.
    private func sharedGroups(_ selections: [[Int]]) -> [Int: [Int]] {
        var selectors: [Int: [Int]] = [:]
        for (number, selection) in selections.enumerated() {
            for unit in selection { selectors[unit, default: []].append(number) }
        }
        var groups: [[Int]: [Int]] = [:]
        for (unit, numbers) in selectors where numbers.count > 1 { groups[numbers, default: []].append(unit) }
        var result: [Int: [Int]] = [:]
        for group in groups.values where patterns(of: group) >= RuleCompiler.sharedLayerSize {
            let sorted = group.sorted()
            for unit in group { result[unit] = sorted }
        }
        return result
    }

    /// The rule set of the identities that these specs select.
    private mutating func ruleSet(_ selection: [Int], _ shared: [Int: [Int]]) -> UInt32 {
        var ruleSet = RuleTables.RuleSet()
        for index in selection {
            let unit = units[index]
            guard unit.spec.isAboutQueries else { continue }
            if unit.isAudit {
                ruleSet.isAudited = true
                if unit.spec.enablesDefaultDeny { ruleSet.auditDefaultDenies = true }
            } else {
                ruleSet.isEnforced = true
                if unit.spec.enablesDefaultDeny { ruleSet.defaultDenies = true }
            }
        }
        let groups = Set(selection.compactMap { shared[$0] })
            .sorted { ($0.count, $0.first ?? 0) > ($1.count, $1.first ?? 0) }.prefix(RuleCompiler.sharedLayers)
        let inGroups = Set(groups.joined())
        let own = selection.filter { !inGroups.contains($0) }
        var layers: [UInt32] = []
        for group in groups { layers.append(layer(group)) }
        if !own.isEmpty { layers.append(layer(own)) }
        selectingPolicies.append(selection.map { units[$0].policy }.removingRepetitions())
        return builder.add(ruleSet, layers: layers)
    }

    /// The layer of these specs, compiled now if there is none.
    private mutating func layer(_ group: [Int]) -> UInt32 {
        if let layer = known[group] { return layer }
        var names = 0
        for index in group {
            for rule in units[index].spec.egress {
                names += rule.toFQDNs?.count { $0.pattern.isExact } ?? 0
                for port in rule.toPorts ?? [] { names += port.dns?.count { $0.pattern.isExact } ?? 0 }
            }
        }
        isFull = isFull || builder.tables.entries.count + patterns(of: group) > PolicyCompiler.maximumEntries
        builder.beginLayer(exactNames: isFull ? 0 : names)
        if !isFull { for index in group { add(units[index]) } }
        let layer = builder.endLayer()
        known[group] = layer
        return layer
    }

    /// At least as many entries as these specs become.
    private func patterns(of group: [Int]) -> Int {
        group.reduce(0) { sum, index in
            units[index].spec.egress.reduce(sum) { sum, rule in
                (rule.toPorts ?? []).reduce(sum + 1 + (rule.toFQDNs?.count ?? 0)) { $0 + 1 + ($1.dns?.count ?? 0) }
            }
        }
    }

    /// Adds the rules of one spec to the layer that was begun.
    private mutating func add(_ unit: PolicyUnits.Unit) {
        for (offset, rule) in unit.spec.egress.enumerated() {
            let index = UInt32(truncatingIfNeeded: unit.firstRule + offset)
            for term in rule.queryTerms {
                let effects = RuleEffects.queries(isDeny: rule.isDeny, isAudit: unit.isAudit, term.transports)
                if let entries = term.entries {
                    for entry in entries { builder.add(entry, for: .query, effects, rule: index) }
                } else {
                    builder.addEveryName(effects, rule: index, line: rule.place.line)
                }
            }
            guard let effects = RuleEffects.learning(rule, isAudit: unit.isAudit, aliases: unit.matchesAliases) else {
                continue
            }
            for entry in rule.toFQDNs ?? [] { builder.add(entry, for: .learning, effects, rule: index) }
        }
    }
}

extension [Int] {
    /// The elements of a sorted array, each once.
    fileprivate func removingRepetitions() -> [Int] {
        var result: [Int] = []
        for element in self where result.last != element { result.append(element) }
        return result
    }
}
