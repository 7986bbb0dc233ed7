import DNSWire

/// Turns documents into a snapshot.
package enum PolicyCompiler {
    /// Most patterns of all rule sets together; what refers to them has 32 bits.
    static let maximumEntries = 8 << 20

    /// The snapshot of these documents, or nil and at least one error among the problems.
    package static func compile(
        policies: [PolicyDocument], identities entries: [IdentityEntry], options: PolicyOptions = PolicyOptions(),
        generation: UInt64 = 0
    ) -> (snapshot: PolicySnapshot?, problems: [DocumentProblem]) {
        let problems = DocumentProblems()
        reportDuplicates(policies, problems)
        let identities = IdentityCompiler(problems).identities(entries)
        var addresses: [(prefix: IPPrefix, identity: UInt32)] = []
        for (index, identity) in identities.enumerated() {
            for prefix in identity.prefixes { addresses.append((prefix, UInt32(truncatingIfNeeded: index))) }
        }
        var compiler = RuleCompiler(policies)
        let ruleSets = identities.map { compiler.ruleSet(for: $0) }
        if compiler.isFull {
            problems.add(
                DocumentProblem(
                    file: policies.first?.file ?? "policies",
                    message: "more than \(maximumEntries) rules for all identities together"))
        }
        guard !problems.hasErrors else { return (nil, problems.list) }
        let snapshot = PolicySnapshot(
            generation: generation, options: options, identities: identities, policyCount: policies.count,
            ruleCount: compiler.ruleCount, tables: compiler.builder.tables, ruleSets: ruleSets,
            selectingPolicies: compiler.selectingPolicies,
            policies: policies.map { PolicySnapshot.PolicySummary(title: $0.title, file: $0.file) },
            rules: compiler.rules, addresses: AddressTable(addresses))
        return (snapshot, problems.list)
    }

    /// Notes an error for every policy whose kind, namespace and name an earlier one has.
    private static func reportDuplicates(_ policies: [PolicyDocument], _ problems: DocumentProblems) {
        var places: [String: String] = [:]
        for policy in policies {
            let place = "\(policy.file):\(policy.line)"
            if let first = places.updateValue(place, forKey: "\(policy.kind) \(policy.title)") {
                problems.add(
                    DocumentProblem(
                        severity: .error, file: policy.file, line: policy.line, column: 1, path: "metadata.name",
                        message: "the \(policy.kind.rawValue) \(quoted(policy.title)) is already at \(first)"))
            }
        }
    }
}

/// Compiles the rules of policies, once for every distinct set of policies that select an identity.
private struct RuleCompiler {
    /// A spec and what belongs to it.
    private struct Unit {
        /// Index of its policy.
        let policy: Int
        /// Whether the policy is in audit.
        let isAudit: Bool
        /// Whether the policy matches CNAME targets.
        let matchesAliases: Bool
        /// The spec.
        let spec: PolicyDocument.Spec
        /// Index in `rules` of its first rule.
        let firstRule: Int
    }

    /// Where the compiled rules go.
    private(set) var builder = RuleTablesBuilder()
    /// What is kept of each rule, in the order of documents.
    private(set) var rules: [PolicySnapshot.RuleSummary] = []
    /// For each rule set the policies that select its identities.
    private(set) var selectingPolicies: [[Int]] = []
    /// Patterns of all documents.
    private(set) var ruleCount = 0
    /// Whether there were more patterns than there is room for.
    private(set) var isFull = false
    /// The specs of all policies.
    private var units: [Unit] = []
    /// Specs that can select identities of any namespace.
    private var clusterwide: [Int] = []
    /// Specs that can select identities of one namespace.
    private var namespaced: [String: [Int]] = [:]
    /// The rule sets that exist, by the specs that they are made of.
    private var known: [[Int]: UInt32] = [:]

    /// A compiler of `policies` that has compiled nothing yet.
    init(_ policies: [PolicyDocument]) {
        for (index, policy) in policies.enumerated() {
            for spec in policy.specs {
                if let namespace = policy.namespace {
                    namespaced[namespace, default: []].append(units.count)
                } else {
                    clusterwide.append(units.count)
                }
                units.append(
                    Unit(
                        policy: index, isAudit: policy.isAudit, matchesAliases: policy.matchesAliases, spec: spec,
                        firstRule: rules.count))
                for rule in spec.egress {
                    rules.append(
                        PolicySnapshot.RuleSummary(policy: index, isDeny: rule.isDeny, ports: rule.learnedPorts))
                    ruleCount += rule.toFQDNs?.count ?? 0
                    for port in rule.toPorts ?? [] { ruleCount += port.dns?.count ?? 0 }
                }
            }
        }
    }

    /// The rule set of an identity, compiled now if no other identity has the same.
    mutating func ruleSet(for identity: Identity) -> UInt32 {
        let candidates = clusterwide + (identity.id == .unknown ? [] : namespaced[identity.namespace] ?? [])
        let selecting = candidates.filter { units[$0].spec.selector.selects(identity) }.sorted()
        if let ruleSet = known[selecting] { return ruleSet }
        var patterns = 0
        var names = 0
        for index in selecting {
            for rule in units[index].spec.egress {
                for list in rule.queryTerms.map({ $0.entries ?? [] }) + [rule.toFQDNs ?? []] {
                    patterns += list.count + 1
                    names += list.count { $0.pattern.isExact }
                }
            }
        }
        isFull = isFull || builder.tables.entries.count + patterns > PolicyCompiler.maximumEntries
        builder.begin(exactNames: isFull ? 0 : names)
        if !isFull { for index in selecting { add(units[index]) } }
        let ruleSet = builder.end()
        known[selecting] = ruleSet
        selectingPolicies.append(selecting.map { units[$0].policy }.removingRepetitions())
        return ruleSet
    }

    /// Adds the rules of one spec to the rule set that was begun.
    private mutating func add(_ unit: Unit) {
        builder.addPolicy(isAudit: unit.isAudit, enablesDefaultDeny: unit.spec.enablesDefaultDeny)
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
            guard let effects = learningEffects(rule, unit) else { continue }
            for entry in rule.toFQDNs ?? [] { builder.add(entry, for: .learning, effects, rule: index) }
        }
    }

    /// What `toFQDNs` of a rule do; nil for nothing.
    private func learningEffects(_ rule: EgressRule, _ unit: Unit) -> RuleEffects? {
        if rule.isDeny {
            return unit.isAudit ? nil : rule.toPorts == nil ? .deniesLearning : .deniesPorts
        }
        guard !rule.learnedPorts.isEmpty else { return nil }
        return unit.matchesAliases ? [.selects, .selectsAliases] : .selects
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
