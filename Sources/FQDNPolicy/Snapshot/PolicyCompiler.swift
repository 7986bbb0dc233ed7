import DNSWire

/// Turns documents into a snapshot.
package enum PolicyCompiler {
    /// Most patterns of all layers together; what refers to them has 32 bits.
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
        let units = PolicyUnits(policies)
        var compiler = RuleCompiler(units.list)
        let ruleSets = compiler.ruleSets(identities.map { units.selecting($0) })
        if compiler.isFull {
            problems.add(
                DocumentProblem(
                    file: policies.first?.file ?? "policies",
                    message: "more than \(maximumEntries) rules for all identities together"))
        }
        guard !problems.hasErrors else { return (nil, problems.list) }
        let snapshot = PolicySnapshot(
            generation: generation, options: options, identities: identities, policyCount: policies.count,
            ruleCount: units.ruleCount, tables: compiler.builder.finish(), ruleSets: ruleSets,
            selectingPolicies: compiler.selectingPolicies,
            policies: policies.map { PolicySnapshot.PolicySummary($0) },
            rules: units.rules, portLists: units.portLists, addresses: AddressTable(addresses))
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
                        severity: .error, file: policy.file, line: policy.line, column: policy.column,
                        path: "metadata.name",
                        message: "the \(policy.kind.rawValue) \(quoted(policy.title)) is already at \(first)"))
            }
        }
    }
}
