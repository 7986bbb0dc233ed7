/// The key of the hashes of labels and parts of labels, random for each snapshot, so that nobody can write policies or
/// ask for names whose labels collide.
struct LabelSeed: Sendable {
    /// Mixed in before each multiplication.
    private let additive = UInt64.random(in: .min ... .max)
    /// What each word is multiplied by; odd.
    private let multiplier = UInt64.random(in: .min ... .max) | 1
    /// What a byte counts more than the one behind it, in sums over parts of a label; odd.
    let base: UInt64
    /// Powers of `base`, from the zeroth on.
    let powers: [UInt64]

    /// A new random key.
    init() {
        let base = UInt64.random(in: .min ... .max) | 1
        var powers: [UInt64] = [1]
        while powers.count < 64 { powers.append(powers[powers.count - 1] &* base) }
        self.base = base
        self.powers = powers
    }

    /// Folds one word into a state.
    @inline(__always)
    func mix(_ state: UInt64, _ word: UInt64) -> UInt64 {
        let product = (state ^ word ^ additive).multipliedFullWidth(by: multiplier)
        return product.high ^ product.low
    }

    /// Ends a hash: the node that the text starts from and the length of the text.
    @inline(__always)
    func finish(_ state: UInt64, _ parent: UInt32, length: Int) -> UInt32 {
        let mixed = mix(state, UInt64(parent) << 8 | UInt64(truncatingIfNeeded: length))
        return UInt32(truncatingIfNeeded: mixed >> 32 ^ mixed)
    }
}

/// A label in words, and its hash below a node.
struct LabelWords {
    /// The last eight bytes, or all of them when they are fewer.
    let last: UInt64
    /// The hash.
    let hash: UInt32

    /// The words of the label whose first byte is at `start` of `text`, below the node `parent`.
    @inline(__always)
    init(_ text: Span<UInt8>, _ start: Int, length: Int, below parent: UInt32, _ seed: LabelSeed) {
        last = text.lastWord(of: start..<(start + length))
        var state = last
        var rest = length - 8
        while rest > 0 {
            state = seed.mix(state, text.lastWord(of: start..<(start + rest)))
            rest -= 8
        }
        hash = seed.finish(state, parent, length: length)
    }
}
