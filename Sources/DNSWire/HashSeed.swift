/// The secret that keys every name hash of a process, so that nobody outside can choose names that collide.
public struct HashSeed: Sendable {
    /// Mixed in before each multiplication.
    @usableFromInline let additive: UInt64
    /// What each word is multiplied by; odd, so that it loses no bits.
    @usableFromInline let multiplier: UInt64

    /// A seed of known value, for tests that want the same table layout twice.
    public init(additive: UInt64, multiplier: UInt64) {
        self.additive = additive
        self.multiplier = multiplier | 1
    }

    /// The seed of this process, random at its start.
    public static let process = HashSeed(additive: .random(in: .min ... .max), multiplier: .random(in: .min ... .max))

    /// Folds one 8-byte word into a running hash.
    @inlinable
    func mix(_ state: UInt64, _ word: UInt64) -> UInt64 {
        let product = (state ^ word ^ additive).multipliedFullWidth(by: multiplier)
        return product.high ^ product.low
    }

    /// The hash of canonical wire bytes; equal to `NameBuffer.hash` of the same name under the same seed.
    @inlinable
    public func hash(_ bytes: Span<UInt8>) -> UInt64 {
        let count = bytes.count
        var state = multiplier
        var offset = 0
        while offset <= count - 8 {
            state = mix(state, bytes.word(at: offset))
            offset += 8
        }
        let tail = offset < count ? bytes.word(at: offset, count: count - offset) : 0
        return mix(mix(state, tail), UInt64(truncatingIfNeeded: count))
    }
}
