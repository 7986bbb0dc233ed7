internal import DNSWire

/// The index: open addressing with linear probing over 32-bit slots; zero is an empty one.
extension AnswerShard {
    /// The content of an index slot.
    @inline(__always)
    func slot(_ number: Int) -> UInt32 { arena.load(layout.indexBase + 4 * number) }

    /// Writes an index slot.
    private mutating func setSlot(_ number: Int, _ value: UInt32) {
        arena.store(value, at: layout.indexBase + 4 * number)
    }

    /// Where probing for a hash starts.
    @inline(__always)
    private func home(_ hash: UInt32) -> Int { AnswerShardLayout.home(hash, slots: slotCount) }

    /// The slot behind `number`.
    @inline(__always)
    private func next(_ number: Int) -> Int { number + 1 == slotCount ? 0 : number + 1 }

    /// The entry stored under a name and key, fresh or not. In place, because a call would be given a copy of the shard.
    @inline(__always)
    func find(_ name: borrowing NameBuffer, _ key: AnswerKey) -> AnswerEntry? {
        let hash = key.tableHash(nameHash: name.hash)
        let tag = hash << UInt32(layout.positionBits)
        var number = home(hash)
        while true {
            let value = slot(number)
            if value == 0 { return nil }
            if value >> UInt32(layout.positionBits) == tag >> UInt32(layout.positionBits) {
                let entry = layout.entry(value)
                if arena.load(entry.hash, as: UInt32.self) == hash, arena.key(entry) == key,
                    arena.withName(entry, { name.equals($0) })
                {
                    return entry
                }
            }
            number = next(number)
        }
    }

    /// Doubles the slots, if there is room for more.
    mutating func growIndex() {
        guard slotCount < layout.slotCount else { return }
        var values: [UInt32] = []
        values.reserveCapacity(statistics.entries)
        for number in 0..<slotCount where slot(number) != 0 {
            values.append(slot(number))
            setSlot(number, 0)
        }
        slotCount = layout.slots(behind: slotCount)
        for value in values { place(value, hash: arena.load(layout.entry(value).hash)) }
    }

    /// Writes the content of a slot where probing for its hash finds it.
    private mutating func place(_ value: UInt32, hash: UInt32) {
        var number = home(hash)
        while slot(number) != 0 { number = next(number) }
        setSlot(number, value)
    }

    /// Adds an entry that is not in the index.
    mutating func addToIndex(_ entry: AnswerEntry, hash: UInt32) {
        place(layout.slot(entry, hash: hash), hash: hash)
    }

    /// The slot that points to an entry, which is in the index.
    private func slotNumber(_ entry: AnswerEntry) -> Int {
        let hash = arena.load(entry.hash, as: UInt32.self)
        let value = layout.slot(entry, hash: hash)
        var number = home(hash)
        while slot(number) != value { number = next(number) }
        return number
    }

    /// Tells the index that an entry's bytes are now at `target`; both copies must be readable or the old one still be.
    mutating func moveInIndex(_ entry: AnswerEntry, to target: AnswerEntry) {
        let hash = arena.load(entry.hash, as: UInt32.self)
        setSlot(slotNumber(entry), layout.slot(target, hash: hash))
    }

    /// Takes an entry out of the index and closes the gap, so that no probe ends too early.
    mutating func removeFromIndex(_ entry: AnswerEntry) {
        var gap = slotNumber(entry)
        var number = next(gap)
        while slot(number) != 0 {
            let home = self.home(arena.load(layout.entry(slot(number)).hash, as: UInt32.self))
            // The entry may fill the gap unless its home lies cyclically behind the gap.
            let staysReachable = gap <= number ? (home <= gap || home > number) : (home <= gap && home > number)
            if staysReachable {
                setSlot(gap, slot(number))
                gap = number
            }
            number = next(number)
        }
        setSlot(gap, 0)
    }
}
