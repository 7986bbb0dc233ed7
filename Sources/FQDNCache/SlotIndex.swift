/// An open-addressing index from 32-bit hashes to slot numbers; the records in the slots know their hashes.
struct SlotIndex: Sendable {
    /// Slot number plus one, or 0 where empty; a power of two of them.
    private var table = [UInt32](repeating: 0, count: 16)
    /// Entries in it.
    private var count = 0

    /// The slot for which `isMatch` holds among those of `hash`.
    func find(_ hash: UInt32, where isMatch: (UInt32) -> Bool) -> UInt32? {
        var position = Int(hash) & (table.count - 1)
        while table[position] != 0 {
            if isMatch(table[position] - 1) { return table[position] - 1 }
            position = (position + 1) & (table.count - 1)
        }
        return nil
    }

    /// Adds a slot of `records`.
    mutating func insert(_ slot: UInt32, in records: SlotPool) {
        if (count + 1) * 4 > table.count * 3 {
            let old = table
            table = [UInt32](repeating: 0, count: old.count * 2)
            for value in old where value != 0 { place(value, records[value - 1].hash) }
        }
        place(slot + 1, records[slot].hash)
        count += 1
    }

    /// Removes a slot of `records` that is in it, closing the gap.
    mutating func remove(_ slot: UInt32, in records: SlotPool) {
        let mask = table.count - 1
        var gap = Int(records[slot].hash) & mask
        while table[gap] != slot + 1 { gap = (gap + 1) & mask }
        var position = (gap + 1) & mask
        while table[position] != 0 {
            let distance = (position - Int(records[table[position] - 1].hash)) & mask
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

    /// Writes a value where probing for its hash finds it.
    private mutating func place(_ value: UInt32, _ hash: UInt32) {
        var position = Int(hash) & (table.count - 1)
        while table[position] != 0 { position = (position + 1) & (table.count - 1) }
        table[position] = value
    }
}
