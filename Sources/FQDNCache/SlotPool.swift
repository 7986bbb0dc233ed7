/// The mapping records of a shard by slot number, in pages, so that growth copies nothing and wastes little.
struct SlotPool: Sendable {
    /// Pages of `pageSize` records.
    private var pages: [[MappingRecord]] = []
    /// The first free slot; each names the next.
    private var free = MappingRecord.none
    /// Slots ever used; each below is live or free.
    private(set) var limit: UInt32 = 0
    /// Live records.
    private(set) var count = 0

    /// Records of a page.
    private static let pageSize: UInt32 = 64

    /// The record in a slot below `limit`.
    subscript(slot: UInt32) -> MappingRecord {
        _read { yield pages[Int(slot / SlotPool.pageSize)][Int(slot % SlotPool.pageSize)] }
        _modify { yield &pages[Int(slot / SlotPool.pageSize)][Int(slot % SlotPool.pageSize)] }
    }

    /// Puts a record into a free slot and returns its number.
    mutating func insert(_ record: MappingRecord) -> UInt32 {
        count += 1
        if free != MappingRecord.none {
            let slot = free
            free = self[slot].next
            self[slot] = record
            return slot
        }
        let slot = limit
        limit += 1
        if slot % SlotPool.pageSize == 0 {
            var page: [MappingRecord] = []
            page.reserveCapacity(Int(SlotPool.pageSize))
            pages.append(page)
        }
        pages[Int(slot / SlotPool.pageSize)].append(record)
        return slot
    }

    /// Frees a live slot.
    mutating func remove(_ slot: UInt32) {
        var record = MappingRecord()
        record.next = free
        self[slot] = record
        free = slot
        count -= 1
    }
}
