internal import DNSWire

/// Appends JSON text to bytes.
package struct LineWriter {
    /// What was written so far.
    package private(set) var bytes: [UInt8]

    /// A writer that goes on behind `bytes`.
    package init(_ bytes: consuming [UInt8] = []) {
        self.bytes = bytes
    }

    /// Writes text that needs no escaping.
    @inline(__always)
    package mutating func raw(_ text: StaticString) {
        text.withUTF8Buffer { unsafe bytes.append(contentsOf: $0) }
    }

    /// Writes one byte of structure.
    @inline(__always)
    package mutating func raw(_ byte: UInt8) { bytes.append(byte) }

    /// Writes a decimal number.
    package mutating func number(_ value: UInt64) {
        if value < 10 {
            bytes.append(48 + UInt8(truncatingIfNeeded: value))
            return
        }
        var digits: InlineArray<20, UInt8> = InlineArray(repeating: 0)
        var rest = value
        var first = 20
        while rest > 0 {
            let (quotient, remainder) = rest.quotientAndRemainder(dividingBy: 10)
            first -= 1
            digits[first] = 48 + UInt8(truncatingIfNeeded: remainder)
            rest = quotient
        }
        for index in first..<20 { bytes.append(digits[index]) }
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

    /// Writes a quoted string, escaped as RFC 8259, section 7, demands; DEL too, for the sake of terminals.
    package mutating func string(_ text: String) {
        raw(UInt8(ascii: "\""))
        for byte in text.utf8 { escaped(byte) }
        raw(UInt8(ascii: "\""))
    }

    /// Writes one byte of a string.
    @inline(__always)
    private mutating func escaped(_ byte: UInt8) {
        switch byte {
        case UInt8(ascii: "\""), UInt8(ascii: "\\"):
            bytes.append(UInt8(ascii: "\\"))
            bytes.append(byte)
        case 0x0A: raw("\\n")
        case 0x00..<0x20, 0x7F:
            raw("\\u00")
            bytes.append(LineWriter.hexDigit(byte >> 4))
            bytes.append(LineWriter.hexDigit(byte & 15))
        default: bytes.append(byte)
        }
    }

    /// The digit of a value below 16.
    private static func hexDigit(_ value: UInt8) -> UInt8 { value < 10 ? 48 + value : 87 + value }

    /// Writes a quoted name in presentation format (RFC 1035, section 5.1).
    mutating func name(_ name: DomainName) {
        let wire = name.bytes
        raw(UInt8(ascii: "\""))
        if name.isRoot { raw(UInt8(ascii: ".")) }
        var offset = 0
        while wire[offset] != 0 {
            let end = offset + 1 + Int(wire[offset])
            for index in (offset + 1)..<end {
                let byte = wire[index]
                guard LineWriter.isPlain(byte) else {
                    // Rare: let the one place that knows the escapes write the whole name. Until here every wire byte
                    // behind the first has given one byte of text (a dot for a length), and there is the quote.
                    bytes.removeLast(index)
                    string(name.description)
                    return
                }
                bytes.append(byte)
            }
            bytes.append(UInt8(ascii: "."))
            offset = end
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
        bytes.append(contentsOf: prefix.description.utf8)
        raw(UInt8(ascii: "\""))
    }

    /// Writes an address without quotes.
    private mutating func bare(_ address: IPAddress) {
        guard address.isIPv4 else {
            bytes.append(contentsOf: address.description.utf8)
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
