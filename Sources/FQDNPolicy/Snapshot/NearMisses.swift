import DNSWire

/// Finds rules that look as if they were meant for a name that they do not match.
struct NearMisses {
    /// The sentences, at most `limit`, the likeliest first.
    let sentences: [String]
    /// Most sentences.
    private static let limit = 5
    /// Most rules that are looked at, so that the answer comes at once.
    private static let searched = 100_000
    /// Most near misses that are compared with each other.
    private static let compared = 100

    /// How near a miss is, the nearest first.
    private enum Rank: Int, Comparable {
        /// Only the transport is another.
        case transport
        /// The name has too few or too many labels.
        case labels
        /// One label is another.
        case label
        /// The name is spelled nearly the same.
        case spelling

        static func < (left: Rank, right: Rank) -> Bool { left.rawValue < right.rawValue }
    }

    /// A miss: how near, and what is to say.
    private typealias Miss = (rank: Rank, sentence: String)

    /// Looks through the rules of a rule set for names close to `name`.
    init(_ snapshot: PolicySnapshot, _ ruleSet: RuleTables.RuleSet, _ name: DomainName, _ transport: QueryTransport) {
        let tables = snapshot.tables
        let allows = RuleEffects([.allowsUDP, .auditAllowsUDP])
        let other = transport == .udp ? QueryTransport.tcp : .udp
        let buffer = NameBuffer(name)
        var misses: [Miss] = []
        for index in tables.entryRanges(of: ruleSet).joined().prefix(NearMisses.searched)
        where misses.count < NearMisses.compared {
            let entry = tables.entries[index]
            guard !entry.effects.isDisjoint(with: allows.union(allows.for(.tcp))),
                let text = tables.patternText(of: entry), let pattern = try? Pattern(.matchPattern, text)
            else { continue }
            let miss: Miss?
            if pattern.matches(buffer, for: .query) {
                let isForTransport = !entry.effects.isDisjoint(with: allows.for(transport))
                miss =
                    isForTransport
                    ? nil
                    : (
                        .transport,
                        "\(tables.text(of: entry)) is for queries over \(other.protocolName) only: its port entry has "
                            + "protocol \(other.protocolName)"
                    )
            } else {
                miss = NearMisses.miss(pattern, text, name)
            }
            guard let miss else { continue }
            let policy = snapshot.policy(of: snapshot.rules[Int(entry.rule)])
            misses.append((miss.rank, "\(miss.sentence) (\(policy.title), \(policy.file):\(entry.line))"))
        }
        // Sorted by rank alone, and otherwise in the order of the documents.
        let sorted = misses.enumerated().sorted { ($0.element.rank, $0.offset) < ($1.element.rank, $1.offset) }
        sentences = sorted.prefix(NearMisses.limit).map(\.element.sentence)
    }

    /// What keeps `pattern`, whose text is `text`, from matching `name`; nil when they have little in common.
    private static func miss(_ pattern: Pattern, _ text: String, _ name: DomainName) -> Miss? {
        if let miss = labelCountMiss(pattern, text, name) ?? labelMiss(pattern, text, name) { return miss }
        let plainName = String(name.description.dropLast())
        guard pattern.isExact, abs(text.utf8.count - plainName.utf8.count) <= 2,
            !suggestion(for: plainName, among: [text]).isEmpty
        else { return nil }
        return (.spelling, "\"\(text)\" is spelled nearly the same")
    }

    /// A miss because the name has too few or too many labels for the pattern.
    private static func labelCountMiss(_ pattern: Pattern, _ text: String, _ name: DomainName) -> Miss? {
        if pattern.isExact {
            guard let exact = try? DomainName(text), !exact.isRoot, name.isEqualToOrBelow(exact) else { return nil }
            return (
                .labels, "\"\(text)\" is that name alone; \"**.\(text)\" would match the names below it"
            )
        }
        guard let dot = text.firstIndex(of: ".") else { return nil }
        let first = text[..<dot]
        let rest = String(text[text.index(after: dot)...])
        guard first.allSatisfy({ $0 == "*" }), let restPattern = try? Pattern(.matchPattern, rest) else { return nil }
        let buffer = NameBuffer(name)
        if restPattern.matches(buffer, for: .query) {
            let plainName = String(name.description.dropLast())
            return (
                .labels,
                "\"\(text)\" would match names below; \"\(plainName)\" does not: a star needs a label; add "
                    + "\"\(plainName)\" as a matchName of its own"
            )
        }
        guard first == "*", let deep = try? Pattern(.matchPattern, "**.\(rest)"), deep.matches(buffer, for: .query)
        else { return nil }
        return (
            .labels,
            "\"\(text)\" stands for one label, since a star never crosses a dot; \"**.\(rest)\" would match"
        )
    }

    /// A miss because of one label of as many as the pattern has.
    private static func labelMiss(_ pattern: Pattern, _ text: String, _ name: DomainName) -> Miss? {
        guard !pattern.isExact, !text.hasPrefix("**.") else { return nil }
        let globs = text.split(separator: ".", omittingEmptySubsequences: false).map(String.init)
        let labels = name.presentationLabels
        guard globs.count == labels.count, globs.count > 1 else { return nil }
        var odd: Int?
        for index in globs.indices {
            guard let glob = try? Pattern(.matchPattern, globs[index]), let label = try? DomainName(labels[index])
            else {
                return nil
            }
            // A star alone, as a whole pattern, would be every name.
            let isMatch = globs[index] == "*" ? label.isExpressible : glob.matches(NameBuffer(label), for: .query)
            guard !isMatch else { continue }
            guard odd == nil else { return nil }
            odd = index
        }
        guard let odd, globs[odd].contains("*") else { return nil }
        if globs[odd] == "*" {
            return (
                .label,
                "\"\(text)\": a star stands for letters, digits, \"-\" and \"_\", and the label \"\(labels[odd])\" has "
                    + "other bytes"
            )
        }
        return (
            .label, "\"\(text)\" would match, were the label \"\(labels[odd])\" one of the form \"\(globs[odd])\""
        )
    }
}

extension DomainName {
    /// The labels from the left, in presentation format.
    fileprivate var presentationLabels: [String] {
        var labels: [String] = []
        var name = self
        while let parent = name.parent {
            let label = DomainName(canonicalBytes: Array(name.bytes[0...Int(name.bytes[0])]) + [0])
            labels.append(String(label.description.dropLast()))
            name = parent
        }
        return labels
    }
}
