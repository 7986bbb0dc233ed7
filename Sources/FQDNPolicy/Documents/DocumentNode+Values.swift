/// Typed reading of one value; the problem is noted and nil returned when the value is of another type.
extension DocumentNode {
    /// Text; an unquoted number or truth value is text as well, nothing (null) is not.
    package func string(_ problems: DocumentProblems) -> String? {
        guard case .scalar(let text, _) = content, !isNull else {
            problems.error(self, "expected text, found \(kind)")
            return nil
        }
        return text
    }

    /// A whole number in decimal, within `range`.
    package func integer(in range: ClosedRange<Int>, _ problems: DocumentProblems) -> Int? {
        guard case .scalar(let text, _) = content, !isNull else {
            problems.error(self, "expected a number, found \(kind)")
            return nil
        }
        guard let number = DocumentNode.decimal(text), range.contains(number) else {
            problems.error(
                self, "expected a whole number from \(range.lowerBound) to \(range.upperBound), found \(quoted(text))")
            return nil
        }
        return number
    }

    /// `true` or `false`, unquoted.
    package func bool(_ problems: DocumentProblems) -> Bool? {
        guard case .scalar(let text, let isPlain) = content, !isNull else {
            problems.error(self, "expected true or false, found \(kind)")
            return nil
        }
        switch (text, isPlain) {
        case ("true", true), ("True", true), ("TRUE", true): return true
        case ("false", true), ("False", true), ("FALSE", true): return false
        default:
            problems.error(self, "expected true or false, found \(isPlain ? text : quoted(text))")
            return nil
        }
    }

    /// One of the values of an enumeration, by its raw value.
    package func choice<Choice>(_ type: Choice.Type, _ problems: DocumentProblems) -> Choice?
    where Choice: RawRepresentable<String> & CaseIterable {
        guard let text = string(problems) else { return nil }
        if let choice = Choice(rawValue: text) { return choice }
        let known = Choice.allCases.map(\.rawValue)
        problems.error(
            self,
            "unknown value \(quoted(text))\(suggestion(for: text, among: known)); "
                + "expected one of \(known.joined(separator: ", "))")
        return nil
    }

    /// Text that `parse` understands; `expected` finishes the sentence "expected …" when it does not.
    package func value<Value>(
        _ expected: String, _ problems: DocumentProblems, _ parse: (String) -> Value?
    ) -> Value? {
        guard let text = string(problems) else { return nil }
        if let value = parse(text) { return value }
        problems.error(self, "expected \(expected), found \(quoted(text))")
        return nil
    }

    /// The elements of a list; a single value is not a list of one.
    package func elements(_ problems: DocumentProblems) -> [DocumentNode]? {
        guard case .sequence(let elements) = content else {
            problems.error(self, "expected a list, found \(kind)")
            return nil
        }
        return elements
    }

    /// The texts of a list, those of another type left out and noted.
    package func strings(_ problems: DocumentProblems) -> [String]? {
        elements(problems)?.compactMap { $0.string(problems) }
    }

    /// Reads a mapping with `body`, and then notes an error for every key that `body` did not ask for.
    @discardableResult
    package func mapping<Result>(
        _ problems: DocumentProblems, _ body: (inout DocumentMapping) -> Result
    ) -> Result? {
        guard case .mapping(let pairs) = content else {
            problems.error(self, "expected a mapping of keys and values, found \(kind)")
            return nil
        }
        var mapping = DocumentMapping(node: self, pairs: pairs, problems: problems)
        let result = body(&mapping)
        mapping.reportUnknownKeys()
        return result
    }

    /// A decimal number with an optional minus sign; nil for anything else, overflow included.
    private static func decimal(_ text: String) -> Int? {
        let digits = text.hasPrefix("-") ? text.dropFirst() : text[...]
        guard !digits.isEmpty, digits.utf8.allSatisfy({ $0 &- 48 < 10 }) else { return nil }
        return Int(text)
    }
}

/// A value's text for a message: in quotes, control characters escaped, cut when it is long.
package func quoted(_ text: String) -> String {
    let shown = text.unicodeScalars.prefix(80).map { $0.escaped(asASCII: false) }.joined()
    return "\"\(shown)\(text.unicodeScalars.count > 80 ? "…" : "")\""
}

/// ` (did you mean "x"?)` when one of `known` is close to `text`, else nothing.
package func suggestion(for text: String, among known: some Sequence<String>) -> String {
    guard text.utf8.count <= 64 else { return "" }
    let wanted = Array(text.lowercased().utf8)
    let allowed = wanted.count < 4 ? 1 : 2
    let best = known.map { (distance: editDistance(wanted, Array($0.lowercased().utf8)), name: $0) }
        .min { $0.distance < $1.distance }
    guard let best, best.distance <= allowed else { return "" }
    return " (did you mean \"\(best.name)\"?)"
}

/// Insertions, deletions, replacements and swaps of neighbours that lead from one text to the other.
private func editDistance(_ left: [UInt8], _ right: [UInt8]) -> Int {
    var older: [Int] = []
    var previous = Array(0...right.count)
    for row in left.indices {
        var current = [row + 1]
        for column in right.indices {
            var cost = previous[column] + (left[row] == right[column] ? 0 : 1)
            cost = min(cost, current[column] + 1, previous[column + 1] + 1)
            if row > 0, column > 0, left[row] == right[column - 1], left[row - 1] == right[column] {
                cost = min(cost, older[column - 1] + 1)
            }
            current.append(cost)
        }
        older = previous
        previous = current
    }
    return previous[right.count]
}
