import Yams

extension DocumentNode {
    /// The documents of a YAML text that can be read, those that are empty left out; everything that is wrong with
    /// the rest goes to `problems`.
    ///
    /// Syntax errors, duplicate keys, too large or too deep documents and aliases that expand beyond `limits` are
    /// errors with a place. A syntax error ends the file, since nothing behind it can be trusted to be what it seems.
    package static func documents(
        in text: String, file: String, limits: DocumentLimits = DocumentLimits(), problems: DocumentProblems
    ) -> [DocumentNode] {
        do throws(DocumentProblem) {
            let scan = try YAMLScan(text, file: file, limits: limits)
            return YAMLComposer(scan, file: file, limits: limits, problems: problems).compose()
        } catch {
            problems.add(error)
            return []
        }
    }

    /// As above, with the problems as a list.
    package static func documents(
        in text: String, file: String, limits: DocumentLimits = DocumentLimits()
    ) -> (documents: [DocumentNode], problems: [DocumentProblem]) {
        let problems = DocumentProblems()
        return (documents(in: text, file: file, limits: limits, problems: problems), problems.list)
    }
}

/// A place in the text.
private struct Place {
    /// Line, counted from 1.
    let line: Int
    /// Column in Unicode scalars, counted from 1.
    let column: Int

    /// The place with these numbers.
    init(line: Int, column: Int) {
        self.line = line
        self.column = column
    }

    /// The parser's idea of a place.
    init(_ mark: Mark?) {
        line = max(mark?.line ?? 1, 1)
        column = max(mark?.column ?? 1, 1)
    }
}

/// Turns what the YAML parser makes of a scanned text into `DocumentNode`s.
private final class YAMLComposer {
    /// The text to parse.
    private let scan: YAMLScan
    /// The file's name.
    private let file: String
    /// What the file may cost.
    private let limits: DocumentLimits
    /// Where problems go.
    private let problems: DocumentProblems
    /// Values that may still be made.
    private var budget: Int
    /// Whether the budget's end was reported.
    private var isOverBudget = false
    /// What the anchors of the current document stand for.
    private var anchors: [String: DocumentNode] = [:]

    /// A composer for one file.
    init(_ scan: YAMLScan, file: String, limits: DocumentLimits, problems: DocumentProblems) {
        self.scan = scan
        self.file = file
        self.limits = limits
        self.problems = problems
        budget = limits.values
    }

    /// All documents up to the first syntax error.
    func compose() -> [DocumentNode] {
        var documents: [DocumentNode] = []
        do {
            // The encoding is named because the default one looks into the environment; no resolver, because types
            // are decided by who reads a value.
            let parser = try Parser(yaml: scan.text, resolver: .basic, encoding: .utf8)
            while let root = try parser.nextRoot() {
                anchors = [:]
                let node = withExtendedLifetime(parser) { convert(root, DocumentPath(.file(file)), depth: 0) }
                if let node, !node.isNull { documents.append(node) }
            }
        } catch let error as YamlError {
            problems.add(problem(error))
        } catch {
            problems.add(DocumentProblem(file: file, message: "cannot be parsed"))
        }
        return documents
    }

    /// One value with everything in it; nil when it was refused.
    private func convert(_ node: Node, _ path: DocumentPath, depth: Int) -> DocumentNode? {
        let mark = Place(node.mark)
        guard spend(1, mark, path) else { return nil }
        guard depth <= limits.depth else {
            report(mark, path, "nested more than \(limits.depth) levels deep")
            return nil
        }
        let content: DocumentNode.Content
        switch node {
        case .scalar(let scalar):
            let isPlain = scalar.style == .plain
            if isPlain, let star = scan.star, scalar.string.first == star {
                return expand(restored(scalar.string), mark, path, depth: depth)
            }
            content = .scalar(restored(scalar.string), isPlain: isPlain)
        case .sequence(let sequence):
            content = .sequence(
                sequence.enumerated().compactMap { index, element in
                    convert(element, DocumentPath(.index(index), of: path), depth: depth + 1)
                })
        case .mapping(let mapping):
            content = .mapping(mapping.compactMap { pair($0.key, $0.value, path, depth: depth) })
        case .alias:
            return nil
        }
        let converted = DocumentNode(line: mark.line, column: mark.column, location: path, content: content)
        if let anchor = node.anchor { anchors[anchor.rawValue] = converted }
        return converted
    }

    /// A key with its value; nil when either was refused.
    private func pair(_ key: Node, _ value: Node, _ path: DocumentPath, depth: Int) -> DocumentNode.Pair? {
        let mark = Place(key.mark)
        guard let scalar = key.scalar else {
            report(mark, path, "a key must be text")
            return nil
        }
        let name = restored(scalar.string)
        if name.first == "*", scalar.style == .plain {
            report(mark, path, "\(quoted(name)) must be in quotes: an unquoted * starts a YAML alias")
            return nil
        }
        guard let node = convert(value, DocumentPath(.key(name), of: path), depth: depth + 1) else { return nil }
        if let anchor = scalar.anchor {
            anchors[anchor.rawValue] = DocumentNode(
                line: mark.line, column: mark.column, location: path, content: .scalar(name, isPlain: true))
        }
        return DocumentNode.Pair(key: name, line: mark.line, column: mark.column, value: node)
    }

    /// What an alias, written `text`, stands for.
    private func expand(_ text: String, _ mark: Place, _ path: DocumentPath, depth: Int) -> DocumentNode? {
        let name = text.dropFirst()
        guard let target = anchors[String(name)] else {
            let isName = !name.isEmpty && name.utf8.allSatisfy { YAMLComposer.isAnchorCharacter($0) }
            report(
                mark, path,
                "\(quoted(text)) must be in quotes: an unquoted * starts a YAML alias"
                    + (isName ? ", and there is no anchor \"&\(name)\" before it" : ""))
            return nil
        }
        guard let copy = rebase(target, path, mark, depth: depth) else { return nil }
        return DocumentNode(line: mark.line, column: mark.column, location: path, content: copy.content)
    }

    /// A copy of an anchored value at another path; nil when that would exceed a limit.
    private func rebase(_ node: DocumentNode, _ path: DocumentPath, _ mark: Place, depth: Int) -> DocumentNode? {
        guard spend(1, mark, path) else { return nil }
        guard depth <= limits.depth else {
            report(mark, path, "nested more than \(limits.depth) levels deep")
            return nil
        }
        let content: DocumentNode.Content
        switch node.content {
        case .scalar:
            content = node.content
        case .sequence(let elements):
            content = .sequence(
                elements.enumerated().compactMap { index, element in
                    rebase(element, DocumentPath(.index(index), of: path), mark, depth: depth + 1)
                })
        case .mapping(let pairs):
            content = .mapping(
                pairs.compactMap { pair in
                    rebase(pair.value, DocumentPath(.key(pair.key), of: path), mark, depth: depth + 1).map {
                        DocumentNode.Pair(key: pair.key, line: pair.line, column: pair.column, value: $0)
                    }
                })
        }
        return DocumentNode(line: node.line, column: node.column, location: path, content: content)
    }

    /// Takes `count` values from the budget; false, and one report, when it is used up.
    private func spend(_ count: Int, _ mark: Place, _ path: DocumentPath) -> Bool {
        budget -= count
        if budget >= 0 { return true }
        if !isOverBudget {
            isOverBudget = true
            report(mark, path, "the file has more than \(limits.values) values, what its aliases repeat included")
        }
        return false
    }

    /// `text` with its stars put back.
    private func restored(_ text: String) -> String {
        guard let star = scan.star, text.utf8.contains(0xEE) else { return text }
        var scalars = String.UnicodeScalarView()
        for scalar in text.unicodeScalars { scalars.append(Character(scalar) == star ? "*" : scalar) }
        return String(scalars)
    }

    /// Notes an error.
    private func report(_ mark: Place, _ path: DocumentPath, _ message: String) {
        problems.add(
            DocumentProblem(
                severity: .error, file: file, line: mark.line, column: mark.column, path: path.text, message: message))
    }

    /// The parser's error in our form.
    private func problem(_ error: YamlError) -> DocumentProblem {
        switch error {
        case .scanner(let context, let problem, let mark, _), .parser(let context, let problem, let mark, _),
            .composer(let context, let problem, let mark, _):
            let reason = context.map { "\(problem) \($0.text)" } ?? problem
            return syntaxError(mark.line, mark.column, "not YAML: \(reason)")
        case .reader(let problem, let offset, _, _):
            guard let offset else { return DocumentProblem(file: file, message: "not YAML: \(problem)") }
            let before = scan.text.prefix(offset)
            let line = before.count { $0.isNewline } + 1
            let column = before.reversed().prefix { !$0.isNewline }.count + 1
            return syntaxError(line, column, "not YAML: \(problem)")
        case .duplicatedKeysInMapping(let duplicates, let context):
            let key = restored(duplicates.first ?? "")
            let mark = Place(context.mark)
            let place = secondPlace(of: key, after: mark) ?? mark
            return syntaxError(place.line, place.column, "duplicate key \(quoted(key)), first on line \(mark.line)")
        case .no, .memory, .writer, .emitter, .representer, .dataCouldNotBeDecoded:
            return DocumentProblem(file: file, message: "cannot be parsed")
        }
    }

    /// An error at a place of the text that no key path leads to.
    private func syntaxError(_ line: Int, _ column: Int, _ message: String) -> DocumentProblem {
        DocumentProblem(
            severity: .error, file: file, line: max(line, 1), column: max(column, 1), path: "", message: message)
    }

    /// Where the mapping that has `key` at `mark` has it again, for the usual form of one key a line; the parser
    /// only tells the first place.
    private func secondPlace(of key: String, after mark: Place) -> Place? {
        let indent = mark.column - 1
        var line = mark.line
        for text in scan.text.split(separator: "\n", omittingEmptySubsequences: false).dropFirst(mark.line) {
            line += 1
            let blanks = text.prefix { $0 == " " }.count
            let rest = text.dropFirst(blanks)
            if rest.isEmpty || rest.first == "#" || blanks > indent { continue }
            guard blanks == indent else { return nil }
            if [key, "\"\(key)\"", "'\(key)'"].contains(where: { written in
                rest.hasPrefix(written) && rest.dropFirst(written.count).first { $0 != " " } == ":"
            }) {
                return Place(line: line, column: mark.column)
            }
        }
        return nil
    }

    /// Whether a byte can be part of an anchor's name.
    private static func isAnchorCharacter(_ byte: UInt8) -> Bool {
        byte &- 48 < 10 || (byte | 0x20) &- 97 < 26 || byte == UInt8(ascii: "-") || byte == UInt8(ascii: "_")
    }
}
