/// Reads the keys of one mapping, and remembers which it was asked for; see `DocumentNode` for how to use it.
package struct DocumentMapping {
    /// The mapping itself, for problems about it as a whole.
    package let node: DocumentNode
    /// Keys and values, as they stand in the file.
    package let pairs: [DocumentNode.Pair]
    /// Where problems go.
    package let problems: DocumentProblems
    /// The keys that were asked for so far, in that order.
    private var asked: [String] = []

    /// A reader over `pairs`, the content of `node`.
    init(node: DocumentNode, pairs: [DocumentNode.Pair], problems: DocumentProblems) {
        self.node = node
        self.pairs = pairs
        self.problems = problems
    }

    /// The value of `key`; with `required` its absence is an error.
    package mutating func value(_ key: String, required: Bool = false) -> DocumentNode? {
        if !asked.contains(key) { asked.append(key) }
        if let pair = pairs.first(where: { $0.key == key }) { return pair.value }
        if required { problems.error(node, "\(quoted(key)) is missing") }
        return nil
    }

    /// Whether the mapping has `key`; counts as asking for it.
    package mutating func has(_ key: String) -> Bool { value(key) != nil }

    /// Text.
    package mutating func string(_ key: String, required: Bool = false) -> String? {
        value(key, required: required)?.string(problems)
    }

    /// A whole number within `range`.
    package mutating func integer(_ key: String, in range: ClosedRange<Int>, required: Bool = false) -> Int? {
        value(key, required: required)?.integer(in: range, problems)
    }

    /// `true` or `false`.
    package mutating func bool(_ key: String, required: Bool = false) -> Bool? {
        value(key, required: required)?.bool(problems)
    }

    /// One of the values of an enumeration, by its raw value.
    package mutating func choice<Choice>(
        _ key: String, _ type: Choice.Type, required: Bool = false
    ) -> Choice? where Choice: RawRepresentable<String> & CaseIterable {
        value(key, required: required)?.choice(type, problems)
    }

    /// Text that `parse` understands; `expected` finishes the sentence "expected …" when it does not.
    package mutating func value<Value>(
        _ key: String, _ expected: String, required: Bool = false, _ parse: (String) -> Value?
    ) -> Value? {
        value(key, required: required)?.value(expected, problems, parse)
    }

    /// A list of texts that `parse` understands; elements that it does not are noted one by one and left out.
    package mutating func values<Value>(
        _ key: String, _ expected: String, required: Bool = false, _ parse: (String) -> Value?
    ) -> [Value]? {
        elements(key, required: required)?.compactMap { $0.value(expected, problems, parse) }
    }

    /// A list of texts; a single text is an error.
    package mutating func strings(_ key: String, required: Bool = false) -> [String]? {
        value(key, required: required)?.strings(problems)
    }

    /// The elements of a list.
    package mutating func elements(_ key: String, required: Bool = false) -> [DocumentNode]? {
        value(key, required: required)?.elements(problems)
    }

    /// Reads the mapping under `key` with `body`; its unknown keys are errors as well.
    @discardableResult
    package mutating func mapping<Result>(
        _ key: String, required: Bool = false, _ body: (inout DocumentMapping) -> Result
    ) -> Result? {
        value(key, required: required)?.mapping(problems, body)
    }

    /// Takes every key as known, for mappings whose keys are free (labels) or none of our business.
    package mutating func acceptAllKeys() {
        asked = pairs.map(\.key)
    }

    /// Notes an error for each key that nobody asked for.
    func reportUnknownKeys() {
        let known = Set(asked)
        let unknown = pairs.filter { !known.contains($0.key) }
        guard !unknown.isEmpty else { return }
        let absent = known.subtracting(pairs.map(\.key)).sorted()
        for pair in unknown {
            problems.add(
                DocumentProblem(
                    severity: .error, file: node.file, line: pair.line, column: pair.column, path: node.path,
                    message: "unknown key \(quoted(pair.key))\(suggestion(for: pair.key, among: absent))"))
        }
    }
}
