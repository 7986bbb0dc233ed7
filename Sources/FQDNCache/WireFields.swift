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
    /// Whether this message has `name`, in canonical form and uncompressed, where its question stands.
    func hasQuestion(_ name: borrowing NameBuffer) -> Bool {
        guard count >= AnswerEntry.questionOffset + name.count else { return false }
        return name.equals(extracting(AnswerEntry.questionOffset..<AnswerEntry.questionOffset + name.count))
    }
}
