internal import DNSWire

extension LineReader {
    /// Reads a string.
    mutating func string(_ line: Span<UInt8>) throws(FeedSyntaxError) -> String {
        if let plain = try plainString(line) {
            guard let text = LineReader.text(line.extracting(plain)) else { throw error(.badString) }
            return text
        }
        return try escapedString(line)
    }

    /// Takes a string without escapes and returns where its bytes are; leaves one with escapes where it is, and returns nil.
    private mutating func plainString(_ line: Span<UInt8>) throws(FeedSyntaxError) -> Range<Int>? {
        try beginString(line)
        let start = offset
        var index = start
        while index < line.count {
            let byte = line[index]
            if byte == UInt8(ascii: "\"") {
                move(to: index + 1)
                return start..<index
            }
            guard byte >= 0x20 else {
                move(to: index)
                throw error(.badString)
            }
            if byte == UInt8(ascii: "\\") {
                move(to: start - 1)
                return nil
            }
            index += 1
        }
        move(to: index)
        throw error(.truncated)
    }

    /// Reads a string that has escapes (RFC 8259, section 7).
    private mutating func escapedString(_ line: Span<UInt8>) throws(FeedSyntaxError) -> String {
        try beginString(line)
        var bytes: [UInt8] = []
        while offset < line.count {
            let byte = line[offset]
            move(to: offset + 1)
            switch byte {
            case UInt8(ascii: "\""):
                guard let text = LineReader.text(bytes.span) else { throw error(.badString) }
                return text
            case UInt8(ascii: "\\"): try escape(line, into: &bytes)
            case 0x00..<0x20: throw error(.badString)
            default: bytes.append(byte)
            }
        }
        throw error(.truncated)
    }

    /// Reads what follows a backslash.
    private mutating func escape(_ line: Span<UInt8>, into bytes: inout [UInt8]) throws(FeedSyntaxError) {
        guard offset < line.count else { throw error(.truncated) }
        let byte = line[offset]
        move(to: offset + 1)
        switch byte {
        case UInt8(ascii: "\""), UInt8(ascii: "\\"), UInt8(ascii: "/"): bytes.append(byte)
        case UInt8(ascii: "b"): bytes.append(0x08)
        case UInt8(ascii: "f"): bytes.append(0x0C)
        case UInt8(ascii: "n"): bytes.append(0x0A)
        case UInt8(ascii: "r"): bytes.append(0x0D)
        case UInt8(ascii: "t"): bytes.append(0x09)
        case UInt8(ascii: "u"):
            var unit = try codeUnit(line)
            if unit >> 10 == 0x36 {
                guard offset + 1 < line.count, line[offset] == UInt8(ascii: "\\"), line[offset + 1] == UInt8(ascii: "u")
                else { throw error(.badEscape) }
                move(to: offset + 2)
                let second = try codeUnit(line)
                guard second >> 10 == 0x37 else { throw error(.badEscape) }
                unit = 0x10000 + (unit & 0x3FF) << 10 + second & 0x3FF
            }
            guard let scalar = Unicode.Scalar(unit) else { throw error(.badEscape) }
            bytes.append(contentsOf: UTF8.encode(scalar).map(Array.init) ?? [])
        default: throw error(.badEscape)
        }
    }

    /// Reads four hexadecimal digits.
    private mutating func codeUnit(_ line: Span<UInt8>) throws(FeedSyntaxError) -> UInt32 {
        guard offset + 4 <= line.count else { throw error(.truncated) }
        var value: UInt32 = 0
        for index in offset..<(offset + 4) {
            guard let digit = Character(Unicode.Scalar(line[index])).hexDigitValue else { throw error(.badEscape) }
            value = value << 4 | UInt32(digit)
        }
        move(to: offset + 4)
        return value
    }

    /// The text of UTF-8 bytes, or nil if they are not.
    private static func text(_ bytes: Span<UInt8>) -> String? {
        guard let text = try? UTF8Span(validating: bytes) else { return nil }
        return String(copying: text)
    }

    // MARK: Values inside strings

    /// Reads a name in presentation format; the trailing dot may be missing.
    mutating func name(_ field: String, _ line: Span<UInt8>) throws(FeedSyntaxError) -> DomainName {
        let start = offset
        if let plain = try plainString(line) {
            if let name = LineReader.canonicalName(line.extracting(plain)) { return name }
            move(to: start)
        }
        let text = try string(line)
        do {
            return try DomainName(text)
        } catch {
            throw FeedSyntaxError(.badValue(field), at: start)
        }
    }

    /// The name that `text` is if it is absolute, in lower case and without escapes, which is how this module writes names.
    private static func canonicalName(_ text: Span<UInt8>) -> DomainName? {
        guard text.count <= 254 else { return nil }
        var wire: [UInt8] = []
        wire.reserveCapacity(text.count + 1)
        wire.append(0)
        var start = 0
        for index in text.indices {
            let byte = text[index]
            if byte == UInt8(ascii: ".") {
                let length = wire.count - 1 - start
                guard length > 0, length <= 63 else { return nil }
                wire[start] = UInt8(truncatingIfNeeded: length)
                start = wire.count
                wire.append(0)
            } else {
                guard byte &- 97 < 26 || byte &- 48 < 10 || byte == UInt8(ascii: "-") || byte == UInt8(ascii: "_")
                else { return nil }
                wire.append(byte)
            }
        }
        guard start > 0, start == wire.count - 1 else { return nil }
        return DomainName(canonicalBytes: wire)
    }

    /// Reads an address.
    mutating func address(_ field: String, _ line: Span<UInt8>) throws(FeedSyntaxError) -> IPAddress {
        let start = offset
        guard let plain = try plainString(line) else { throw FeedSyntaxError(.badValue(field), at: start) }
        let bytes = line.extracting(plain)
        if let value = LineReader.ipv4(bytes) { return IPAddress(ipv4: value) }
        guard let text = LineReader.text(bytes), let address = IPAddress(text) else {
            throw FeedSyntaxError(.badValue(field), at: start)
        }
        return address
    }

    /// Four decimal numbers of 0 to 255 without leading zeros.
    private static func ipv4(_ text: Span<UInt8>) -> UInt32? {
        guard text.count <= 15 else { return nil }
        var value: UInt32 = 0
        var part: UInt32 = 0
        var digits = 0
        var dots = 0
        for index in text.indices {
            let byte = text[index]
            if byte == UInt8(ascii: ".") {
                guard digits > 0 else { return nil }
                value = value << 8 | part
                part = 0
                digits = 0
                dots += 1
            } else {
                guard byte &- 48 < 10, digits == 0 || part > 0 else { return nil }
                part = part * 10 + UInt32(byte &- 48)
                digits += 1
                guard part <= 255 else { return nil }
            }
        }
        return dots == 3 && digits > 0 ? value << 8 | part : nil
    }

    /// Reads an address or a prefix.
    mutating func prefix(_ field: String, _ line: Span<UInt8>) throws(FeedSyntaxError) -> IPPrefix {
        let start = offset
        guard let prefix = IPPrefix(try string(line)) else { throw FeedSyntaxError(.badValue(field), at: start) }
        return prefix
    }

    /// Reads one of the words of an enumeration.
    mutating func word<Value: RawRepresentable<String>>(
        _ type: Value.Type, _ field: String, _ line: Span<UInt8>
    ) throws(FeedSyntaxError) -> Value {
        let start = offset
        guard let value = Value(rawValue: try string(line)) else { throw FeedSyntaxError(.badValue(field), at: start) }
        return value
    }

    /// Reads an object whose members are all strings; of equal keys the last counts.
    mutating func strings(_ line: Span<UInt8>) throws(FeedSyntaxError) -> [String: String] {
        var values: [String: String] = [:]
        try beginObject(line)
        while try nextElement(ofObject: line) {
            let key = try string(line)
            try colon(line)
            values[key] = try string(line)
        }
        return values
    }
}
