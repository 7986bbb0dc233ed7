/// Comparison of bytes eight at a time: most of a verdict's work is to compare labels and names.
extension Span<UInt8> {
    /// The eight bytes from `offset` on, the first of them lowest. Traps, as a subscript does, outside the span.
    @inline(__always)
    func word(at offset: Int) -> UInt64 {
        // Unsafe only as a load of any type is; the offset is checked, and every pattern of bits is a number.
        UInt64(littleEndian: unsafe bytes.unsafeLoadUnaligned(fromByteOffset: offset, as: UInt64.self))
    }

    /// The last eight of the bytes of `range`, or all of them when they are fewer, the first of them lowest.
    @inline(__always)
    func lastWord(of range: Range<Int>) -> UInt64 {
        let length = range.upperBound - range.lowerBound
        if range.upperBound >= 8 {
            let word = word(at: range.upperBound - 8)
            return length >= 8 ? word : length == 0 ? 0 : word >> UInt64(truncatingIfNeeded: 8 * (8 - length))
        }
        var word: UInt64 = 0
        var index = range.upperBound
        while index > range.lowerBound {
            index -= 1
            word = word << 8 | UInt64(self[index])
        }
        return word
    }

    /// Whether the `count` bytes at `start` are those at `place` of `other`; false where there are not as many.
    @inline(__always)
    func hasBytes(at start: Int, count: Int, equalTo other: Span<UInt8>, at place: Int) -> Bool {
        guard start >= 0, place >= 0, count >= 0, start <= self.count - count, place <= other.count - count else {
            return false
        }
        var index = 0
        while index + 8 <= count {
            if word(at: start + index) != other.word(at: place + index) { return false }
            index += 8
        }
        if index == count { return true }
        if count >= 8 { return word(at: start + count - 8) == other.word(at: place + count - 8) }
        while index < count {
            if self[start + index] != other[place + index] { return false }
            index += 1
        }
        return true
    }
}
