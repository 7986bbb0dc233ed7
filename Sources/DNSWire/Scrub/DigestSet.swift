/// Digests of the data of one RRset's records, to leave out duplicates (RFC 2181, section 5) in one pass.
///
/// The digests are keyed with the process's secret, so that nobody can make two different records look alike.
struct DigestSet: ~Copyable {
    /// Digests by hash; 0 is an empty slot. Those behind `mask` mean nothing.
    private var slots: [UInt64] = []
    /// Number of slots in use minus one, the number being a power of two.
    private var mask = 0

    /// Empties the set for up to `count` digests, keeping its memory.
    mutating func reset(count: Int) {
        var size = 2
        while size < 2 * count { size *= 2 }
        if slots.count < size { slots = [UInt64](repeating: 0, count: size) }
        var used = slots.mutableSpan
        for index in 0..<size { used[index] = 0 }
        mask = size - 1
    }

    /// Adds a digest; false when it is there already.
    mutating func insert(_ digest: UInt64) -> Bool {
        let digest = digest == 0 ? 1 : digest
        var slot = Int(truncatingIfNeeded: digest) & mask
        while slots[slot] != 0 {
            if slots[slot] == digest { return false }
            slot = (slot + 1) & mask
        }
        slots[slot] = digest
        return true
    }
}
