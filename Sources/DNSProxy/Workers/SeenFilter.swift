/// Which names of which identities one worker has noted already: a Bloom filter, so that a name that is asked for again
/// and again costs nothing. It may take a new name for a noted one, of 50,000 about one in a thousand.
struct SeenFilter: ~Copyable {
    /// The bits: 128 KiB.
    private var words = [UInt64](repeating: 0, count: 1 << 14)
    /// Keys since it was empty.
    private var count = 0
    /// The state of the world that it was filled in.
    private var epoch: UInt64 = 0

    /// Keys after which it begins anew, so that it keeps telling names apart.
    private static let capacity = 50_000

    /// Nothing noted yet.
    init() {}

    /// Notes `key`, which is a good hash, in `epoch`; false when it is there already.
    mutating func insert(_ key: UInt64, epoch: UInt64) -> Bool {
        if epoch != self.epoch || count >= SeenFilter.capacity {
            for index in words.indices { words[index] = 0 }
            self.epoch = epoch
            count = 0
        }
        var isNew = false
        var rest = key
        for _ in 0..<4 {
            rest = rest &* 0x9E37_79B9_7F4A_7C15 ^ rest >> 29
            let position = Int(truncatingIfNeeded: rest >> 44)
            let bit = UInt64(1) << UInt64(position & 63)
            if words[position >> 6] & bit == 0 {
                words[position >> 6] |= bit
                isNew = true
            }
        }
        if isNew { count += 1 }
        return isNew
    }
}
