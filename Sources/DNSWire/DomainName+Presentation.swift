/// Why text is not a domain name.
public enum NameError: Error, Equatable, Sendable {
    /// Nothing between two dots, or no text at all.
    case emptyLabel
    /// A label of more than 63 bytes (RFC 1035, section 2.3.4).
    case labelTooLong
    /// More than 255 bytes in wire form.
    case nameTooLong
    /// A backslash that is not followed by a character or by three digits up to 255 (RFC 1035, section 5.1).
    case badEscape
}

extension NameError: CustomStringConvertible {
    public var description: String {
        switch self {
        case .emptyLabel: "empty label"
        case .labelTooLong: "a label is longer than 63 bytes"
        case .nameTooLong: "the name is longer than 255 bytes"
        case .badEscape: "a backslash must be followed by a character or by three digits up to 255"
        }
    }
}

extension DomainName {
    /// Reads presentation format (RFC 1035, section 5.1); the trailing dot is optional, the name absolute either way.
    /// - Throws: `NameError` for an empty or too long label, a name of more than 255 bytes, or a bad escape.
    public init(_ text: some StringProtocol) throws(NameError) {
        try self.init(presentation: [UInt8](text.utf8))
    }

    /// As above, of the text's bytes: what is generic over the kind of text takes a call for each character.
    private init(presentation text: [UInt8]) throws(NameError) {
        if text.count == 1, text[0] == UInt8(ascii: ".") {
            self = .root
            return
        }
        var bytes: [UInt8] = []
        bytes.reserveCapacity(min(text.count + 2, 255))
        var label: [UInt8] = []
        var endedWithDot = false
        var iterator = text.makeIterator()
        while let character = iterator.next() {
            endedWithDot = false
            switch character {
            case UInt8(ascii: "."):
                try DomainName.append(label, to: &bytes)
                label.removeAll(keepingCapacity: true)
                endedWithDot = true
            case UInt8(ascii: "\\"):
                guard let first = iterator.next() else { throw .badEscape }
                guard DomainName.isDigit(first) else {
                    label.append(canonicalCase(first))
                    continue
                }
                guard let second = iterator.next(), let third = iterator.next(),
                    DomainName.isDigit(second), DomainName.isDigit(third)
                else { throw .badEscape }
                let value = Int(first - 48) * 100 + Int(second - 48) * 10 + Int(third - 48)
                guard value <= 255 else { throw .badEscape }
                label.append(canonicalCase(UInt8(value)))
            default:
                label.append(canonicalCase(character))
            }
        }
        if !endedWithDot { try DomainName.append(label, to: &bytes) }
        guard bytes.count < 255 else { throw .nameTooLong }
        bytes.append(0)
        self.init(canonicalBytes: bytes)
    }

    /// Ends a label.
    private static func append(_ label: [UInt8], to bytes: inout [UInt8]) throws(NameError) {
        guard !label.isEmpty else { throw .emptyLabel }
        guard label.count <= 63 else { throw .labelTooLong }
        guard bytes.count + label.count < 255 else { throw .nameTooLong }
        bytes.append(UInt8(label.count))
        bytes.append(contentsOf: label)
    }

    /// Whether a byte is an ASCII digit.
    private static func isDigit(_ byte: UInt8) -> Bool { byte &- 48 < 10 }
}

extension DomainName: CustomStringConvertible {
    /// Presentation format: lower case, trailing dot, everything that is not printable ASCII as `\DDD`.
    ///
    /// The result is pure printable ASCII whatever a server put into the name, so it is safe on a terminal.
    public var description: String {
        if isRoot { return "." }
        var text: [UInt8] = []
        text.reserveCapacity(bytes.count)
        var offset = 0
        while bytes[offset] != 0 {
            let end = offset + 1 + Int(bytes[offset])
            for byte in bytes[(offset + 1)..<end] { DomainName.escape(byte, into: &text) }
            text.append(UInt8(ascii: "."))
            offset = end
        }
        return String(decoding: text, as: UTF8.self)
    }

    /// Writes one byte of a label.
    private static func escape(_ byte: UInt8, into text: inout [UInt8]) {
        switch byte {
        case UInt8(ascii: "."), UInt8(ascii: "\\"), UInt8(ascii: "\""), UInt8(ascii: ";"), UInt8(ascii: "("),
            UInt8(ascii: ")"), UInt8(ascii: "@"), UInt8(ascii: "$"):
            text.append(UInt8(ascii: "\\"))
            text.append(byte)
        case 0x21...0x7E:
            text.append(byte)
        default:
            text.append(UInt8(ascii: "\\"))
            text.append(48 + byte / 100)
            text.append(48 + byte / 10 % 10)
            text.append(48 + byte % 10)
        }
    }
}
