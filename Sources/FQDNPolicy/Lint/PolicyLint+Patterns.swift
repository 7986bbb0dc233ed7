import DNSWire

extension PolicyLint {
    /// Looks at a pattern by itself: whether it can match what anybody asks for, and whom the names belong to.
    func checkForm(_ item: LintedPattern) {
        switch item.entry.pattern.shape {
        case .everyName: return
        case .exact(let name):
            guard IPAddress(name.description.dropLast()) != nil else { return }
            note(
                item, .warning, "is an IP address: nobody asks for it as a name; addresses are for toCIDR",
                .neverMatches)
        case .globs(let globs, let isDeep):
            guard !item.context.rule.isDeny, let tail = openSuffix(globs, isDeep: isDeep) else { return }
            note(
                item, .warning,
                "reaches names that strangers register below \(quoted(tail)); write the registered name out, as in "
                    + "\(quoted("*.example." + tail))", .publicSuffix)
        }
    }

    /// The public suffix whose names a pattern matches whoever they belong to; nil when it stays within one registered
    /// name. The label in front of the suffix is the one that is registered.
    private func openSuffix(_ globs: [UInt8], isDeep: Bool) -> String? {
        var labels: [ArraySlice<UInt8>] = []
        var offset = 0
        while offset < globs.count, globs[offset] != 0 {
            let end = offset + 1 + Int(globs[offset])
            labels.append(globs[(offset + 1)..<end])
            offset = end
        }
        let tail = labels.reversed().prefix { !$0.contains(UInt8(ascii: "*")) }.reversed()
        guard !tail.isEmpty else { return nil }
        let text = tail.map { String(decoding: $0, as: UTF8.self) }.joined(separator: ".")
        guard let name = try? DomainName(text) else { return nil }
        let suffix = suffixes.suffix(of: name)
        return suffix.isListed && suffix.labels >= tail.count ? text : nil
    }

    /// Compares a pattern with the other rules for the same identities.
    func checkEffect(_ item: LintedPattern) {
        guard !item.context.ruleSets.isEmpty, let subject = LintSubject(item.entry.pattern) else { return }
        var common: [LintMatch]?
        for ruleSet in item.context.ruleSets {
            let matches = matches(ruleSet, subject, item)
            common = common.map { known in known.filter { matches.contains($0) } } ?? matches
            if common?.isEmpty == true { break }
        }
        var others = common ?? []
        if !item.context.isEverywhere {
            let rules = snapshot.rules[item.context.index]
            others = others.filter {
                let rule = snapshot.rules[Int($0.entry.rule)]
                return rule.policy == rules.policy && rule.spec == rules.spec
            }
        }
        if !reportDenied(item, others), !reportHidden(item, others) { reportUnasked(item) }
    }

    /// The other rules of a rule set that match all that the subject matches.
    private func matches(
        _ ruleSet: RuleTables.RuleSet, _ subject: LintSubject, _ item: LintedPattern
    ) -> [LintMatch] {
        let tables = snapshot.tables
        var visitor = CoveringVisitor()
        for index in ruleSet.layers {
            let layer = tables.layers[Int(tables.layerLists[Int(index)])]
            tables.walk(layer, subject.bytes.span, subject.hash, subject.labelCount, &visitor)
        }
        var found: [LintMatch] = []
        for (head, place) in visitor.found {
            var index = tables.index(of: head)
            var steps = 0
            // A name that hundreds of policies repeat is not compared with each of them.
            while index != 0, steps < 64 {
                let entry = tables.entries[Int(index)]
                let isSelf =
                    Int(entry.rule) == item.context.index && Int(entry.line) == item.entry.line
                    && tables.patternText(of: entry) ?? "*" == item.entry.pattern.description
                let isSameUse = item.use == .learning ? entry.effects.isAboutLearning : !entry.effects.isAboutLearning
                if entry.place == place, !isSelf, isSameUse, subject.isCovered(by: entry) {
                    found.append(LintMatch(entry: entry))
                }
                index = entry.next
                steps += 1
            }
        }
        return found
    }

    /// Says that a rule denies all that the pattern allows; whether it does.
    private func reportDenied(_ item: LintedPattern, _ others: [LintMatch]) -> Bool {
        guard !item.context.rule.isDeny, item.use == .query else { return false }
        let transports = QueryTransport.allCases.filter {
            item.effects.has(.allowsUDP, $0) || item.effects.has(.auditAllowsUDP, $0)
        }
        let denial = others.first { other in transports.allSatisfy { other.entry.effects.has(.deniesUDP, $0) } }
        guard let denial else { return false }
        note(item, .warning, "is denied whatever it allows, by \(place(of: denial.entry)); remove one of them", .denied)
        return true
    }

    /// Says that another rule makes the pattern superfluous; whether one does.
    private func reportHidden(_ item: LintedPattern, _ others: [LintMatch]) -> Bool {
        let text = item.entry.pattern.description
        let cover = others.first { other in
            guard other.entry.effects.isSuperset(of: item.effects), coversPorts(other.entry, item) else { return false }
            // Of two that say the same the first is not hidden.
            let isSame = snapshot.tables.patternText(of: other.entry) ?? "*" == text
            return !isSame || other.entry.effects != item.effects
                || (Int(other.entry.rule), Int(other.entry.line)) < (item.context.index, item.entry.line)
        }
        guard let cover else { return false }
        let isOwn = Int(snapshot.rules[Int(cover.entry.rule)].policy) == item.context.policyIndex
        note(
            item, isOwn ? .warning : .notice,
            "has no effect of its own beside \(place(of: cover.entry)); remove one of them", .hidden)
        return true
    }

    /// Whether the ports that another rule is for include all those of the pattern's rule.
    private func coversPorts(_ other: RuleTables.Entry, _ item: LintedPattern) -> Bool {
        guard item.use == .learning else { return true }
        let ports = snapshot.ports(of: other)
        return item.context.rule.learnedPorts.allSatisfy { $0.subtracting(ports).isEmpty }
    }

    /// Says that a name is learned but may not be asked for.
    private func reportUnasked(_ item: LintedPattern) {
        guard item.use == .learning, item.effects.contains(.selects), item.context.spec.isAboutQueries,
            case .exact(let name) = item.entry.pattern.shape
        else { return }
        let buffer = NameBuffer(name)
        for ruleSet in item.context.ruleSets {
            var found = EffectsVisitor()
            snapshot.tables.walk(ruleSet, buffer, &found)
            let allows: RuleEffects = [.allowsUDP, .auditAllowsUDP]
            let isRestricted = ruleSet.defaultDenies || ruleSet.auditDefaultDenies
            guard isRestricted, found.effects.isDisjoint(with: allows.union(allows.for(.tcp))) else { return }
            guard !ruleSet.possible.isDisjoint(with: allows.union(allows.for(.tcp))) else { return }
        }
        note(
            item, .warning,
            "is never learned, since no rule allows asking for it; add it under rules.dns of a rule for port 53",
            .unasked)
    }

    /// An entry and where it is, for a sentence.
    private func place(of entry: RuleTables.Entry) -> String {
        let policy = snapshot.policy(of: snapshot.rules[Int(entry.rule)])
        return "\(snapshot.tables.text(of: entry)) of \(policy.title) (\(policy.file):\(entry.line))"
    }
}

/// A pattern as if it were a name, so that patterns that match all of it can be found as those of a name are.
private struct LintSubject {
    /// Labels as in wire form, with stars in them, ending in 0.
    let bytes: [UInt8]
    /// Labels.
    let labelCount: Int
    /// The hash of an exact name.
    let hash: UInt64
    /// Whether it stands for names with any number of further labels.
    let isDeep: Bool
    /// Whether it stands for every name.
    let isEveryName: Bool

    /// The subject for a pattern; nil for one that is too long to be looked up.
    init?(_ pattern: Pattern) {
        switch pattern.shape {
        case .everyName:
            bytes = [0]
            labelCount = 0
            hash = 0
            isDeep = true
            isEveryName = true
        case .exact(let name):
            bytes = name.bytes
            labelCount = name.labelCount
            hash = name.hash(seed: .process)
            isDeep = false
            isEveryName = false
        case .globs(let globs, let isDeep):
            bytes = (isDeep ? [1, UInt8(ascii: "*")] : []) + globs
            var labels = 0
            var offset = 0
            while offset < bytes.count, bytes[offset] != 0 {
                guard bytes[offset] < 64 else { return nil }
                labels += 1
                offset += 1 + Int(bytes[offset])
            }
            guard bytes.count <= 255, labels < 128 else { return nil }
            labelCount = labels
            hash = 0
            self.isDeep = isDeep
            isEveryName = false
        }
    }

    /// Whether an entry that was found is for all that the subject is for.
    func isCovered(by entry: RuleTables.Entry) -> Bool {
        switch entry.form {
        case .everyName, .noNames: true
        case .deepGlobs, .deepDomainName: !isEveryName
        case .matchName, .exactPattern, .domainName, .globs: !isDeep
        }
    }
}

/// Remembers which rules match a pattern that is looked up as if it were a name.
private struct CoveringVisitor: MatchVisitor {
    static var takesPatterns: Bool { true }
    /// Where the chains of entries start, and which of their entries count.
    var found: [(head: RuleTables.Head, place: RuleTables.Place)] = []

    func isSatisfied(by possible: RuleEffects) -> Bool { false }

    mutating func visit(_ effects: RuleEffects, _ place: RuleTables.Place, _ head: RuleTables.Head) {
        found.append((head, place))
    }
}

/// Another rule that matches all that a pattern matches.
private struct LintMatch: Equatable {
    /// Its entry in one of the layers that have it.
    let entry: RuleTables.Entry

    static func == (left: LintMatch, right: LintMatch) -> Bool {
        left.entry.rule == right.entry.rule && left.entry.line == right.entry.line
            && left.entry.effects == right.entry.effects && left.entry.form == right.entry.form
    }
}
