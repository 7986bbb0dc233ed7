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

    /// The byte at `index` of the canonical form.
    @inlinable
    public subscript(index: Int) -> UInt8 { storage[index] }

    /// Whether the name is exactly `bytes`, themselves canonical wire form.
    @inlinable
    public func equals(_ bytes: Span<UInt8>) -> Bool {
        guard bytes.count == count else { return false }
        for index in bytes.indices where bytes[index] != storage[index] { return false }
        return true
    }

    /// Whether both buffers hold the same name.
    public func equals(_ other: borrowing NameBuffer) -> Bool {
        guard hash == other.hash, count == other.count else { return false }
        for index in 0..<count where storage[index] != other.storage[index] { return false }
        return true
    }

    /// Whether the name is `ancestor` or below it.
    public func isEqualToOrBelow(_ ancestor: borrowing NameBuffer) -> Bool {
        var offset = 0
        while count - offset > ancestor.count {
            offset += 1 + Int(storage[offset])
        }
        guard count - offset == ancestor.count else { return false }
        for index in 0..<ancestor.count where storage[offset + index] != ancestor.storage[index] { return false }
        return true
    }

    /// Whether the name is `ancestor` or below it.
    public func isEqualToOrBelow(_ ancestor: DomainName) -> Bool {
        let suffix = ancestor.bytes.span
        var offset = 0
        while count - offset > suffix.count {
            offset += 1 + Int(storage[offset])
        }
        guard count - offset == suffix.count else { return false }
        for index in suffix.indices where storage[offset + index] != suffix[index] { return false }
        return true
    }

    /// The name as an owned value; allocates.
    public var domainName: DomainName {
        DomainName(canonicalBytes: [UInt8](generating: count) { storage[$0] })
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
        for index in 0..<other.count { push(other.storage[index]) }
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
                guard allowsCompression, target < runStart, target >= Header.length else {
                    return fail(.badPointer, &failure)
                }
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
        for index in 0..<target.count { storage[kept + index] = target.storage[index] }
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

extension [UInt8] {
    /// An array of `count` bytes, each given by `element`.
    fileprivate init(generating count: Int, _ element: (Int) -> UInt8) {
        self = []
        reserveCapacity(count)
        for index in 0..<count { append(element(index)) }
    }
}
