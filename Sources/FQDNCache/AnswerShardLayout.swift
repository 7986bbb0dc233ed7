/// How the memory of a shard is divided: index, ghosts, small log, main log.
struct AnswerShardLayout: Sendable {
    /// Slots that the index has room for, four bytes each.
    let slotCount: Int
    /// Sets of the ghost table, eight bytes each.
    let ghostSets: Int
    /// Bytes of the small log.
    let smallCapacity: Int
    /// Bytes of the main log.
    let mainCapacity: Int
    /// Low bits of an index slot that tell the position; the rest is a tag from the hash.
    let positionBits: Int

    /// Bytes of the shard for each index slot. Entries of 80 bytes and more never fill the index to its limit; an A answer
    /// has that for a name of 15 bytes.
    private static let bytesPerSlot = 64
    /// Slots of four bytes in a page of memory.
    private static let pageOfSlots = 1024
    /// Bytes of the shard for each ghost set of four: about two ghosts for each entry of the main log.
    private static let bytesPerGhostSet = 256

    /// Divides `byteCount` bytes, of which there are at least 4096.
    init(byteCount: Int) {
        let unit = AnswerEntry.alignment
        let slots = byteCount / AnswerShardLayout.bytesPerSlot
        let sets = byteCount / AnswerShardLayout.bytesPerGhostSet
        slotCount = (slots + 1) & ~1
        ghostSets = sets
        let logs = byteCount - 4 * slotCount - 8 * ghostSets
        smallCapacity = logs / 10 & ~(unit - 1)
        mainCapacity = (logs - smallCapacity) & ~(unit - 1)
        positionBits = Int.bitWidth - ((smallCapacity + mainCapacity) / unit).leadingZeroBitCount
    }

    /// Slots that the index starts with: a page of memory has them. Each step of growth doubles them, and the last one
    /// comes to `slotCount`.
    var firstSlotCount: Int {
        var steps = 0
        while slotCount >> steps > AnswerShardLayout.pageOfSlots { steps += 1 }
        return slots(steps: steps)
    }

    /// Slots of the next larger index.
    func slots(behind slots: Int) -> Int {
        var steps = 0
        while self.slots(steps: steps + 1) > slots { steps += 1 }
        return self.slots(steps: steps)
    }

    /// Slots of an index that has to double so often until it is as large as it can be.
    private func slots(steps: Int) -> Int { slotCount >> steps }

    /// Where the index starts.
    var indexBase: Int { 0 }
    /// Where the ghost table starts.
    var ghostBase: Int { 4 * slotCount }
    /// Where the small log starts, a multiple of the alignment.
    var smallBase: Int { ghostBase + 8 * ghostSets }
    /// Where the main log starts, a multiple of the alignment.
    var mainBase: Int { smallBase + smallCapacity }
    /// Bytes in all.
    var byteCount: Int { mainBase + mainCapacity }
    /// Entries that the index takes at its largest.
    var entryLimit: Int { AnswerShardLayout.entryLimit(slots: slotCount) }

    /// Entries that so many slots take, three quarters, so that probing stays short.
    static func entryLimit(slots: Int) -> Int { slots / 4 * 3 }

    /// The index slot of an entry: its position in units of its alignment, plus one, below the tag.
    func slot(_ entry: AnswerEntry, hash: UInt32) -> UInt32 {
        let unit = UInt32(truncatingIfNeeded: (entry.position - smallBase) / AnswerEntry.alignment + 1)
        return hash << UInt32(positionBits) | unit
    }

    /// The entry that a slot points to.
    func entry(_ slot: UInt32) -> AnswerEntry {
        let unit = Int(slot & (1 << UInt32(positionBits) - 1))
        return AnswerEntry(position: smallBase + (unit - 1) * AnswerEntry.alignment)
    }

    /// Where probing for a hash starts in an index of so many slots.
    static func home(_ hash: UInt32, slots: Int) -> Int {
        Int((UInt64(hash) * UInt64(slots)) >> 32)
    }
}
