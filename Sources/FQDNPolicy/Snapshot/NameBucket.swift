/// Where the exact names of a layer are that share some bits of their hash: a few names, one behind the other.
struct NameBucket {
    /// Where the first name is; those of the bucket before end there.
    let place: UInt32
    /// The marks of its names.
    let marks: Marks

    /// Which names can be in a bucket, by other bits of their hash: one bit of 16 for each.
    ///
    /// They are kept apart from the places, since they are all that most names need that have no rule, and so few bytes
    /// that they stay in a cache where the rest does not.
    struct Marks: Sendable {
        /// The bits.
        private var bits: UInt16 = 0

        /// Adds the mark of a name.
        mutating func insert(_ hash: UInt64) { bits |= 1 << UInt16(truncatingIfNeeded: hash >> 60) }

        /// Whether a name with this hash can be there.
        @inline(__always)
        func mayContain(_ hash: UInt64) -> Bool { bits >> UInt16(truncatingIfNeeded: hash >> 60) & 1 != 0 }
    }

    /// Names for which there is one bucket.
    private static let names = 4

    /// The bucket, one of `count`, of a name with this hash.
    @inline(__always)
    static func index(of hash: UInt64, count: UInt32) -> UInt32 {
        UInt32(truncatingIfNeeded: ((hash & 0xFFFF_FFFF) * UInt64(count)) >> 32)
    }

    /// The buckets for so many names.
    static func count(forNames count: Int) -> Int { (count + names - 1) / names }
}
