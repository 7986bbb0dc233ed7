/// One pass over the bytes of a YAML text before the parser sees it: refuses what would cost too much to parse,
/// and takes the aliases out.
///
/// Aliases are what lets a small file expand without end, inside the parser too (it hashes whole keys). So every
/// `*` that could start an alias is replaced by a character that the file does not contain; the parser then sees
/// plain text there, lines and columns stay as they are, and `YAMLComposer` expands aliases itself, within a budget.
/// The pass knows no quotes or comments; it may count too much there, never too little.
struct YAMLScan {
    /// The text with every possible start of an alias replaced.
    let text: String
    /// What stands for a star in `text`; nil when there was nothing to replace.
    let star: Character?

    /// Brackets that may be open at once; the parser's cost grows with them.
    private static let openBrackets = 128
    /// Bound on (keys that are not plain text) times (bytes of the file): the parser hashes such keys whole.
    private static let keyWork = 64 << 20

    /// Scans `text`, the content of `file`.
    /// - Throws: `DocumentProblem` when the text exceeds `limits` or cannot be parsed in bounded time.
    init(_ text: String, file: String, limits: DocumentLimits) throws(DocumentProblem) {
        func refused(_ message: String, line: Int = 0) -> DocumentProblem {
            DocumentProblem(
                severity: .error, file: file, line: line, column: line == 0 ? 0 : 1, path: "", message: message)
        }
        let count = text.utf8.count
        guard count <= limits.bytes else {
            throw refused("the file has \(count) bytes, more than the limit of \(limits.bytes)")
        }
        var line = 1
        var marks = 0
        var brackets = 0
        var keys = 0
        var possibleAliases = 0
        var previous = UInt8(ascii: "\n")
        var previousMark = previous
        var awaitsBlank = false
        for byte in text.utf8 {
            let isBlank = byte == 0x20 || byte == 0x09 || byte == 0x0A || byte == 0x0D
            if awaitsBlank, isBlank { keys += 1 }
            awaitsBlank = false
            switch byte {
            case UInt8(ascii: "\n"):
                line += 1
                marks += 1
            case UInt8(ascii: "["), UInt8(ascii: "{"):
                marks += 1
                brackets += 1
                if brackets > YAMLScan.openBrackets { throw refused("too many nested brackets", line: line) }
            case UInt8(ascii: "]"), UInt8(ascii: "}"):
                brackets = max(0, brackets - 1)
            case UInt8(ascii: ","):
                marks += 1
            case UInt8(ascii: ":"):
                marks += 1
                if previousMark == UInt8(ascii: "]") || previousMark == UInt8(ascii: "}") { keys += 1 }
            case UInt8(ascii: "-"):
                if YAMLScan.canPrecedeValue(previous) { marks += 1 }
            case UInt8(ascii: "?"):
                awaitsBlank = YAMLScan.canPrecedeValue(previous)
            case UInt8(ascii: "*"):
                if YAMLScan.canPrecedeValue(previous) { possibleAliases += 1 }
            default: break
            }
            previous = byte
            if !isBlank { previousMark = byte }
        }
        guard marks <= limits.values else {
            throw refused("the file has more than \(limits.values) values")
        }
        guard keys == 0 || count <= YAMLScan.keyWork / keys else {
            throw refused("the file has too many keys that are not plain text")
        }
        guard possibleAliases > 0 else {
            self.text = text
            star = nil
            return
        }
        guard let scalar = YAMLScan.unusedScalar(in: text) else {
            throw refused("the file contains private-use characters")
        }
        star = Character(scalar)
        self.text = YAMLScan.replaceAliases(in: text, with: Array(String(scalar).utf8))
    }

    /// Whether a value can start directly behind `byte`.
    private static func canPrecedeValue(_ byte: UInt8) -> Bool {
        switch byte {
        case 0x20, 0x09, 0x0A, 0x0D, UInt8(ascii: "["), UInt8(ascii: "{"), UInt8(ascii: ","), UInt8(ascii: ":"),
            UInt8(ascii: "-"), UInt8(ascii: "?"):
            true
        default: false
        }
    }

    /// A private-use character that does not occur in `text`.
    private static func unusedScalar(in text: String) -> Unicode.Scalar? {
        var used: UInt32 = 0
        for scalar in text.unicodeScalars where scalar.value &- 0xE000 < 32 { used |= 1 << (scalar.value - 0xE000) }
        let index = UInt32((~used).trailingZeroBitCount)
        return index < 32 ? Unicode.Scalar(0xE000 + index) : nil
    }

    /// `text` with `replacement` for every star at a place where a value can start.
    private static func replaceAliases(in text: String, with replacement: [UInt8]) -> String {
        var bytes: [UInt8] = []
        bytes.reserveCapacity(text.utf8.count + 64)
        var previous = UInt8(ascii: "\n")
        for byte in text.utf8 {
            if byte == UInt8(ascii: "*"), canPrecedeValue(previous) {
                bytes.append(contentsOf: replacement)
            } else {
                bytes.append(byte)
            }
            previous = byte
        }
        return String(decoding: bytes, as: UTF8.self)
    }
}
