/// A hash table from what a child is found by to the child's index; what is compared is with the children themselves.
struct EdgeTable: Sendable {
    /// Hash in the upper and index in the lower half; 0 for an empty slot. At most two thirds are taken.
    private(set) var slots: [UInt64] = [0, 0]
    /// Slots that are taken.
    private(set) var count = 0

    /// The index (1 or more) that was inserted with `hash` and that `isWanted` says is the one; 0 when there is none.
    @inline(__always)
    func find(_ hash: UInt32, _ isWanted: (UInt32) -> Bool) -> UInt32 {
        let slots = slots.span
        var position = EdgeTable.start(hash, slots.count)
        while true {
            let slot = slots[position]
            if slot == 0 { return 0 }
            let index = UInt32(truncatingIfNeeded: slot)
            if UInt32(truncatingIfNeeded: slot >> 32) == hash, isWanted(index) { return index }
            position += 1
            if position == slots.count { position = 0 }
        }
    }

    /// Adds an index (1 or more) that is not there yet.
    mutating func insert(_ hash: UInt32, _ index: UInt32) {
        if (count + 1) * 3 > slots.count * 2 { resize(to: slots.count * 2) }
        EdgeTable.place(UInt64(hash) << 32 | UInt64(index), in: &slots)
        count += 1
    }

    /// Gives back what growing has left over.
    mutating func shrink() {
        resize(to: count * 3 / 2 + 2)
    }

    /// Moves everything into a table of `size` slots.
    private mutating func resize(to size: Int) {
        var larger = [UInt64](repeating: 0, count: size)
        for slot in slots where slot != 0 { EdgeTable.place(slot, in: &larger) }
        slots = larger
    }

    /// Puts a slot's content into the first free slot from its start on.
    private static func place(_ slot: UInt64, in slots: inout [UInt64]) {
        var position = start(UInt32(truncatingIfNeeded: slot >> 32), slots.count)
        while slots[position] != 0 {
            position += 1
            if position == slots.count { position = 0 }
        }
        slots[position] = slot
    }

    /// Where a search starts.
    @inline(__always)
    private static func start(_ hash: UInt32, _ count: Int) -> Int {
        Int(truncatingIfNeeded: (UInt64(hash) &* UInt64(truncatingIfNeeded: count)) >> 32)
    }
}
