internal import DNSWire
internal import HeapModule

/// One shard of the mapping table.
struct MappingShard: ~Copyable, Sendable {
    /// The mappings.
    var records = SlotPool()
    /// Finds them by identity and name.
    private var index = SlotIndex()
    /// The first slot of each identity's list.
    private(set) var heads: [UInt64: UInt32] = [:]
    /// When to look at which slot for expiry. A record's true entry has its `wake`; others are left over and ignored.
    var timer = Heap<SlotMoment>()
    /// Slots by their last expiry, kept only while the shard is near its limit. An entry may be earlier than its
    /// record's `last` (it is corrected when its turn comes), but each record has one that is not later.
    var victims: Heap<SlotMoment>?
    /// Addresses of all mappings.
    private(set) var addressCount = 0
    /// Names that a limit removed.
    var evictedNames: UInt64 = 0
    /// Addresses that a limit removed or kept out.
    var evictedAddresses: UInt64 = 0

    /// The slot of a mapping.
    func find(_ identity: UInt64, _ name: borrowing NameBuffer, hash: UInt32) -> UInt32? {
        index.find(hash) { slot in
            records[slot].hash == hash && records[slot].identity == identity && records[slot].hasName(name)
        }
    }

    /// Adds a mapping that is not there yet and returns its slot.
    mutating func add(_ record: consuming MappingRecord, _ commons: borrowing MappingCommons) -> UInt32 {
        let identity = record.identity
        let head = heads[identity] ?? MappingRecord.none
        record.next = head
        record.previous = MappingRecord.none
        record.wake = .distantFuture
        addressCount += record.addressCount
        let last = record.last
        let slot = records.insert(record)
        if head != MappingRecord.none { records[head].previous = slot }
        heads[identity] = slot
        index.insert(slot, in: records)
        commons.count(identity, 1)
        victims?.insert(SlotMoment(moment: last, slot: slot))
        schedule(slot)
        return slot
    }

    /// Takes a mapping out.
    mutating func remove(_ slot: UInt32, _ commons: borrowing MappingCommons) {
        let identity = records[slot].identity
        let (previous, next) = (records[slot].previous, records[slot].next)
        addressCount -= records[slot].addressCount
        if previous == MappingRecord.none {
            heads[identity] = next == MappingRecord.none ? nil : next
        } else {
            records[previous].next = next
        }
        if next != MappingRecord.none { records[next].previous = previous }
        index.remove(slot, in: records)
        records.remove(slot)
        commons.count(identity, -1)
        if records.count < commons.namesPerShard / 4 * 3 { victims = nil }
    }

    /// Gives a mapping other addresses, or takes it out if there are none.
    mutating func setAddresses(
        _ addresses: [MappedAddress], of slot: UInt32, _ commons: borrowing MappingCommons
    ) {
        if addresses.isEmpty {
            remove(slot, commons)
        } else {
            update(slot) { $0.setAddresses(addresses) }
        }
    }

    /// Changes the addresses of a mapping, which keeps at least one, and what follows from them.
    mutating func update(_ slot: UInt32, _ change: (inout MappingRecord) -> Void) {
        let (count, last) = (records[slot].addressCount, records[slot].last)
        change(&records[slot])
        addressCount += records[slot].addressCount - count
        if records[slot].last < last { victims?.insert(SlotMoment(moment: records[slot].last, slot: slot)) }
        schedule(slot)
    }

    /// Sees to it that the timer looks at a mapping no later than its first expiry.
    mutating func schedule(_ slot: UInt32) {
        let earliest = records[slot].earliest
        guard earliest < records[slot].wake else { return }
        records[slot].wake = earliest
        timer.insert(SlotMoment(moment: earliest, slot: slot))
        // Left-over entries go when they outnumber the true ones.
        if timer.count > 2 * records.count + 64 {
            timer = Heap(liveSlots.map { SlotMoment(moment: records[$0].wake, slot: $0) })
        }
    }

    /// The slots that hold a mapping, in ascending order.
    var liveSlots: [UInt32] { (0..<records.limit).filter { records[$0].isLive } }

    /// Calls `body` for the mappings of an identity until it returns false.
    func forEach(of identity: UInt64, _ body: (UInt32) -> Bool) {
        var slot = heads[identity] ?? MappingRecord.none
        while slot != MappingRecord.none, body(slot) { slot = records[slot].next }
    }

    /// Lists up to `limit` mappings (of one identity, if given) from a slot on; returns where to go on, nil at the end.
    func list(from first: Int, limit: Int, of identity: UInt64?, into mappings: inout [Mapping]) -> Int? {
        var slot = UInt32(clamping: first)
        while slot < records.limit {
            if records[slot].isLive, identity == nil || identity == records[slot].identity {
                if mappings.count >= limit { return Int(slot) }
                mappings.append(records[slot].mapping)
            }
            slot += 1
        }
        return nil
    }
}
