// Eight bytes at a time, wherever they stand, the first in the lowest bits: what copying, comparing and hashing names
// is made of. Each load and store checks its bounds. They count as unsafe because values of any type can be made of bytes and
// bytes of any value; every eight bytes are a number. Nothing else in this module is unsafe.

extension Span<UInt8> {
    /// The eight bytes at `offset`, which must be there.
    @inlinable @inline(__always)
    public func word(at offset: Int) -> UInt64 {
        unsafe UInt64(littleEndian: bytes.unsafeLoadUnaligned(fromByteOffset: offset, as: UInt64.self))
    }

    /// The `size` bytes (0 to 7) at `offset`, which must be there, and zeros above them.
    @inlinable @inline(__always)
    public func word(at offset: Int, count size: Int) -> UInt64 {
        if offset <= count - 8 { return word(at: offset) & ((1 << UInt64(truncatingIfNeeded: 8 * size)) &- 1) }
        var word: UInt64 = 0
        for index in 0..<size {
            word |= UInt64(self[offset + index]) << UInt64(truncatingIfNeeded: 8 * index)
        }
        return word
    }

    /// Whether the `size` bytes at `start` are those at `place` of `other`; false where there are not as many.
    @inlinable @inline(__always)
    public func hasBytes(at start: Int, count size: Int, equalTo other: Span<UInt8>, at place: Int) -> Bool {
        guard start >= 0, place >= 0, size >= 0, start <= count - size, place <= other.count - size else {
            return false
        }
        guard size >= 8 else {
            for index in 0..<size where self[start + index] != other[place + index] { return false }
            return true
        }
        var index = 0
        while index <= size - 8 {
            guard word(at: start + index) == other.word(at: place + index) else { return false }
            index += 8
        }
        return word(at: start + size - 8) == other.word(at: place + size - 8)
    }

    /// Whether the bytes from `offset` (0 to the count) on are exactly `other`.
    @inlinable @inline(__always)
    public func hasSuffix(_ other: Span<UInt8>, from offset: Int) -> Bool {
        count - offset == other.count && hasBytes(at: offset, count: other.count, equalTo: other, at: 0)
    }
}

extension MutableSpan<UInt8> {
    /// Writes eight bytes at `offset`, where there must be room for them.
    @inlinable @inline(__always)
    public mutating func setWord(_ word: UInt64, at offset: Int) {
        var bytes = unsafe mutableBytes
        bytes.storeBytes(of: word.littleEndian, toByteOffset: offset, as: UInt64.self)
    }

    /// Copies `source` to `offset`, where there must be room for it.
    @inlinable @inline(__always)
    public mutating func copy(_ source: Span<UInt8>, at offset: Int) {
        let size = source.count
        guard size >= 8 else {
            for index in 0..<size { self[offset + index] = source[index] }
            return
        }
        var index = 0
        while index <= size - 8 {
            setWord(source.word(at: index), at: offset + index)
            index += 8
        }
        setWord(source.word(at: size - 8), at: offset + size - 8)
    }
}

extension UInt64 {
    /// Eight bytes in ASCII lower case (RFC 4343); every other byte, label lengths included, is left as it is.
    @inlinable @inline(__always)
    public var canonicalCase: UInt64 { DNSWire.canonicalCase(self) }
}

extension [UInt8] {
    /// The bytes of a span; appended, because initialisers for many bytes ask for their own type each time (Swift 6.3).
    public init(copying span: Span<UInt8>) {
        self = []
        unsafe span.withUnsafeBufferPointer { unsafe append(contentsOf: $0) }
    }

    /// So many zeros; copied from others up to 512.
    public init(zeros count: Int) {
        if count <= someZeros.count {
            self.init(copying: someZeros.span.extracting(0..<count))
        } else {
            self.init(repeating: 0, count: count)
        }
    }
}

/// What short runs of zeros are copied from.
private let someZeros = [UInt8](repeating: 0, count: 512)

/// ASCII lower case (RFC 4343); every other byte, label lengths included, is left as it is.
@inlinable @inline(__always)
func canonicalCase(_ byte: UInt8) -> UInt8 {
    byte &- 0x41 < 26 ? byte | 0x20 : byte
}

/// Likewise for eight bytes at once.
@inlinable @inline(__always)
func canonicalCase(_ word: UInt64) -> UInt64 {
    let ones: UInt64 = 0x0101_0101_0101_0101
    let low = word & (0x7F &* ones)
    // The highest bit of each byte says whether it is at least "A", or behind "Z"; none carries into the next.
    let isUpper = (low &+ 0x3F &* ones) & ~(low &+ 0x25 &* ones) & ~word & (0x80 &* ones)
    return word | isUpper >> 2
}
