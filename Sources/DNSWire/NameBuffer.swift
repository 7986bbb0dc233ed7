/// One domain name in canonical wire form (lower case, uncompressed, absolute), in place, with its hash.
///
/// The scratch space of the data path: decoded into again and again, never on the heap, compared byte
/// for byte. Canonical form is that of RFC 4034, section 6.2; lengths are bounded by RFC 1035, section 2.3.4.
public struct NameBuffer: ~Copyable, Sendable {
    /// The canonical bytes; those from `count` on are left over from earlier names.
    @usableFromInline var storage: InlineArray<256, UInt8>
    /// Length of the name in bytes, the root label included: 1 to 255, or 0 when nothing was decoded yet.
    public private(set) var count: Int
    /// Labels of the name, the root not counted: 0 to 127.
    public private(set) var labelCount: Int
    /// Keyed hash of the canonical bytes.
    public private(set) var hash: UInt64
    /// The key of `hash`.
    let seed: HashSeed

    /// An empty buffer whose hashes are keyed with `seed`.
    public init(seed: HashSeed = .process) {
        storage = InlineArray(repeating: 0)
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
    public var span: Span<UInt8> {
        @_lifetime(borrow self)
        get { storage.span.extracting(0..<count) }
    }

    /// Whether the name is exactly `bytes`, themselves canonical wire form.
    public func equals(_ bytes: Span<UInt8>) -> Bool {
        span.hasSuffix(bytes, from: 0)
    }

    /// Whether both buffers hold the same name.
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

    /// The name as an owned value; allocates.
    public var domainName: DomainName {
        DomainName(canonicalBytes: [UInt8](span))
    }

    /// Replaces the content with `name`.
    public mutating func assign(_ name: DomainName) {
        let bytes = name.bytes
        begin()
        for byte in bytes { push(byte) }
        labelCount = name.labelCount
        finish()
    }

    /// Replaces the content with that of `other`.
    public mutating func assign(_ other: borrowing NameBuffer) {
        begin()
        let bytes = other.span
        for index in bytes.indices { push(bytes[index]) }
        labelCount = other.labelCount
        finish()
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
        begin()
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
                guard count + 1 + Int(length) <= 255 else { return fail(.nameTooLong, &failure) }
                push(length)
                var index = position + 1
                while index < next {
                    push(canonicalCase(message[index]))
                    index += 1
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
        labelCount = labels
        finish()
        return end ?? position
    }

    /// Replaces the DNAME owner at the end of this name by `target` (RFC 6672, section 2.2), and returns whether
    /// the result is a name at all; afterwards the buffer is valid only if it is.
    mutating func substitute(suffix owner: borrowing NameBuffer, with target: borrowing NameBuffer) -> Bool {
        let kept = count - owner.count
        guard kept > 0, kept + target.count <= 255 else { return false }
        let labels = labelCount - owner.labelCount + target.labelCount
        let suffix = target.span
        for index in suffix.indices { storage[kept + index] = suffix[index] }
        let total = kept + target.count
        begin()
        for index in 0..<total { push(storage[index]) }
        labelCount = labels
        finish()
        return true
    }

    // MARK: One pass over the bytes

    /// Bytes of the hash that have not filled a word yet.
    private var word: UInt64 = 0
    /// The hash so far.
    private var state: UInt64 = 0

    /// Starts a new name.
    private mutating func begin() {
        count = 0
        word = 0
        state = seed.multiplier
    }

    /// Takes one canonical byte, into the storage and the hash.
    @inline(__always)
    private mutating func push(_ byte: UInt8) {
        storage[count] = byte
        word = word >> 8 | UInt64(byte) << 56
        count += 1
        if count & 7 == 0 { state = seed.mix(state, word) }
    }

    /// Ends the name.
    private mutating func finish() {
        hash = seed.finish(state, tail: word, count: count)
    }

    /// Empties the buffer and notes the reason.
    private mutating func fail(_ error: WireError, _ failure: inout WireError?) -> Int? {
        count = 0
        labelCount = 0
        failure = error
        return nil
    }
}

/// ASCII lower case (RFC 4343); every other byte, label lengths included, is left as it is.
@inlinable
func canonicalCase(_ byte: UInt8) -> UInt8 {
    byte &- 0x41 < 26 ? byte | 0x20 : byte
}

extension Span<UInt8> {
    /// Whether the bytes from `offset` (0 to the count) on are exactly `other`.
    func hasSuffix(_ other: Span<UInt8>, from offset: Int) -> Bool {
        guard count - offset == other.count else { return false }
        for index in other.indices where self[offset + index] != other[index] { return false }
        return true
    }
}

extension [UInt8] {
    /// The bytes of a span, as an array.
    fileprivate init(_ span: Span<UInt8>) {
        self = []
        reserveCapacity(span.count)
        for index in span.indices { append(span[index]) }
    }
}
