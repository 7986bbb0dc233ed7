/// One domain name in canonical wire form (lower case, uncompressed, absolute), in place, with its hash.
///
/// The scratch space of the data path: made once, decoded into again and again, compared eight bytes at a time. Canonical form is that of RFC 4034, section 6.2; lengths are bounded by RFC 1035, section 2.3.4.
public struct NameBuffer: ~Copyable, Sendable {
    /// The canonical bytes; those from `count` on are left over from earlier names. On the heap, once for each buffer,
    /// because reading any byte of an `InlineArray` copies all of it (Swift 6.3).
    @usableFromInline var storage: [UInt8]
    /// Length of the name in bytes, the root label included: 1 to 255, or 0 when nothing was decoded yet.
    public private(set) var count: Int
    /// Labels of the name, the root not counted: 0 to 127.
    public private(set) var labelCount: Int
    /// Keyed hash of the canonical bytes.
    public private(set) var hash: UInt64
    /// The key of `hash`.
    let seed: HashSeed

    /// Bytes of the storage: the longest name, and what fills its last word.
    private static let capacity = 256

    /// An empty buffer whose hashes are keyed with `seed`.
    public init(seed: HashSeed = .process) {
        storage = [UInt8](repeating: 0, count: NameBuffer.capacity)
        count = 0
        labelCount = 0
        hash = 0
        self.seed = seed
    }

    /// A buffer that holds `name`.
    public init(_ name: DomainName, seed: HashSeed = .process) {
        self.init(seed: seed)
        assign(name)
    }

    /// The canonical bytes; looking at them one by one through this copies nothing.
    @inlinable
    public var span: Span<UInt8> {
        @inline(__always)
        @_lifetime(borrow self)
        get { storage.span.extracting(0..<count) }
    }

    /// Words of eight bytes that the name fills, the last one perhaps in part: 0 to 32.
    @inlinable @inline(__always)
    public var wordCount: Int { (count + 7) >> 3 }

    /// The word with the number `index` (0 to one less than `wordCount`); what the name does not fill of it is zero.
    @inlinable @inline(__always)
    public func word(_ index: Int) -> UInt64 {
        let word = storage.span.word(at: 8 * index)
        let rest = count - 8 * index
        return rest >= 8 ? word : word & ((1 << UInt64(truncatingIfNeeded: 8 * rest)) &- 1)
    }

    /// Whether the name is exactly `bytes`, themselves canonical wire form.
    @inlinable @inline(__always)
    public func equals(_ bytes: Span<UInt8>) -> Bool {
        span.hasSuffix(bytes, from: 0)
    }

    /// Whether both buffers hold the same name.
    @inlinable @inline(__always)
    public func equals(_ other: borrowing NameBuffer) -> Bool {
        hash == other.hash && span.hasSuffix(other.span, from: 0)
    }

    /// Whether the name is `ancestor` or below it.
    public func isEqualToOrBelow(_ ancestor: borrowing NameBuffer) -> Bool {
        isEqualToOrBelow(ancestor.span)
    }

    /// Whether the name is `ancestor` or below it.
    public func isEqualToOrBelow(_ ancestor: DomainName) -> Bool {
        isEqualToOrBelow(ancestor.bytes.span)
    }

    /// Whether the name is the one of these canonical bytes or below it.
    private func isEqualToOrBelow(_ ancestor: Span<UInt8>) -> Bool {
        let name = span
        var offset = 0
        while name.count - offset > ancestor.count {
            offset += 1 + Int(name[offset])
        }
        return name.hasSuffix(ancestor, from: offset)
    }

    /// The hash of the name from its byte `start`, a label's, on: what `hash` is for a buffer of that name alone.
    public func suffixHash(from start: Int) -> UInt64 {
        seed.hash(span.extracting(start..<count))
    }

    /// Offset of the label, or of the root, behind the one at `start`.
    public func label(after start: Int) -> Int { start + 1 + Int(span[start]) }

    /// The name as an owned value; allocates.
    public var domainName: DomainName {
        DomainName(canonicalBytes: [UInt8](copying: span))
    }

    /// Replaces the content with `name`.
    public mutating func assign(_ name: DomainName) {
        take(name.bytes.span, labels: name.labelCount)
    }

    /// Replaces the content with that of `other`.
    public mutating func assign(_ other: borrowing NameBuffer) {
        take(other.span, labels: other.labelCount)
    }

    /// Replaces the content with canonical bytes.
    private mutating func take(_ bytes: Span<UInt8>, labels: Int) {
        var output = storage.mutableSpan
        output.copy(bytes, at: 0)
        finish(bytes.count, labels: labels)
    }

    /// Decodes the name at `offset` of `message`, following compression pointers, and returns the offset
    /// behind it where it stands, or nil, leaving the reason in `failure`.
    ///
    /// A pointer must point strictly before the run of labels that it ends (RFC 1035, section 4.1.4: "a prior
    /// occurrence"), so that a loop cannot be written down and no count of jumps is needed.
    /// With `allowsCompression` false any pointer is an error.
    mutating func decode(
        _ message: Span<UInt8>, at offset: Int, allowsCompression: Bool, failure: inout WireError?
    ) -> Int? {
        // Nearly every name stands in one piece.
        if let (end, labels) = NameBuffer.extent(of: message, at: offset) {
            takeCanonically(message, from: offset, count: end - offset)
            finish(end - offset, labels: labels)
            return end
        }
        // Most others are one pointer at a name that stands in one piece.
        if let target = NameBuffer.pointer(in: message, at: offset), allowsCompression,
            let (end, labels) = NameBuffer.extent(of: message, at: target)
        {
            takeCanonically(message, from: target, count: end - target)
            finish(end - target, labels: labels)
            return offset + 2
        }
        var total = 0
        var labels = 0
        var position = offset
        var runStart = offset
        var jumps = 0
        var end: Int? = nil
        while true {
            guard position < message.count else { return fail(.truncated, &failure) }
            let length = message[position]
            if length < 64 {
                let next = position + 1 + Int(length)
                guard next <= message.count else { return fail(.truncated, &failure) }
                guard total + 1 + Int(length) <= 255 else { return fail(.nameTooLong, &failure) }
                for index in position..<next {
                    storage[total] = canonicalCase(message[index])
                    total += 1
                }
                position = next
                if length == 0 { break }
                labels += 1
            } else if length >= 0xC0 {
                guard position + 1 < message.count else { return fail(.truncated, &failure) }
                let target = Int(length & 0x3F) << 8 | Int(message[position + 1])
                guard allowsCompression, target < runStart, target >= Header.length, jumps < 127 else {
                    return fail(.badPointer, &failure)
                }
                jumps += 1
                if end == nil { end = position + 2 }
                position = target
                runStart = target
            } else {
                return fail(.badLabelType, &failure)
            }
        }
        finish(total, labels: labels)
        return end ?? position
    }

    /// The offset behind the name at `offset`, and the number of its labels; nil when it is compressed or no name.
    @inline(__always)
    private static func extent(of message: Span<UInt8>, at offset: Int) -> (end: Int, labels: Int)? {
        var position = offset
        var labels = 0
        while position < message.count, message[position] < 64 {
            guard message[position] != 0 else { return position - offset < 255 ? (position + 1, labels) : nil }
            position += 1 + Int(message[position])
            labels += 1
        }
        return nil
    }

    /// Where the pointer at `offset` of `message` points, if there is one at something before it.
    @inline(__always)
    private static func pointer(in message: Span<UInt8>, at offset: Int) -> Int? {
        guard offset >= 0, offset < message.count - 1, message[offset] >= 0xC0 else { return nil }
        let target = Int(message[offset] & 0x3F) << 8 | Int(message[offset + 1])
        return target >= Header.length && target < offset ? target : nil
    }

    /// Copies `count` bytes of a name in one piece, in canonical case: no length of a label is a letter.
    @inline(__always)
    private mutating func takeCanonically(_ message: Span<UInt8>, from offset: Int, count: Int) {
        var output = storage.mutableSpan
        var index = 0
        while index <= count - 8 {
            output.setWord(canonicalCase(message.word(at: offset + index)), at: index)
            index += 8
        }
        if index < count {
            output.setWord(canonicalCase(message.word(at: offset + index, count: count - index)), at: index)
        }
    }

    /// Replaces the DNAME owner at the end of this name by `target` (RFC 6672, section 2.2), and returns whether
    /// the result is a name at all; afterwards the buffer is valid only if it is.
    mutating func substitute(suffix owner: borrowing NameBuffer, with target: borrowing NameBuffer) -> Bool {
        let kept = count - owner.count
        guard kept > 0, kept + target.count <= 255 else { return false }
        var output = storage.mutableSpan
        output.copy(target.span, at: kept)
        finish(kept + target.count, labels: labelCount - owner.labelCount + target.labelCount)
        return true
    }

    /// Makes the first `count` bytes of the storage the name.
    @inline(__always)
    private mutating func finish(_ count: Int, labels: Int) {
        self.count = count
        labelCount = labels
        hash = seed.hash(storage.span.extracting(0..<count))
    }

    /// Empties the buffer and notes the reason.
    private mutating func fail(_ error: WireError, _ failure: inout WireError?) -> Int? {
        count = 0
        labelCount = 0
        failure = error
        return nil
    }
}
