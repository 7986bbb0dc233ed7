/// A number as the key of a dictionary, hashed by one multiplication. For numbers that nobody outside can choose: those that
/// are keyed hashes, or random, or the operator's.
struct ShortKey: Hashable {
    /// The number.
    private let value: UInt64

    /// A number.
    init(_ value: UInt64) {
        self.value = value
    }

    /// A socket of ours and an ID of our choice.
    init(_ socket: Int, _ id: UInt16) {
        value = UInt64(truncatingIfNeeded: socket) << 16 | UInt64(id)
    }

    /// The hash of which a dictionary takes the lowest bits; `seed` is of its own choice.
    func _rawHashValue(seed: Int) -> Int {
        let product = (value ^ UInt64(truncatingIfNeeded: seed)).multipliedFullWidth(by: 0x9E37_79B9_7F4A_7C15)
        return Int(truncatingIfNeeded: product.high ^ product.low)
    }
}
