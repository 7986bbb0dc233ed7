internal import DNSWire

extension Span<UInt8> {
    /// The last eight of the bytes of `range`, or all of them when they are fewer, the first of them lowest.
    @inline(__always)
    func lastWord(of range: Range<Int>) -> UInt64 {
        let length = range.upperBound - range.lowerBound
        // Names end near the end of their bytes: a load that ends there needs no bytes behind it.
        guard range.upperBound >= 8 else { return word(at: range.lowerBound, count: length) }
        let word = word(at: range.upperBound - 8)
        return length >= 8 ? word : length == 0 ? 0 : word >> UInt64(truncatingIfNeeded: 8 * (8 - length))
    }
}
