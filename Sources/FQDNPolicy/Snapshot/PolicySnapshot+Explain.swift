public import DNSWire

extension PolicySnapshot {
    /// Why the client at `client` gets the verdict that it gets for `name`.
    public func explain(client: IPAddress, name: DomainName, transport: QueryTransport) -> Explanation {
        explain(identity: identityIndex(of: client), client: client, name: name, transport: transport)
    }

    /// Why clients of the identity with this index get the verdict that they get for `name`.
    public func explain(identity: Int, name: DomainName, transport: QueryTransport) -> Explanation {
        explain(identity: identity, client: nil, name: name, transport: transport)
    }

    /// Both of the above.
    private func explain(
        identity index: Int, client: IPAddress?, name: DomainName, transport: QueryTransport
    ) -> Explanation {
        let buffer = NameBuffer(name)
        let index = identities.indices.contains(index) ? index : 0
        let identity = identities[index]
        let verdict = verdict(identity: index, name: buffer, transport: transport)
        let matching = matchingEntries(identity: index, name: buffer)
        let rules = explained(matching, transport)
        let selecting = selectingPolicies[Int(ruleSets[index])].map { self.policies[$0] }
        // Policies that leave queries alone are no reason for an outcome.
        let judging = selecting.filter(\.isAboutQueries).map(\.title)
        let learned = verdict.isAnswered ? self.rules(identity: index, name: buffer) : []
        return Explanation(
            client: client?.description, identity: identity.id, identityName: identity.name,
            namespace: identity.namespace, labels: identity.labels, name: name.description, transport: transport,
            outcome: verdict.outcome,
            reason: reason(verdict.outcome, rules, ruleSet(of: index), isUnknown: index == 0, judging),
            policies: selecting.map(\.title), rules: rules, learned: learned,
            nearMisses: verdict.outcome == .allowed || verdict.outcome == .prohibited
                ? [] : NearMisses(self, ruleSet(of: index), name, transport).sentences,
            notes: ExplanationNotes(
                snapshot: self, identity: index, name: name, transport: transport, outcome: verdict.outcome,
                matching: matching, isLearned: !learned.isEmpty
            ).sentences)
    }

    /// The matching rules about queries over `transport`: those that deny first.
    func explained(_ entries: [RuleTables.Entry], _ transport: QueryTransport) -> [Explanation.Rule] {
        let effects: [(first: RuleEffects, text: String)] = [
            (.deniesUDP, "denies"), (.auditDeniesUDP, "would deny (audit)"), (.allowsUDP, "allows"),
            (.auditAllowsUDP, "would allow (audit)"),
        ]
        return effects.flatMap { effect in
            entries.filter { $0.effects.has(effect.first, transport) }.map { entry in
                let policy = policy(of: rules[Int(entry.rule)])
                return Explanation.Rule(
                    policy: policy.title, file: policy.file, path: path(of: rules[Int(entry.rule)]),
                    line: Int(entry.line), rule: tables.text(of: entry), effect: effect.text)
            }
        }
    }

    /// The reason for an outcome in one sentence.
    func reason(
        _ outcome: Verdict.Outcome, _ matching: [Explanation.Rule], _ ruleSet: RuleTables.RuleSet, isUnknown: Bool,
        _ selecting: [String]
    ) -> String {
        let modeNote = options.enforcement == .audit ? "enforcement is audit; " : ""
        if options.enforcement == .never { return "enforcement is never" }
        if isUnknown, selecting.isEmpty {
            if !judgesQueries, options.enforcement != .always {
                return policyCount == 0 ? "there is no policy document" : "no policy document is about queries"
            }
            return outcome == .allowed
                ? "unknown clients are allowed"
                : "\(modeNote)no identity has the client's address, and no policy selects reserved: unknown"
        }
        if let rule = matching.first(where: { $0.effect == "denies" }) {
            return "\(modeNote)\(rule.policy) denies it"
        }
        if outcome == .audited {
            return ruleSet.isAudited
                ? "\(modeNote)it depends on a policy in audit" : "\(modeNote)no rule allows it"
        }
        if let rule = matching.first(where: { $0.effect == "allows" }), outcome == .allowed {
            return "\(rule.policy) allows it"
        }
        if outcome == .allowed {
            return selecting.isEmpty
                ? "no policy selects the identity" : "no policy that selects the identity restricts its names"
        }
        return selecting.isEmpty
            ? "no policy selects the identity, and enforcement is always"
            : "no rule of \(selecting.joined(separator: ", ")) allows it"
    }
}
