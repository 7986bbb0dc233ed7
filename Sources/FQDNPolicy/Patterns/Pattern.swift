import DNSWire

/// One `matchName`, `matchPattern` or `domainNames` entry, compiled for comparison with wire labels.
///
/// In a `matchPattern` a star stands for zero or more of `[-a-zA-Z0-9_]` inside one label; `**.` at the start (two or
/// more stars) stands for one or more labels of these characters; stars alone, with or without a dot, stand for every
/// name. In `domainNames`, which is another dialect, `*.` at the start stands for one or more labels, and that is all.
public struct Pattern: Hashable, Sendable {
    /// The key under which a document has the pattern.
    public enum Field: String, Hashable, Sendable, CaseIterable {
        /// A name, without stars.
        case matchName
        /// A name with stars.
        case matchPattern
        /// A name, perhaps with `*.` in front of it, of the Kubernetes network-policy API.
        case domainName = "domainNames"
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
        let trimmed = field == .domainName ? text : Pattern.trimmed(text)
        guard !trimmed.isEmpty else { throw .empty }
        guard trimmed.utf8.count <= 255 else { throw .tooLong }
        var bytes = [UInt8](trimmed.utf8)
        for index in bytes.indices where bytes[index] &- 0x41 < 26 { bytes[index] |= 0x20 }
        if !bytes.allSatisfy({ Pattern.isAllowed($0) }),
            let stranger = trimmed.unicodeScalars.first(where: { !Pattern.isAllowed($0) })
        {
            throw .character(stranger, field)
        }
        let star = UInt8(ascii: "*")
        let dot = UInt8(ascii: ".")
        let hasStars = bytes.contains(star)
        guard !hasStars || field != .matchName else { throw .starInName }
        if field == .domainName {
            shape = try Pattern.domainName(bytes)
            return
        }
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
            shape = .exact(try Pattern.name(labels))
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

    /// The name with these labels, which are in lower case, not empty, and need no escapes.
    private static func name(_ labels: [ArraySlice<UInt8>]) throws(PatternError) -> DomainName {
        var wire: [UInt8] = []
        wire.reserveCapacity(64)
        for label in labels {
            guard label.count <= 63 else { throw .labelTooLong }
            guard wire.count + label.count < 254 else { throw .nameTooLong }
            wire.append(UInt8(truncatingIfNeeded: label.count))
            wire.append(contentsOf: label)
        }
        wire.append(0)
        return DomainName(canonicalBytes: wire)
    }

    /// The meaning of a name of the Kubernetes network-policy API, in lower case: two or more labels, `*.` perhaps in
    /// front of them, no other star, and no label that starts or ends with anything but a letter or digit.
    private static func domainName(_ bytes: [UInt8]) throws(PatternError) -> Shape {
        let isDeep = bytes.starts(with: "*.".utf8)
        let name = isDeep ? bytes.dropFirst(2) : bytes[...]
        guard !name.contains(UInt8(ascii: "*")) else { throw .starNotInFront }
        let text = String(decoding: name, as: UTF8.self)
        let parsed: DomainName
        do throws(NameError) {
            parsed = try DomainName(text)
        } catch {
            switch error {
            case .emptyLabel, .badEscape: throw .emptyLabel
            case .labelTooLong: throw .labelTooLong
            case .nameTooLong: throw .nameTooLong
            }
        }
        guard parsed.labelCount > 1 else { throw .singleLabel }
        func isEnd(_ byte: UInt8?) -> Bool {
            byte.map { isStarMatched($0) && $0 != UInt8(ascii: "-") && $0 != UInt8(ascii: "_") } ?? false
        }
        let labels = text.utf8.split(separator: UInt8(ascii: "."))
        guard labels.allSatisfy({ isEnd($0.first) && isEnd($0.last) }) else { throw .labelEnd }
        guard isDeep else { return .exact(parsed) }
        guard parsed.bytes.count <= 253 else { throw .nameTooLong }
        return .globs(parsed.bytes, isDeep: true)
    }

    /// Whether the pattern is one name.
    var isExact: Bool {
        if case .exact = shape { true } else { false }
    }

    /// `text` without blanks and line ends around it.
    private static func trimmed(_ text: String) -> String {
        func isBlank(_ scalar: Unicode.Scalar) -> Bool { scalar == " " || (0x09...0x0D).contains(scalar.value) }
        // Nearly every text is without.
        if let first = text.utf8.first, let last = text.utf8.last, first > 0x20, last > 0x20 { return text }
        let scalars = text.unicodeScalars.drop(while: isBlank)
        guard let last = scalars.lastIndex(where: { !isBlank($0) }) else { return "" }
        return String(scalars[...last])
    }

    /// Whether a character may stand in a pattern at all.
    private static func isAllowed(_ scalar: Unicode.Scalar) -> Bool {
        guard scalar.isASCII else { return false }
        let byte = UInt8(truncatingIfNeeded: scalar.value)
        return isAllowed(byte &- 0x41 < 26 ? byte | 0x20 : byte)
    }

    /// Whether a byte, a letter in lower case, may stand in a pattern.
    private static func isAllowed(_ byte: UInt8) -> Bool {
        isStarMatched(byte) || byte == UInt8(ascii: ".") || byte == UInt8(ascii: "*")
    }

    /// Whether `text`, a valid `matchPattern`, has stars in a row that mean no more than one.
    static func hasIdleStars(_ text: String) -> Bool {
        let star = UInt8(ascii: "*")
        var last: UInt8 = 0
        var hasRuns = false
        for byte in text.utf8 {
            if byte == star, last == star { hasRuns = true }
            last = byte
        }
        // Nearly every pattern ends here.
        guard hasRuns else { return false }
        let labels = trimmed(text).utf8.split(separator: UInt8(ascii: "."))
        let isFirstWild = labels.first?.allSatisfy { $0 == star } ?? false
        return labels.dropFirst(isFirstWild ? 1 : 0).contains { label in
            zip(label, label.dropFirst()).contains { $0 == star && $1 == star }
        }
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
        case .globs(let globs, let isDeep):
            isDeep && field == .domainName
                ? "*." + Pattern.text(globs: globs[...], isDeep: false)
                : Pattern.text(globs: globs[...], isDeep: isDeep)
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
