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
        let policies = selectingPolicies[Int(ruleSets[index])].map { self.policies[$0].title }
        return Explanation(
            client: client?.description, identity: identity.id, identityName: identity.name,
            namespace: identity.namespace, labels: identity.labels, name: name.description, transport: transport,
            outcome: verdict.outcome,
            reason: reason(verdict.outcome, rules, ruleSet(of: index), isUnknown: index == 0, policies),
            policies: policies, rules: rules,
            learned: verdict.isAnswered ? self.rules(identity: index, name: buffer) : [],
            nearMisses: verdict.outcome == .allowed || verdict.outcome == .prohibited
                ? [] : NearMisses(self, ruleSet(of: index), name, transport).sentences)
    }

    /// The matching rules about queries over `transport`: those that deny first.
    private func explained(_ entries: [RuleTables.Entry], _ transport: QueryTransport) -> [Explanation.Rule] {
        let effects: [(first: RuleEffects, text: String)] = [
            (.deniesUDP, "denies"), (.auditDeniesUDP, "would deny (audit)"), (.allowsUDP, "allows"),
            (.auditAllowsUDP, "would allow (audit)"),
        ]
        return effects.flatMap { effect in
            entries.filter { $0.effects.has(effect.first, transport) }.map { entry in
                let policy = policies[rules[Int(entry.rule)].policy]
                return Explanation.Rule(
                    policy: policy.title, file: policy.file, line: Int(entry.line), rule: tables.text(of: entry),
                    effect: effect.text)
            }
        }
    }

    /// The reason for an outcome in one sentence.
    private func reason(
        _ outcome: Verdict.Outcome, _ matching: [Explanation.Rule], _ ruleSet: RuleTables.RuleSet, isUnknown: Bool,
        _ selecting: [String]
    ) -> String {
        let modeNote = options.enforcement == .audit ? "enforcement is audit; " : ""
        if options.enforcement == .never { return "enforcement is never" }
        if isUnknown, selecting.isEmpty {
            if policyCount == 0, options.enforcement != .always { return "there is no policy document" }
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

/// Finds rules that look as if they were meant for a name that they do not match.
private struct NearMisses {
    /// The sentences, at most `limit`.
    private(set) var sentences: [String] = []
    /// Most sentences.
    private static let limit = 5
    /// Most rules that are looked at, so that the answer comes at once.
    private static let searched = 100_000

    /// Looks through the rules of a rule set for names close to `name`.
    init(_ snapshot: PolicySnapshot, _ ruleSet: RuleTables.RuleSet, _ name: DomainName, _ transport: QueryTransport) {
        let tables = snapshot.tables
        let range = Int(ruleSet.entries.lowerBound)..<Int(ruleSet.entries.upperBound)
        let other = transport == .udp ? QueryTransport.tcp : .udp
        for entry in tables.entries[range].prefix(NearMisses.searched) where sentences.count < NearMisses.limit {
            let allows = RuleEffects([.allowsUDP, .auditAllowsUDP])
            let anyTransport = allows.union(allows.for(.tcp))
            guard !entry.effects.isDisjoint(with: anyTransport) else { continue }
            guard let text = tables.patternText(of: entry), let pattern = try? Pattern(.matchPattern, text) else {
                continue
            }
            let buffer = NameBuffer(name)
            let sentence: String?
            if pattern.matches(buffer, for: .query) {
                sentence =
                    !entry.effects.isDisjoint(with: allows.for(transport))
                    ? nil : "\(tables.text(of: entry)) is for queries over \(other.protocolName) only"
            } else {
                sentence = NearMisses.sentence(pattern, text, name)
            }
            if let sentence {
                let policy = snapshot.policies[snapshot.rules[Int(entry.rule)].policy]
                sentences.append("\(sentence) (\(policy.title), \(policy.file):\(entry.line))")
            }
        }
    }

    /// What keeps `pattern`, whose text is `text`, from matching `name`; nil when they have little in common.
    private static func sentence(_ pattern: Pattern, _ text: String, _ name: DomainName) -> String? {
        let plainName = String(name.description.dropLast())
        if pattern.isExact {
            guard let exact = try? DomainName(text), !exact.isRoot, name != exact else { return nil }
            if name.isEqualToOrBelow(exact) {
                return "\"\(text)\" is that name alone; \"**.\(text)\" would match the names below it"
            }
            let isTypo =
                abs(text.utf8.count - plainName.utf8.count) <= 2 && !suggestion(for: plainName, among: [text]).isEmpty
            return isTypo ? "\"\(text)\" is spelled nearly the same" : nil
        }
        guard let dot = text.firstIndex(of: ".") else { return nil }
        let first = text[..<dot]
        let rest = String(text[text.index(after: dot)...])
        guard let restPattern = try? Pattern(.matchPattern, rest), first.allSatisfy({ $0 == "*" }) else { return nil }
        if restPattern.matches(NameBuffer(name), for: .query) {
            return "\"\(text)\" needs a label before what \"\(rest)\" matches: a star alone is never no label"
        }
        guard first == "*", let deep = try? Pattern(.matchPattern, "**.\(rest)"),
            deep.matches(NameBuffer(name), for: .query)
        else { return nil }
        return "\"\(text)\" stands for one label, since a star never crosses a dot; \"**.\(rest)\" would match"
    }
}
