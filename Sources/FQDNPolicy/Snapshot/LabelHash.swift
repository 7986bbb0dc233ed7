/// A keyed hash of one label below one trie node, fed byte by byte.
struct LabelHash {
    /// The key, random for each snapshot, so that nobody can write policies whose labels collide.
    struct Seed: Sendable {
        /// Mixed in before each multiplication.
        let additive = UInt64.random(in: .min ... .max)
        /// What each word is multiplied by; odd.
        let multiplier = UInt64.random(in: .min ... .max) | 1
    }

    /// The hash so far.
    private var state: UInt64
    /// Bytes that have not filled a word yet.
    private var word: UInt64 = 0
    /// Bytes in all.
    private var count: UInt8 = 0
    /// The key.
    private let seed: Seed

    /// The start of the hash of a label below `node`.
    @inline(__always)
    init(_ node: UInt32, _ seed: Seed) {
        self.seed = seed
        state = UInt64(node)
    }

    /// Takes the next byte.
    @inline(__always)
    mutating func add(_ byte: UInt8) {
        word = word << 8 | UInt64(byte)
        count &+= 1
        if count & 7 == 0 {
            mix(word)
            word = 0
        }
    }

    /// Ends the label.
    @inline(__always)
    consuming func finish() -> UInt32 {
        mix(word << 8 | UInt64(count))
        return UInt32(truncatingIfNeeded: state >> 32 ^ state)
    }

    /// Folds one word in.
    @inline(__always)
    private mutating func mix(_ word: UInt64) {
        let product = (state ^ word ^ seed.additive).multipliedFullWidth(by: seed.multiplier)
        state = product.high ^ product.low
    }
}
