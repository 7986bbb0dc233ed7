/// Where in a table something may be by its key: in one of the four slots of a set, which are next to each other. The table
/// has room for few at first, and for many when there are many.
struct FourWaySets {
    /// The logarithm of how many slots a set has.
    private static let wayBits = 2
    /// The logarithm of how many slots there are at first.
    private static let firstBits = 9

    /// Shift of a key that leaves the number of its set.
    private var shift: UInt64
    /// The logarithm of how many slots there are at most.
    private let mostBits: Int
    /// What was stored since there are as many slots as now.
    private var stored = 0

    /// Sets of up to `1 << bits` slots (bits 2 to 30).
    init(bits: Int) {
        shift = FourWaySets.shift(min(bits, FourWaySets.firstBits))
        mostBits = bits
    }

    /// The logarithm of how many slots there are.
    private var bits: Int { 64 + FourWaySets.wayBits - Int(shift) }

    /// How many slots there are.
    var count: Int { 1 << bits }

    /// The slots where what has `key`, a good hash, may be.
    @inline(__always)
    func places(_ key: UInt64) -> Range<Int> {
        let first = Int(truncatingIfNeeded: key >> shift) << FourWaySets.wayBits
        return first..<first + 1 << FourWaySets.wayBits
    }

    /// Where what has `key` is to be stored: where nothing is, by `isFree`, or in the place that it would rather have. Of what
    /// is too much for a set, only that gives way to each other which wants the same place.
    @inline(__always)
    func place(for key: UInt64, isFree: (Int) -> Bool) -> Int {
        let places = places(key)
        return places.first(where: isFree) ?? places.lowerBound + Int(key >> 8) & (1 << FourWaySets.wayBits - 1)
    }

    /// Counts something that is about to be stored; true when there are eight times as many slots from now on, or as many as
    /// there may be, all of them empty.
    mutating func grow() -> Bool {
        stored += 1
        guard stored > count / 8 else { return false }
        stored = 0
        let next = min(bits + 3, mostBits)
        guard next > bits else { return false }
        shift = FourWaySets.shift(next)
        return true
    }

    /// The shift for `1 << bits` slots.
    private static func shift(_ bits: Int) -> UInt64 { UInt64(64 + wayBits - bits) }
}
