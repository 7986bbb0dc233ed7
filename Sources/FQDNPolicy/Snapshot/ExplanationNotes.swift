import DNSWire

/// What helps to understand an outcome beyond the rules that decide it.
struct ExplanationNotes {
    /// The policy in force.
    let snapshot: PolicySnapshot
    /// Index of the identity.
    let identity: Int
    /// The name.
    let name: DomainName
    /// How the query arrives.
    let transport: QueryTransport
    /// What becomes of it.
    let outcome: Verdict.Outcome
    /// The entries that match the name.
    let matching: [RuleTables.Entry]
    /// Whether the answer is learned.
    let isLearned: Bool

    /// Most rule sets of others that are searched.
    private static let searched = 200
    /// Most policies of others that are named.
    private static let named = 3

    /// The sentences.
    var sentences: [String] {
        switch outcome {
        case .allowed, .audited: answered
        case .denied: learningAlone + otherPolicies
        case .prohibited:
            [
                "list the client's address under addresses of an identity, let a policy select reserved: unknown, or "
                    + "set unknownClients: allow"
            ]
        }
    }

    /// Why an answer is not learned.
    private var answered: [String] {
        if isLearned { return [] }
        let denials = matching.filter { !$0.effects.isDisjoint(with: [.deniesLearning, .deniesPorts]) }
        if let denial = denials.first, matching.contains(where: { $0.effects.contains(.selects) }) {
            return ["it is not learned: \(text(denial)) under egressDeny takes it away"]
        }
        return ["it is not learned, so no enforcer opens its addresses: no toFQDNs selects it"]
    }

    /// That `toFQDNs` has the name, which is the mistake that is made most often.
    private var learningAlone: [String] {
        guard let entry = matching.first(where: { $0.effects.contains(.selects) }) else { return [] }
        return [
            "\(text(entry)) selects it for learning only: toFQDNs never allows a query; "
                + "name it under rules.dns of a rule for port 53 as well"
        ]
    }

    /// Policies that allow the name, but to others.
    private var otherPolicies: [String] {
        let own = Set(snapshot.selectingPolicies[Int(snapshot.ruleSets[identity])])
        var found: [UInt32] = []
        let buffer = NameBuffer(name)
        var isSeen = Set([snapshot.ruleSets[identity]])
        for index in snapshot.identities.indices where isSeen.count <= ExplanationNotes.searched {
            guard isSeen.insert(snapshot.ruleSets[index]).inserted else { continue }
            for entry in snapshot.matchingEntries(identity: index, name: buffer)
            where entry.effects.has(.allowsUDP, transport) || entry.effects.has(.auditAllowsUDP, transport) {
                let policy = snapshot.rules[Int(entry.rule)].policy
                if !own.contains(Int(policy)), !found.contains(policy) { found.append(policy) }
            }
            if found.count >= ExplanationNotes.named { break }
        }
        return found.prefix(ExplanationNotes.named).map { index in
            let policy = snapshot.policies[Int(index)]
            return "\(policy.title) (\(policy.file)) allows it, but does not select this identity: compare its labels"
        }
    }

    /// An entry for a sentence.
    private func text(_ entry: RuleTables.Entry) -> String {
        let policy = snapshot.policy(of: snapshot.rules[Int(entry.rule)])
        return "\(snapshot.tables.text(of: entry)) of \(policy.title) (\(policy.file):\(entry.line))"
    }
}
