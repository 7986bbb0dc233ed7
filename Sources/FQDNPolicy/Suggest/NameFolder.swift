import DNSWire

/// Folds names that differ in one label into patterns, only below what one party has registered.
struct NameFolder {
    /// Where registered names begin.
    private let suffixes: PublicSuffixes
    /// Names from which on they are folded.
    private let minimum: Int

    /// A folder of `minimum` and more names.
    init(_ suffixes: PublicSuffixes, minimum: Int) {
        self.suffixes = suffixes
        self.minimum = minimum
    }

    /// A group of names: the labels, with an empty one where the names differ.
    private typealias Group = [String]

    /// One name.
    private struct Candidate {
        /// The name.
        let name: DomainName
        /// Its labels.
        let labels: [String]
        /// How often it was asked for.
        let count: UInt64
    }

    /// What the document should have for these names, whose counts are given.
    ///
    /// The largest group is folded first, then the largest of what is left; a name is in one fold only.
    func entries(_ names: [DomainName: UInt64]) -> [PolicySuggestion.Entry] {
        let candidates = names.map { Candidate(name: $0.key, labels: $0.key.labels, count: $0.value) }
            .sorted { $0.name < $1.name }
        var groups: [Group: [Int]] = [:]
        for (index, candidate) in candidates.enumerated() {
            for position in 0..<foldable(candidate) {
                var group = candidate.labels
                group[position] = ""
                groups[group, default: []].append(index)
            }
        }
        var order = groups.filter { $0.value.count >= minimum }
            .sorted {
                ($1.value.count, $0.key.joined(separator: ".")) < ($0.value.count, $1.key.joined(separator: "."))
            }
        var isFolded = [Bool](repeating: false, count: candidates.count)
        var entries: [(first: DomainName, entry: PolicySuggestion.Entry)] = []
        while !order.isEmpty {
            let (group, members) = order.removeFirst()
            let left = members.filter { !isFolded[$0] }
            guard left.count >= minimum else { continue }
            if left.count < members.count {
                // Other groups may be larger now: this one waits for its turn.
                let place = order.firstIndex { $0.value.count < left.count } ?? order.endIndex
                order.insert((group, left), at: place)
                continue
            }
            for index in left { isFolded[index] = true }
            entries.append((candidates[left[0]].name, entry(group, left.map { candidates[$0] })))
        }
        for (index, candidate) in candidates.enumerated() where !isFolded[index] {
            let text = candidate.name.isRoot ? "." : candidate.labels.joined(separator: ".")
            entries.append(
                (
                    candidate.name,
                    .init(text: text, isPattern: false, names: 1, queries: candidate.count, example: text)
                ))
        }
        return entries.sorted { $0.first < $1.first }.map(\.entry)
    }

    /// How many labels from the left may be a star: those with at least one label between them and the public suffix.
    private func foldable(_ candidate: Candidate) -> Int {
        max(0, candidate.labels.count - suffixes.suffix(of: candidate.name).labels - 1)
    }

    /// The pattern for the names of a group.
    private func entry(_ group: Group, _ members: [Candidate]) -> PolicySuggestion.Entry {
        let position = group.firstIndex(of: "") ?? 0
        var labels = group
        labels[position] = NameFolder.glob(members.map { $0.labels[position] })
        return .init(
            text: labels.joined(separator: "."), isPattern: true, names: members.count,
            queries: members.reduce(0) { $0.addingSaturating($1.count) },
            example: members[0].labels.joined(separator: "."))
    }

    /// A star with what the labels have in common before and behind it, as far as that is whole words: up to a hyphen
    /// or an underscore, or letters before numbers.
    static func glob(_ labels: [String]) -> String {
        guard let first = labels.first.map({ Array($0.utf8) }) else { return "*" }
        let texts = labels.map { Array($0.utf8) }
        let shortest = texts.map(\.count).min() ?? 0
        var prefix = 0
        while prefix < shortest, texts.allSatisfy({ $0[prefix] == first[prefix] }) { prefix += 1 }
        while prefix > 0, !isWordEnd(texts, prefix) { prefix -= 1 }
        var suffix = 0
        while suffix < shortest - prefix,
            texts.allSatisfy({ $0[$0.count - 1 - suffix] == first[first.count - 1 - suffix] })
        {
            suffix += 1
        }
        while suffix > 0, !isSeparator(first[first.count - suffix]) { suffix -= 1 }
        return String(decoding: first[..<prefix], as: UTF8.self) + "*"
            + String(decoding: first[(first.count - suffix)...], as: UTF8.self)
    }

    /// Whether the first `count` bytes of all texts, which are the same, end where a word ends.
    private static func isWordEnd(_ texts: [[UInt8]], _ count: Int) -> Bool {
        let last = texts[0][count - 1]
        if isSeparator(last) { return true }
        func isDigit(_ byte: UInt8) -> Bool { byte &- 48 < 10 }
        return !isDigit(last) && texts.allSatisfy { $0.count > count && isDigit($0[count]) }
    }

    /// Whether a byte separates words.
    private static func isSeparator(_ byte: UInt8) -> Bool {
        byte == UInt8(ascii: "-") || byte == UInt8(ascii: "_")
    }
}
