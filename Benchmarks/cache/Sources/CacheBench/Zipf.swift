import Glibc

/// Numbers of which the one of rank r comes up in proportion to 1 / r^exponent.
struct Zipf {
    /// The weights up to each rank, added up.
    private let sums: [Double]

    /// Ranks 0 to `count` - 1.
    init(exponent: Double, count: Int) {
        var sum = 0.0
        sums = (1...count).map { rank in
            sum += pow(Double(rank), -exponent)
            return sum
        }
    }

    /// One of them.
    func draw(_ dice: inout Dice) -> Int {
        let target = Double.random(in: 0..<(sums.last ?? 1), using: &dice)
        var (low, high) = (0, sums.count - 1)
        while low < high {
            let middle = (low + high) / 2
            if sums[middle] < target { low = middle + 1 } else { high = middle }
        }
        return low
    }
}

/// Random numbers that are the same in every run (xorshift64*).
struct Dice: RandomNumberGenerator {
    /// The last state, never zero.
    private var state: UInt64

    /// A sequence of its own for each seed.
    init(_ seed: UInt64) { state = seed &* 0x9E37_79B9_7F4A_7C15 | 1 }

    mutating func next() -> UInt64 {
        state ^= state << 13
        state ^= state >> 7
        state ^= state << 17
        return state &* 0x2545_F491_4F6C_DD1D
    }
}
