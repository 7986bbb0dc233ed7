internal import DNSWire

/// Writes JSON text, one piece behind the other, into room that it keeps.
package struct LineWriter {
    /// What was written, and room for more.
    private var room: [UInt8] = []
    /// Bytes that were written.
    private(set) var count = 0

    /// Room that is made at least when there is too little.
    private static let step = 512

    /// A writer that has written nothing yet.
    package init() {}

    /// What was written.
    package var bytes: ArraySlice<UInt8> { room[..<count] }

    /// Forgets what was written; keeps the room, unless it is more than `limit` bytes.
    mutating func reset(keeping limit: Int) {
        count = 0
        if room.count > limit { room = [] }
    }

    /// Makes room for `size` bytes and lets `write` write that many, or fewer, from the given offset on; it returns the
    /// offset behind the last one.
    @inline(__always)
    private mutating func put(_ size: Int, _ write: (inout MutableSpan<UInt8>, Int) -> Int) {
        if room.count - count < size { grow(size) }
        let start = count
        var span = room.mutableSpan
        let end = write(&span, start)
        count = end
    }

    /// Makes room for at least `size` bytes.
    @inline(never)
    private mutating func grow(_ size: Int) {
        let more = max(size, room.count, LineWriter.step)
        room += [UInt8](repeating: 0, count: more)
    }

    /// Writes text that needs no escaping.
    @inline(__always)
    package mutating func raw(_ text: StaticString) {
        put(text.utf8CodeUnitCount) { room, start in
            text.withUTF8Buffer { unsafe room.copy(Span(_unsafeElements: $0), at: start) }
            return start + text.utf8CodeUnitCount
        }
    }

    /// Writes bytes that need no escaping.
    private mutating func raw(_ bytes: Span<UInt8>) {
        if room.count - count < bytes.count { grow(bytes.count) }
        let start = count
        var span = room.mutableSpan
        span.copy(bytes, at: start)
        count = start + bytes.count
    }

    /// Writes one byte of structure.
    @inline(__always)
    package mutating func raw(_ byte: UInt8) {
        put(1) { room, start in
            room[start] = byte
            return start + 1
        }
    }

    /// Writes a decimal number.
    package mutating func number(_ value: UInt64) {
        guard value >= 10 else { return raw(48 + UInt8(truncatingIfNeeded: value)) }
        var digits = 2
        var limit: UInt64 = 100
        while digits < 20, value >= limit {
            digits += 1
            limit = digits < 20 ? limit * 10 : limit
        }
        put(digits) { room, start in
            var rest = value
            for place in stride(from: start + digits - 1, through: start, by: -1) {
                room[place] = 48 + UInt8(truncatingIfNeeded: rest % 10)
                rest /= 10
            }
            return start + digits
        }
    }

    /// The last moment that a line can carry: the end of the year 9999, in microseconds.
    private static let lastMicroseconds = 253_402_300_799_000_000.0

    /// Writes seconds since the epoch with up to six digits of fraction; times that are no times are clamped.
    mutating func seconds(_ value: Double) {
        let scaled = (value * 1_000_000).rounded()
        let clamped = scaled >= 0 ? min(scaled, LineWriter.lastMicroseconds) : 0
        let (whole, fraction) = UInt64(clamped).quotientAndRemainder(dividingBy: 1_000_000)
        number(whole)
        guard fraction > 0 else { return }
        raw(UInt8(ascii: "."))
        var rest = fraction
        var unit: UInt64 = 100_000
        while rest > 0 {
            raw(48 + UInt8(truncatingIfNeeded: rest / unit))
            rest %= unit
            unit /= 10
        }
    }

    /// Writes a quoted string, escaped as RFC 8259, section 7, demands; and what could steer a terminal too.
    package mutating func string(_ text: String) {
        let begin = count
        raw(UInt8(ascii: "\""))
        let bytes = text.utf8Span.span
        var start = 0
        for index in bytes.indices where LineWriter.isEscaped(bytes[index]) {
            guard bytes[index] < 0x80 else {
                // Rare: look at characters, not at bytes.
                count = begin
                return scalars(of: text)
            }
            raw(bytes.extracting(start..<index))
            escaped(bytes[index])
            start = index + 1
        }
        raw(bytes.extracting(start..<bytes.count))
        raw(UInt8(ascii: "\""))
    }

    /// Whether a byte of a string cannot stand for itself, or may be part of a character that cannot.
    @inline(__always)
    private static func isEscaped(_ byte: UInt8) -> Bool {
        byte < 0x20 || byte == UInt8(ascii: "\"") || byte == UInt8(ascii: "\\") || byte >= 0x7F
    }

    /// Writes a quoted string, character by character.
    private mutating func scalars(of text: String) {
        raw(UInt8(ascii: "\""))
        for character in text.unicodeScalars {
            if character.isASCII, LineWriter.isEscaped(UInt8(truncatingIfNeeded: character.value)) {
                escaped(UInt8(truncatingIfNeeded: character.value))
            } else if character.isUnprintable {
                escape(character)
            } else {
                scalar(character)
            }
        }
        raw(UInt8(ascii: "\""))
    }

    /// Writes one character as it is.
    mutating func scalar(_ scalar: Unicode.Scalar) {
        for byte in UTF8.encode(scalar) ?? UTF8.encodedReplacementCharacter { raw(byte) }
    }

    /// Writes one character as `\uXXXX`, or as two of these where it needs them.
    mutating func escape(_ scalar: Unicode.Scalar) {
        for unit in UTF16.encode(scalar) ?? UTF16.encodedReplacementCharacter {
            raw("\\u")
            for shift in [12, 8, 4, 0] { raw(LineWriter.hexDigit(UInt8(truncatingIfNeeded: unit >> shift & 15))) }
        }
    }

    /// Writes one byte of a string that cannot stand for itself.
    private mutating func escaped(_ byte: UInt8) {
        switch byte {
        case UInt8(ascii: "\""), UInt8(ascii: "\\"):
            raw(UInt8(ascii: "\\"))
            raw(byte)
        case 0x0A: raw("\\n")
        default:
            raw("\\u00")
            raw(LineWriter.hexDigit(byte >> 4))
            raw(LineWriter.hexDigit(byte & 15))
        }
    }

    /// The digit of a value below 16.
    private static func hexDigit(_ value: UInt8) -> UInt8 { value < 10 ? 48 + value : 87 + value }

    /// Writes a quoted name in presentation format (RFC 1035, section 5.1).
    mutating func name(_ name: DomainName) {
        guard !name.isRoot else { return raw(#"".""#) }
        let wire = name.bytes.span
        let start = count
        raw(UInt8(ascii: "\""))
        raw(wire.extracting(1..<wire.count))
        var room = room.mutableSpan
        var isPlain = true
        var offset = 0
        // Every length but the first becomes a dot in front of its label, and the root's the last one.
        while wire[offset] != 0 {
            let end = offset + 1 + Int(wire[offset])
            for index in (offset + 1)..<end where !LineWriter.isPlain(wire[index]) { isPlain = false }
            if offset > 0 { room[start + offset] = UInt8(ascii: ".") }
            offset = end
        }
        room[start + offset] = UInt8(ascii: ".")
        guard isPlain else {
            // Rare: let the one place that knows the escapes write the whole name.
            count = start
            string(name.description)
            return
        }
        raw(UInt8(ascii: "\""))
    }

    /// Whether a byte of a label stands for itself in presentation format and in JSON.
    @inline(__always)
    private static func isPlain(_ byte: UInt8) -> Bool {
        byte &- 97 < 26 || byte &- 48 < 10 || byte == UInt8(ascii: "-") || byte == UInt8(ascii: "_")
    }

    /// Writes a quoted address.
    mutating func address(_ address: IPAddress) {
        raw(UInt8(ascii: "\""))
        bare(address)
        raw(UInt8(ascii: "\""))
    }

    /// Writes a quoted address or prefix.
    mutating func prefix(_ prefix: IPPrefix) {
        raw(UInt8(ascii: "\""))
        raw(prefix.description.utf8Span.span)
        raw(UInt8(ascii: "\""))
    }

    /// Writes an address without quotes.
    private mutating func bare(_ address: IPAddress) {
        guard address.isIPv4 else {
            raw(address.description.utf8Span.span)
            return
        }
        let value = address.ipv4
        number(UInt64(value >> 24))
        raw(UInt8(ascii: "."))
        number(UInt64(value >> 16 & 255))
        raw(UInt8(ascii: "."))
        number(UInt64(value >> 8 & 255))
        raw(UInt8(ascii: "."))
        number(UInt64(value & 255))
    }
}
