import DNSWire

/// One `matchName` or `matchPattern`, compiled for comparison with wire labels.
///
/// A star stands for zero or more of `[-a-zA-Z0-9_]` inside one label; `**.` at the start (two or more stars) stands
/// for one or more labels of these characters; stars alone, with or without a dot, stand for every name.
public struct Pattern: Hashable, Sendable {
    /// The key under which a document has the pattern.
    public enum Field: String, Hashable, Sendable, CaseIterable {
        /// A name, without stars.
        case matchName
        /// A name with stars.
        case matchPattern
    }

    /// What the text means.
    enum Shape: Hashable, Sendable {
        /// Exactly this name.
        case exact(DomainName)
        /// Stars alone.
        case everyName
        /// Label globs from the left, length-prefixed like wire labels and ending in 0, a star as `*`; when it is
        /// deep, one or more further labels stand before them.
        case globs([UInt8], isDeep: Bool)
    }

    /// The key it was written under.
    public let field: Field
    /// What it means.
    let shape: Shape

    /// Reads the text of a document.
    /// - Throws: `PatternError`, whose description finishes the sentence "`matchPattern` …".
    public init(_ field: Field, _ text: String) throws(PatternError) {
        self.field = field
        let trimmed = Pattern.trimmed(text)
        guard !trimmed.isEmpty else { throw .empty }
        guard trimmed.utf8.count <= 255 else { throw .tooLong }
        if let stranger = trimmed.unicodeScalars.first(where: { !Pattern.isAllowed($0) }) {
            throw .character(stranger, field)
        }
        var bytes = trimmed.utf8.map { $0 &- 0x41 < 26 ? $0 | 0x20 : $0 }
        let star = UInt8(ascii: "*")
        let dot = UInt8(ascii: ".")
        let hasStars = bytes.contains(star)
        guard !hasStars || field == .matchPattern else { throw .starInName }
        if bytes == [dot] {
            shape = .exact(.root)
            return
        }
        if bytes.last == dot { bytes.removeLast() }
        if hasStars, bytes.allSatisfy({ $0 == star }) {
            shape = .everyName
            return
        }
        var labels = bytes.split(separator: dot, omittingEmptySubsequences: false)
        guard labels.allSatisfy({ !$0.isEmpty }) else { throw .emptyLabel }
        guard hasStars else {
            do throws(NameError) {
                shape = .exact(try DomainName(String(decoding: bytes, as: UTF8.self)))
            } catch {
                throw error == .labelTooLong ? .labelTooLong : .nameTooLong
            }
            return
        }
        let isDeep = labels.count > 1 && labels[0].count > 1 && labels[0].allSatisfy { $0 == star }
        if isDeep { labels.removeFirst() }
        var globs: [UInt8] = []
        var shortest = isDeep ? 3 : 1
        for label in labels {
            let glob = Pattern.withSingleStars(label)
            let literals = glob.count { $0 != star }
            guard literals <= 63 else { throw .labelTooLong }
            shortest += 1 + max(1, literals)
            globs.append(UInt8(truncatingIfNeeded: glob.count))
            globs.append(contentsOf: glob)
        }
        guard shortest <= 255 else { throw .nameTooLong }
        globs.append(0)
        shape = .globs(globs, isDeep: isDeep)
    }

    /// Whether the pattern is one name.
    var isExact: Bool {
        if case .exact = shape { true } else { false }
    }

    /// `text` without blanks and line ends around it.
    private static func trimmed(_ text: String) -> String {
        func isBlank(_ scalar: Unicode.Scalar) -> Bool { scalar == " " || (0x09...0x0D).contains(scalar.value) }
        let scalars = text.unicodeScalars.drop(while: isBlank)
        guard let last = scalars.lastIndex(where: { !isBlank($0) }) else { return "" }
        return String(scalars[...last])
    }

    /// Whether a character may stand in a pattern at all.
    private static func isAllowed(_ scalar: Unicode.Scalar) -> Bool {
        guard scalar.isASCII else { return false }
        let byte = UInt8(truncatingIfNeeded: scalar.value)
        return isStarMatched(byte &- 0x41 < 26 ? byte | 0x20 : byte)
            || byte == UInt8(ascii: ".") || byte == UInt8(ascii: "*")
    }

    /// `label` with every run of stars as one.
    private static func withSingleStars(_ label: ArraySlice<UInt8>) -> [UInt8] {
        var glob: [UInt8] = []
        for byte in label where byte != UInt8(ascii: "*") || glob.last != byte { glob.append(byte) }
        return glob
    }
}

extension Pattern: CustomStringConvertible {
    /// The pattern in canonical form: lower case, no trailing dot, runs of stars shortened.
    public var description: String {
        switch shape {
        case .exact(let name): name.isRoot ? "." : String(name.description.dropLast())
        case .everyName: "*"
        case .globs(let globs, let isDeep): Pattern.text(globs: globs[...], isDeep: isDeep)
        }
    }

    /// The text of length-prefixed label globs that end in 0.
    static func text(globs: ArraySlice<UInt8>, isDeep: Bool) -> String {
        var labels: [String] = isDeep ? ["**"] : []
        var offset = globs.startIndex
        while offset < globs.endIndex, globs[offset] != 0 {
            let end = offset + 1 + Int(globs[offset])
            labels.append(String(decoding: globs[(offset + 1)..<end], as: UTF8.self))
            offset = end
        }
        return labels.joined(separator: ".")
    }
}
