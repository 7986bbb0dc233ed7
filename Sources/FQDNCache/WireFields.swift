internal import DNSWire

/// 32-bit fields of a message under construction, in network order.
extension MutableSpan<UInt8> {
    /// The field at `offset`, whose four bytes must be there.
    @inline(__always)
    func bigEndian32(at offset: Int) -> UInt32 {
        UInt32(self[offset]) << 24 | UInt32(self[offset + 1]) << 16 | UInt32(self[offset + 2]) << 8
            | UInt32(self[offset + 3])
    }

    /// Writes the field at `offset`, whose four bytes must be there.
    @inline(__always)
    mutating func setBigEndian32(_ value: UInt32, at offset: Int) {
        self[offset] = UInt8(truncatingIfNeeded: value >> 24)
        self[offset + 1] = UInt8(truncatingIfNeeded: value >> 16)
        self[offset + 2] = UInt8(truncatingIfNeeded: value >> 8)
        self[offset + 3] = UInt8(truncatingIfNeeded: value)
    }
}

extension Span<UInt8> {
    /// Whether this message begins as its key says: ID 0, one question, no additional records, then `name` in canonical
    /// form, the type, any if the key is that of every type, and the class.
    func isPlain(_ name: borrowing NameBuffer, _ key: AnswerKey) -> Bool {
        let end = Header.length + name.count
        guard count >= end + 4, let header = Header(self), header.id == 0, header.questionCount == 1,
            header.additionalCount == 0, name.equals(extracting(Header.length..<end))
        else { return false }
        let type = UInt16(self[end]) << 8 | UInt16(self[end + 1])
        let recordClass = UInt16(self[end + 2]) << 8 | UInt16(self[end + 3])
        return (type == key.type.rawValue || key.type == AnswerKey.everyType) && recordClass == key.recordClass.rawValue
    }
}
