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
    public func hash(_ bytes: Span<UInt8>) -> UInt64 {
        var state = multiplier
        var word: UInt64 = 0
        for index in bytes.indices {
            word = word >> 8 | UInt64(bytes[index]) << 56
            if index & 7 == 7 { state = mix(state, word) }
        }
        return finish(state, tail: word, count: bytes.count)
    }

    /// Ends a hash: the bytes that did not fill a word, and the length.
    @inlinable
    func finish(_ state: UInt64, tail: UInt64, count: Int) -> UInt64 {
        mix(mix(state, count & 7 == 0 ? 0 : tail), UInt64(truncatingIfNeeded: count))
    }
}
