/// An open-addressing index from 32-bit hashes to slot numbers, eight bytes an entry.
///
/// A hash may have several entries: names whose hashes collide, or one address that many names share. The index does
/// not know what was hashed; who looks something up compares with what is in the slot.
struct SlotIndex: Sendable {
    /// Hash in the upper half, slot number plus one in the lower; 0 where empty; a power of two of them.
    private var table = [UInt64](repeating: 0, count: 16)
    /// Entries in it.
    private(set) var count = 0

    /// Calls `body` with the slot of every entry of `hash`, until it returns false.
    func forEach(_ hash: UInt32, _ body: (UInt32) -> Bool) {
        var position = home(of: SlotIndex.entry(hash, 0))
        while table[position] != 0 {
            let entry = table[position]
            if UInt32(truncatingIfNeeded: entry >> 32) == hash, !body(UInt32(truncatingIfNeeded: entry) - 1) { return }
            position = (position + 1) & (table.count - 1)
        }
    }

    /// Adds an entry.
    mutating func insert(_ hash: UInt32, _ slot: UInt32) {
        if (count + 1) * 4 > table.count * 3 {
            let old = table
            table = [UInt64](repeating: 0, count: old.count * 2)
            for entry in old where entry != 0 { place(entry) }
        }
        place(SlotIndex.entry(hash, slot))
        count += 1
    }

    /// Removes an entry, if it is there, closing the gap.
    mutating func remove(_ hash: UInt32, _ slot: UInt32) {
        let (entry, mask) = (SlotIndex.entry(hash, slot), table.count - 1)
        var gap = home(of: entry)
        while table[gap] != entry {
            guard table[gap] != 0 else { return }
            gap = (gap + 1) & mask
        }
        var position = (gap + 1) & mask
        while table[position] != 0 {
            let distance = (position - home(of: table[position])) & mask
            // Moves back if that does not take it before its home.
            if distance >= (position - gap) & mask {
                table[gap] = table[position]
                gap = position
            }
            position = (position + 1) & mask
        }
        table[gap] = 0
        count -= 1
    }

    /// An entry as it stands in the table.
    private static func entry(_ hash: UInt32, _ slot: UInt32) -> UInt64 { UInt64(hash) << 32 | (UInt64(slot) + 1) }

    /// Where probing for an entry starts.
    private func home(of entry: UInt64) -> Int { Int(entry >> 32) & (table.count - 1) }

    /// Writes an entry where probing for its hash finds it.
    private mutating func place(_ entry: UInt64) {
        var position = home(of: entry)
        while table[position] != 0 { position = (position + 1) & (table.count - 1) }
        table[position] = entry
    }
}
