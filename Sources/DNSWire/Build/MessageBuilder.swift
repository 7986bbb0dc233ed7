/// Writes one message from front to back into a buffer that the caller owns.
///
/// Plain data: every call takes the buffer. What does not fit is not written and sets `overflowed` for good, so
/// that the caller asks once, at the end or at a record's border. Nothing here allocates or throws.
public struct MessageBuilder: Sendable {
    /// Bytes written so far; the next byte goes here.
    public private(set) var count: Int
    /// Most bytes that may be written, at most 65,535 (RFC 1035, section 4.2.2).
    public let limit: Int
    /// Whether something did not fit.
    public private(set) var overflowed: Bool
    /// Where earlier names are, for compression.
    private var suffixes: SuffixTable

    /// A builder that starts behind a header, which `Header.write` fills in, and writes up to `limit` bytes in all.
    public init(limit: Int) {
        self.limit = min(max(limit, 0), 65_535)
        count = Header.length
        overflowed = limit < Header.length
        suffixes = SuffixTable()
    }

    /// Writes one byte.
    public mutating func put8(_ value: UInt8, to output: inout MutableSpan<UInt8>) {
        guard let start = reserve(1, of: output) else { return }
        output[start] = value
    }

    /// Writes two bytes in network order.
    public mutating func put16(_ value: UInt16, to output: inout MutableSpan<UInt8>) {
        guard let start = reserve(2, of: output) else { return }
        output.put16(value, at: start)
    }

    /// Writes four bytes in network order.
    public mutating func put32(_ value: UInt32, to output: inout MutableSpan<UInt8>) {
        guard let start = reserve(4, of: output) else { return }
        output.put16(UInt16(truncatingIfNeeded: value >> 16), at: start)
        output.put16(UInt16(truncatingIfNeeded: value), at: start + 2)
    }

    /// Copies `range` of `bytes`; a range outside of them counts as something that does not fit.
    public mutating func put(_ bytes: Span<UInt8>, _ range: Range<Int>, to output: inout MutableSpan<UInt8>) {
        guard range.lowerBound >= 0, range.upperBound <= bytes.count else {
            overflowed = true
            return
        }
        guard let start = reserve(range.count, of: output) else { return }
        output.copy(bytes.extracting(range), at: start)
    }

    /// Copies all of `bytes`.
    public mutating func put(_ bytes: Span<UInt8>, to output: inout MutableSpan<UInt8>) {
        put(bytes, 0..<bytes.count, to: &output)
    }

    /// Writes a name, its longest known suffix as a pointer when `compressed` (RFC 1035, section 4.1.4).
    public mutating func put(
        _ name: borrowing NameBuffer, compressed: Bool = true, to output: inout MutableSpan<UInt8>
    ) {
        putName(name.span, compressed: compressed, to: &output)
    }

    /// Writes a name, its longest known suffix as a pointer when `compressed` (RFC 1035, section 4.1.4).
    public mutating func put(_ name: DomainName, compressed: Bool = true, to output: inout MutableSpan<UInt8>) {
        putName(name.bytes.span, compressed: compressed, to: &output)
    }

    /// Writes one question (RFC 1035, section 4.1.2).
    public mutating func putQuestion(
        _ name: borrowing NameBuffer, type: RecordType, recordClass: RecordClass = .in,
        to output: inout MutableSpan<UInt8>
    ) {
        put(name, to: &output)
        put16(type.rawValue, to: &output)
        put16(recordClass.rawValue, to: &output)
    }

    /// Takes back everything from `offset` on, an overflow included, as if it had never been written.
    ///
    /// `offset` is a former `count`, at a record's border; this is how a message ends at its last whole record.
    public mutating func rewind(to offset: Int) {
        guard offset >= Header.length, offset <= count else { return }
        count = offset
        overflowed = false
        suffixes.forget(from: offset)
    }

    /// Writes a pointer to the name that stands at `place`, which is below 0x4000 and before here.
    mutating func putPointer(to place: Int, output: inout MutableSpan<UInt8>) {
        put16(0xC000 | UInt16(truncatingIfNeeded: place), to: &output)
    }

    /// Claims `size` bytes and returns where they start, or nil when they do not fit.
    private mutating func reserve(_ size: Int, of output: borrowing MutableSpan<UInt8>) -> Int? {
        guard !overflowed, size <= min(limit, output.count) - count else {
            overflowed = true
            return nil
        }
        count += size
        return count - size
    }

    /// Writes the uncompressed wire name `name`, of any case; malformed bytes count as what does not fit.
    ///
    /// The suffixes that are not found are remembered, so that the work is bounded by what is written: each
    /// label costs one look into the table and is then either written or part of the pointer.
    mutating func putName(_ name: Span<UInt8>, compressed: Bool, to output: inout MutableSpan<UInt8>) {
        guard !overflowed else { return }
        var labels = LabelTable()
        guard labels.read(name) else {
            overflowed = true
            return
        }
        let start = count
        let offsets = labels.offsets.span
        let hashes = labels.hashes.span
        for index in 0..<labels.count {
            let offset = Int(offsets[index])
            let hash = hashes[index]
            if compressed, let target = suffixes.find(hash, name, offset, in: output, before: start) {
                put16(0xC000 | target, to: &output)
                return
            }
            let end = offset + 1 + Int(name[offset])
            let place = start + offset
            put(name, offset..<end, to: &output)
            guard !overflowed else { return }
            suffixes.insert(hash, at: place)
        }
        put8(0, to: &output)
    }
}

/// Records (RFC 1035, section 4.1.3).
extension MessageBuilder {
    /// A record that has begun and whose data is being written.
    public struct OpenRecord: Sendable {
        /// Where the record's owner starts.
        public let start: Int
        /// Where its TTL is.
        public let ttlOffset: Int
        /// Where its data starts, behind the two bytes of the length.
        public let dataOffset: Int
    }

    /// Begins a record that is owned by `owner`.
    public mutating func beginRecord(
        _ owner: borrowing NameBuffer, type: RecordType, recordClass: RecordClass = .in, ttl: UInt32,
        to output: inout MutableSpan<UInt8>
    ) -> OpenRecord {
        let start = count
        put(owner, to: &output)
        return beginRecord(from: start, type: type, recordClass: recordClass, ttl: ttl, to: &output)
    }

    /// Begins a record that is owned by `owner`.
    public mutating func beginRecord(
        _ owner: DomainName, type: RecordType, recordClass: RecordClass = .in, ttl: UInt32,
        to output: inout MutableSpan<UInt8>
    ) -> OpenRecord {
        let start = count
        put(owner, to: &output)
        return beginRecord(from: start, type: type, recordClass: recordClass, ttl: ttl, to: &output)
    }

    /// Begins a record whose owner, from `start` on, has been written already.
    mutating func beginRecord(
        from start: Int, type: RecordType, recordClass: RecordClass, ttl: UInt32, to output: inout MutableSpan<UInt8>
    ) -> OpenRecord {
        put16(type.rawValue, to: &output)
        put16(recordClass.rawValue, to: &output)
        let ttlOffset = count
        put32(ttl, to: &output)
        put16(0, to: &output)
        return OpenRecord(start: start, ttlOffset: ttlOffset, dataOffset: count)
    }

    /// Writes the data of a record of `type`, which holds no compressed name; its names are compressed where a
    /// reader may expect that (RFC 3597, section 4). Data that is not of the type counts as what does not fit.
    public mutating func putData(_ data: Span<UInt8>, of type: RecordType, to output: inout MutableSpan<UInt8>) {
        var name = NameBuffer()
        guard case .success = RecordData.check(type, data, 0..<data.count, name: &name) else {
            overflowed = true
            return
        }
        RecordData.copy(type, data, 0..<data.count, builder: &self, to: &output)
    }

    /// Ends a record: its length is what has been written since it began.
    public mutating func endRecord(_ record: OpenRecord, to output: inout MutableSpan<UInt8>) {
        guard !overflowed, record.dataOffset <= count else { return }
        output.put16(UInt16(truncatingIfNeeded: count - record.dataOffset), at: record.dataOffset - 2)
    }
}

/// Writes in network order; the caller has checked the bounds.
extension MutableSpan<UInt8> {
    /// Writes two bytes at `offset`.
    public mutating func put16(_ value: UInt16, at offset: Int) {
        self[offset] = UInt8(truncatingIfNeeded: value >> 8)
        self[offset + 1] = UInt8(truncatingIfNeeded: value)
    }

    /// Writes eight bytes at `offset`.
    mutating func put64(_ value: UInt64, at offset: Int) {
        for index in 0..<8 { self[offset + index] = UInt8(truncatingIfNeeded: value >> UInt64(56 - 8 * index)) }
    }
}
