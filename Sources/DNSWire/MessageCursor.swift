/// A position in a message that is read from front to back.
///
/// It does not hold the message: every call takes the span, so the cursor is plain data. After its first
/// failure it stops for good, every further read gives zero, and `failure` and `offset` say what and where.
public struct MessageCursor: Sendable {
    /// Where the next read starts, in bytes from the start of the message.
    public private(set) var offset: Int
    /// The first thing that went wrong.
    public private(set) var failure: WireError?

    /// A cursor at `offset`; behind the header when nothing is said.
    @inlinable
    public init(offset: Int = Header.length) {
        self.init(at: offset)
    }

    /// A cursor at `offset` that has not failed.
    @usableFromInline
    init(at offset: Int) {
        self.offset = offset
        failure = nil
    }

    /// Whether nothing has gone wrong so far.
    public var isValid: Bool { failure == nil }

    /// Stops the cursor for `error`, unless it has stopped already.
    public mutating func fail(_ error: WireError) {
        if failure == nil { failure = error }
    }

    /// Takes `count` bytes without looking at them and returns where they start, or nil.
    public mutating func skip(_ count: Int, of message: Span<UInt8>) -> Int? {
        guard failure == nil else { return nil }
        guard count >= 0, count <= message.count - offset else {
            failure = .truncated
            return nil
        }
        offset += count
        return offset - count
    }

    /// Reads one byte.
    public mutating func readUInt8(_ message: Span<UInt8>) -> UInt8 {
        guard let start = skip(1, of: message) else { return 0 }
        return message[start]
    }

    /// Reads two bytes in network order.
    public mutating func readUInt16(_ message: Span<UInt8>) -> UInt16 {
        guard let start = skip(2, of: message) else { return 0 }
        return message.uint16(at: start)
    }

    /// Reads four bytes in network order.
    public mutating func readUInt32(_ message: Span<UInt8>) -> UInt32 {
        guard let start = skip(4, of: message) else { return 0 }
        return message.uint32(at: start)
    }

    /// Decodes a name into `name` (RFC 1035, section 4.1.4), which is empty after a failure.
    public mutating func readName(
        _ message: Span<UInt8>, into name: inout NameBuffer, allowsCompression: Bool = true
    ) {
        guard failure == nil else { return }
        if let end = name.decode(message, at: offset, allowsCompression: allowsCompression, failure: &failure) {
            offset = end
        }
    }

    /// Reads one entry of the question section (RFC 1035, section 4.1.2), its name into `name`.
    ///
    /// The name of the first question has nothing before it to point at, so compression is an error there.
    public mutating func readQuestion(_ message: Span<UInt8>, into name: inout NameBuffer) -> Question {
        readName(message, into: &name, allowsCompression: offset != Header.length)
        let typeAndClass = readUInt32(message)
        return Question(
            type: RecordType(rawValue: UInt16(truncatingIfNeeded: typeAndClass >> 16)),
            recordClass: RecordClass(rawValue: UInt16(truncatingIfNeeded: typeAndClass)), end: offset)
    }

    /// Reads one record (RFC 1035, section 4.1.3), its owner into `owner`, and moves behind its data.
    public mutating func readRecord(_ message: Span<UInt8>, owner: inout NameBuffer) -> RecordView {
        let start = offset
        readName(message, into: &owner)
        let type = RecordType(rawValue: readUInt16(message))
        let recordClass = RecordClass(rawValue: readUInt16(message))
        let ttlOffset = offset
        let ttl = readUInt32(message)
        let length = Int(readUInt16(message))
        let dataOffset = skip(length, of: message) ?? offset
        return RecordView(
            ownerOffset: start, type: type, recordClass: recordClass, ttlOffset: ttlOffset, rawTTL: ttl,
            dataOffset: dataOffset, dataLength: isValid ? length : 0)
    }
}

/// Reads in network order; the caller has checked the bounds, and a mistake traps rather than reads on.
extension Span<UInt8> {
    /// The two bytes at `offset`.
    @inlinable
    public func uint16(at offset: Int) -> UInt16 {
        UInt16(self[offset]) << 8 | UInt16(self[offset + 1])
    }

    /// The four bytes at `offset`.
    @inlinable
    public func uint32(at offset: Int) -> UInt32 {
        UInt32(uint16(at: offset)) << 16 | UInt32(uint16(at: offset + 2))
    }

    /// The eight bytes at `offset`.
    @inlinable
    public func uint64(at offset: Int) -> UInt64 {
        UInt64(uint32(at: offset)) << 32 | UInt64(uint32(at: offset + 4))
    }
}
