import DNSWire

/// Looks through policies that are valid for what is probably not meant: rules that cannot match or have no effect of
/// their own, selectors that select nothing, names that are learned but may not be asked for, patterns that reach
/// names of strangers.
///
/// The time is proportional to the number of rules: each is looked up in the compiled tables as if it were a name.
struct PolicyLint {
    /// The documents.
    let policies: [PolicyDocument]
    /// What they were compiled to.
    let snapshot: PolicySnapshot
    /// Where registered names begin.
    let suffixes: PublicSuffixes
    /// Where problems go.
    let problems: DocumentProblems

    /// Rule sets that a rule is looked up in at most; in more it is compared with those of its own spec alone.
    private static let comparedRuleSets = 8

    /// Notes everything that there is to say.
    func run() {
        let units = PolicyUnits(policies)
        var ruleSets: [[Int]] = Array(repeating: [], count: units.list.count)
        for (index, identity) in snapshot.identities.enumerated() {
            let ruleSet = Int(snapshot.ruleSets[index])
            for unit in units.selecting(identity) where !ruleSets[unit].contains(ruleSet) {
                if ruleSets[unit].count <= PolicyLint.comparedRuleSets { ruleSets[unit].append(ruleSet) }
            }
        }
        reportMissingIdentities()
        for (unit, ruleSets) in zip(units.list, ruleSets) {
            guard !problems.isFull else { return }
            let policy = policies[unit.policy]
            if ruleSets.isEmpty, snapshot.identities.count > 1 { reportUnselected(unit.spec, policy) }
            if unit.spec.isAboutQueries, !ruleSets.isEmpty, !hasQueryRules(ruleSets) {
                reportUnasked(unit.spec, policy)
            }
            let compared = ruleSets.map { snapshot.tables.ruleSets[$0] }
            for (offset, rule) in unit.spec.egress.enumerated() {
                let context = RuleContext(
                    policy: policy, policyIndex: unit.policy, spec: unit.spec, rule: rule,
                    index: unit.firstRule + offset, ruleSets: compared,
                    isEverywhere: ruleSets.count <= PolicyLint.comparedRuleSets)
                check(rule, context, unit)
            }
        }
    }

    /// What belongs to the pattern that is looked at.
    struct RuleContext {
        /// Its policy.
        let policy: PolicyDocument
        /// Index of the policy.
        let policyIndex: Int
        /// Its spec.
        let spec: PolicyDocument.Spec
        /// Its rule.
        let rule: EgressRule
        /// Index of the rule in the snapshot.
        let index: Int
        /// The rule sets that it is part of.
        let ruleSets: [RuleTables.RuleSet]
        /// Whether these are all of them.
        let isEverywhere: Bool
    }

    /// Looks at every pattern of a rule.
    private func check(_ rule: EgressRule, _ context: RuleContext, _ unit: PolicyUnits.Unit) {
        var terms: [(path: String, entries: [PatternEntry], use: PatternUse, effects: RuleEffects)] = []
        for (number, port) in (rule.toPorts ?? []).enumerated() where rule.peers != .nobody {
            guard let entries = port.dns, !port.dnsTransports.isEmpty else { continue }
            let effects = RuleEffects.queries(isDeny: rule.isDeny, isAudit: unit.isAudit, port.dnsTransports)
            terms.append((".toPorts[\(number)].rules.dns", entries, .query, effects))
        }
        let learning = RuleEffects.learning(rule, isAudit: unit.isAudit, aliases: unit.matchesAliases)
        if let entries = rule.toFQDNs, let learning { terms.append((".toFQDNs", entries, .learning, learning)) }
        for term in terms {
            var seen: [Pattern: PatternEntry] = [:]
            for (number, entry) in term.entries.enumerated() {
                guard !problems.isFull else { return }
                let path =
                    entry.pattern.field == .domainName
                    ? ".to" : "\(term.path)[\(number)].\(entry.pattern.field.rawValue)"
                let item = LintedPattern(
                    entry: entry, use: term.use, effects: term.effects, path: rule.place.location.text + path,
                    context: context)
                if let first = seen[entry.pattern] {
                    note(item, .warning, "is already on line \(first.line) of this list; remove it", .hidden)
                    continue
                }
                seen[entry.pattern] = entry
                checkForm(item)
                checkEffect(item)
            }
        }
    }

    /// Notes a problem about a pattern.
    func note(_ item: LintedPattern, _ severity: DocumentProblem.Severity, _ message: String, _ code: LintCode) {
        problems.add(
            DocumentProblem(
                severity: severity, file: item.context.policy.file, line: item.entry.line, column: item.entry.column,
                path: item.path, message: "\(quoted(item.entry.pattern.description)) \(message) [\(code.rawValue)]"))
    }

    // MARK: Whole documents

    /// Says that there are no identities at all, once.
    private func reportMissingIdentities() {
        guard let policy = policies.first, snapshot.identities.count == 1 else { return }
        problems.add(
            DocumentProblem(
                severity: .notice, file: policy.file, line: policy.line, column: policy.column, path: "",
                message: "there are no identities, so only unknown clients can be selected; "
                    + "list identities documents under the key identities of the configuration [\(LintCode.noIdentity)]"
            ))
    }

    /// Says that a spec is about nobody.
    private func reportUnselected(_ spec: PolicyDocument.Spec, _ policy: PolicyDocument) {
        let place = policy.namespace.map { " in the namespace \(quoted($0))" } ?? ""
        let line = spec.place?.line ?? policy.line
        let column = spec.place?.column ?? policy.column
        problems.add(
            DocumentProblem(
                severity: .warning, file: policy.file, line: line, column: column,
                path: spec.place?.location.text ?? spec.path,
                message: "selects no identity\(place); compare the labels with `dnsproxyd identity list` "
                    + "[\(LintCode.noIdentity)]"))
    }

    /// Whether any rule about queries concerns the identities of these rule sets, or nothing restricts them.
    private func hasQueryRules(_ ruleSets: [Int]) -> Bool {
        ruleSets.contains { index in
            let ruleSet = snapshot.tables.ruleSets[index]
            let allows: RuleEffects = [.allowsUDP, .auditAllowsUDP]
            return !(ruleSet.defaultDenies || ruleSet.auditDefaultDenies)
                || !ruleSet.possible.isDisjoint(with: allows.union(allows.for(.tcp)))
        }
    }

    /// Says that the names of `toFQDNs` can never be asked for.
    private func reportUnasked(_ spec: PolicyDocument.Spec, _ policy: PolicyDocument) {
        guard let rule = spec.egress.first(where: { !$0.isDeny && !($0.toFQDNs ?? []).isEmpty }) else { return }
        problems.add(
            rule.place.problem(
                .warning,
                "toFQDNs allows no queries, and no rule of any policy lets these identities ask for names, so nothing "
                    + "is ever learned; add a rule with toPorts for port 53 and rules.dns [\(LintCode.unasked)]"))
    }
}

/// A pattern of a document while lint looks at it.
struct LintedPattern {
    /// The pattern and its place.
    let entry: PatternEntry
    /// What it is compared for.
    let use: PatternUse
    /// What it does.
    let effects: RuleEffects
    /// Its key path.
    let path: String
    /// Where it belongs.
    let context: PolicyLint.RuleContext
}
