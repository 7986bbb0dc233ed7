/// A cursor over one line of JSON; the bytes are handed to each call, so that nothing is copied.
///
/// Strict (RFC 8259), and bounded in depth. The first error is thrown and ends the reading.
struct LineReader {
    /// Offset of the next byte.
    private(set) var offset = 0
    /// Arrays and objects that are open.
    private var depth = 0

    /// Arrays and objects that may be open at once.
    static let maxDepth = 16

    /// A cursor at the start of a line.
    init() {}

    // MARK: Structure

    /// The next byte that is not blank.
    @inline(__always)
    private mutating func peek(_ line: Span<UInt8>) throws(FeedSyntaxError) -> UInt8 {
        while offset < line.count {
            let byte = line[offset]
            guard byte == 0x20 || byte == 0x09 || byte == 0x0D || byte == 0x0A else { return byte }
            offset += 1
        }
        throw error(.truncated)
    }

    /// Takes `byte`, blanks before it skipped.
    @inline(__always)
    private mutating func expect(_ byte: UInt8, _ line: Span<UInt8>) throws(FeedSyntaxError) {
        if offset < line.count, line[offset] == byte {
            offset += 1
        } else {
            try expectBehindBlanks(byte, line)
        }
    }

    /// Takes `byte`, which is not the next one.
    private mutating func expectBehindBlanks(_ byte: UInt8, _ line: Span<UInt8>) throws(FeedSyntaxError) {
        guard try peek(line) == byte else { throw error(.unexpectedByte) }
        offset += 1
    }

    /// Enters an object.
    mutating func beginObject(_ line: Span<UInt8>) throws(FeedSyntaxError) {
        try begin(UInt8(ascii: "{"), line)
    }

    /// Enters an array.
    mutating func beginArray(_ line: Span<UInt8>) throws(FeedSyntaxError) {
        try begin(UInt8(ascii: "["), line)
    }

    /// Enters an array or an object.
    private mutating func begin(_ byte: UInt8, _ line: Span<UInt8>) throws(FeedSyntaxError) {
        try expect(byte, line)
        depth += 1
        guard depth <= LineReader.maxDepth else { throw error(.tooDeep) }
        isFirst = true
    }

    /// Whether the next element or member is the first of its container.
    private var isFirst = false

    /// Goes to the next element, and returns whether there is one; leaves the array if not.
    mutating func nextElement(_ line: Span<UInt8>) throws(FeedSyntaxError) -> Bool {
        try next(closing: UInt8(ascii: "]"), line)
    }

    /// Goes to the next element or member.
    @inline(__always)
    private mutating func next(closing: UInt8, _ line: Span<UInt8>) throws(FeedSyntaxError) -> Bool {
        let byte = try peek(line)
        if byte == closing {
            offset += 1
            depth -= 1
            isFirst = false
            return false
        }
        if isFirst {
            isFirst = false
        } else {
            guard byte == UInt8(ascii: ",") else { throw error(.unexpectedByte) }
            offset += 1
        }
        return true
    }

    /// Goes to the value of the next member, and returns its key; leaves the object and returns nil if there is none.
    mutating func nextKey(_ line: Span<UInt8>) throws(FeedSyntaxError) -> FieldKey? {
        guard try next(closing: UInt8(ascii: "}"), line) else { return nil }
        try expect(UInt8(ascii: "\""), line)
        var key = FieldKey()
        let start = offset
        // A local index: the cursor itself is written once.
        var index = start
        while index < line.count {
            let byte = line[index]
            if byte == UInt8(ascii: "\"") {
                offset = index + 1
                try expect(UInt8(ascii: ":"), line)
                // A longer key cannot be one of ours; an empty one neither, and equals no constant.
                return index - start <= 16 ? key : FieldKey()
            }
            guard byte >= 0x20, byte != UInt8(ascii: "\\") else {
                // No key of ours is written with escapes; read it as any string, to skip it.
                offset = start - 1
                _ = try string(line)
                try expect(UInt8(ascii: ":"), line)
                return FieldKey()
            }
            key.push(byte, at: index - start)
            index += 1
        }
        offset = index
        throw error(.truncated)
    }

    /// Goes to the key of the next member, whatever it is, and returns whether there is one.
    mutating func nextElement(ofObject line: Span<UInt8>) throws(FeedSyntaxError) -> Bool {
        try next(closing: UInt8(ascii: "}"), line)
    }

    /// Takes the colon between a key and its value.
    mutating func colon(_ line: Span<UInt8>) throws(FeedSyntaxError) {
        try expect(UInt8(ascii: ":"), line)
    }

    /// Takes the quote that begins a string.
    mutating func beginString(_ line: Span<UInt8>) throws(FeedSyntaxError) {
        try expect(UInt8(ascii: "\""), line)
    }

    /// Goes to another place of the line.
    mutating func move(to offset: Int) { self.offset = offset }

    /// Whether the next value is `null`, which is taken if so.
    mutating func takeNull(_ line: Span<UInt8>) throws(FeedSyntaxError) -> Bool {
        guard try peek(line) == UInt8(ascii: "n") else { return false }
        try word("null", line)
        return true
    }

    /// Checks that nothing follows.
    mutating func end(_ line: Span<UInt8>) throws(FeedSyntaxError) {
        while offset < line.count {
            let byte = line[offset]
            guard byte == 0x20 || byte == 0x09 || byte == 0x0D || byte == 0x0A else { throw error(.trailingBytes) }
            offset += 1
        }
    }

    /// An error where the cursor stands.
    func error(_ reason: FeedSyntaxError.Reason) -> FeedSyntaxError { FeedSyntaxError(reason, at: offset) }

    // MARK: Values

    /// Reads past a value of any kind.
    mutating func skip(_ line: Span<UInt8>) throws(FeedSyntaxError) {
        switch try peek(line) {
        case UInt8(ascii: "{"):
            try beginObject(line)
            while try nextKey(line) != nil { try skip(line) }
        case UInt8(ascii: "["):
            try beginArray(line)
            while try nextElement(line) { try skip(line) }
        case UInt8(ascii: "\""): _ = try string(line)
        case UInt8(ascii: "t"): try word("true", line)
        case UInt8(ascii: "f"): try word("false", line)
        case UInt8(ascii: "n"): try word("null", line)
        default: _ = try double(line)
        }
    }

    /// Reads `true` or `false`.
    mutating func boolean(_ line: Span<UInt8>) throws(FeedSyntaxError) -> Bool {
        if try peek(line) == UInt8(ascii: "t") {
            try word("true", line)
            return true
        }
        try word("false", line)
        return false
    }

    /// Takes a word of the grammar.
    private mutating func word(_ word: String, _ line: Span<UInt8>) throws(FeedSyntaxError) {
        for byte in word.utf8 {
            guard offset < line.count else { throw error(.truncated) }
            guard line[offset] == byte else { throw error(.unexpectedByte) }
            offset += 1
        }
    }

    /// Reads a whole number of 0 to 2^64 - 1, written without fraction or exponent.
    mutating func unsigned(_ line: Span<UInt8>) throws(FeedSyntaxError) -> UInt64 {
        guard try peek(line) &- 48 < 10 else { throw error(.badNumber) }
        let start = offset
        var value: UInt64 = 0
        while offset < line.count {
            let digit = line[offset] &- 48
            guard digit < 10 else { break }
            let (product, overflow) = value.multipliedReportingOverflow(by: 10)
            let (sum, carry) = product.addingReportingOverflow(UInt64(digit))
            guard !overflow, !carry, offset == start || value > 0 else { throw error(.badNumber) }
            value = sum
            offset += 1
        }
        if offset < line.count {
            let byte = line[offset]
            guard byte != UInt8(ascii: "."), byte | 0x20 != UInt8(ascii: "e") else { throw error(.badNumber) }
        }
        return value
    }

    /// Reads a number that fits `type`.
    mutating func integer<Value: FixedWidthInteger & UnsignedInteger>(
        _ type: Value.Type, _ line: Span<UInt8>
    ) throws(FeedSyntaxError) -> Value {
        guard let value = Value(exactly: try unsigned(line)) else { throw error(.badNumber) }
        return value
    }

    /// Reads any number; one beyond a double's range is an error.
    mutating func double(_ line: Span<UInt8>) throws(FeedSyntaxError) -> Double {
        _ = try peek(line)
        let start = offset
        let isNegative = line[offset] == UInt8(ascii: "-")
        if isNegative { offset += 1 }
        var mantissa: UInt64 = 0
        let first = offset
        let whole = digits(line, into: &mantissa)
        guard whole > 0, whole == 1 || line[first] != UInt8(ascii: "0") else { throw error(.badNumber) }
        var fraction = 0
        if offset < line.count, line[offset] == UInt8(ascii: ".") {
            offset += 1
            fraction = digits(line, into: &mantissa)
            guard fraction > 0 else { throw error(.badNumber) }
        }
        var hasExponent = false
        if offset < line.count, line[offset] | 0x20 == UInt8(ascii: "e") {
            hasExponent = true
            offset += 1
            if offset < line.count, line[offset] == UInt8(ascii: "+") || line[offset] == UInt8(ascii: "-") {
                offset += 1
            }
            var ignored: UInt64 = 0
            guard digits(line, into: &ignored) > 0 else { throw error(.badNumber) }
        }
        if !hasExponent, whole + fraction <= 18, fraction <= LineReader.powersOfTen.count - 1, mantissa < 1 << 53 {
            // Both operands are exact, so the quotient is correctly rounded.
            let value = Double(mantissa) / LineReader.powersOfTen[fraction]
            return isNegative ? -value : value
        }
        var text = ""
        for index in start..<offset { text.unicodeScalars.append(Unicode.Scalar(line[index])) }
        guard let value = Double(text), value.isFinite else { throw error(.badNumber) }
        return value
    }

    /// What a mantissa is divided by for its number of fraction digits.
    private static let powersOfTen: [Double] = [1, 1e1, 1e2, 1e3, 1e4, 1e5, 1e6, 1e7, 1e8, 1e9, 1e10, 1e11, 1e12]

    /// Takes decimal digits and returns how many; the value wraps around when there are too many for it.
    private mutating func digits(_ line: Span<UInt8>, into value: inout UInt64) -> Int {
        let start = offset
        while offset < line.count, line[offset] &- 48 < 10 {
            value = value &* 10 &+ UInt64(line[offset] &- 48)
            offset += 1
        }
        return offset - start
    }
}
