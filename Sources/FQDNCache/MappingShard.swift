internal import DNSWire
internal import HeapModule

/// One shard of the mapping table.
struct MappingShard: ~Copyable, Sendable {
    /// The mappings.
    var records = SlotPool()
    /// Finds them by identity and name.
    private var index = SlotIndex()
    /// Finds them by identity and address.
    private(set) var addressIndex = SlotIndex()
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
        var found: UInt32?
        index.forEach(hash) { slot in
            if records[slot].identity == identity, records[slot].hasName(name) { found = slot }
            return found == nil
        }
        return found
    }

    /// Calls `body` with the slots of the mappings of an identity that may have an address with this hash; now and then
    /// one has not, and one may come twice.
    func forEachSlot(_ identity: UInt64, hash: UInt32, _ body: (UInt32) -> Void) {
        addressIndex.forEach(hash) { slot in
            if records[slot].identity == identity { body(slot) }
            return true
        }
    }

    /// The slots of the mappings of an identity that have an address.
    func find(_ identity: UInt64, _ address: IPAddress, hash: UInt32) -> Set<UInt32> {
        var slots: Set<UInt32> = []
        forEachSlot(identity, hash: hash) { slot in
            if records[slot].index(of: address) != nil { slots.insert(slot) }
        }
        return slots
    }

    /// Adds a mapping that is not there yet and returns its slot.
    mutating func add(_ record: consuming MappingRecord, _ commons: borrowing MappingCommons) -> UInt32 {
        let identity = record.identity
        let head = heads[identity] ?? MappingRecord.none
        record.next = head
        record.previous = MappingRecord.none
        record.wake = .distantFuture
        let slot = records.insert(record)
        if head != MappingRecord.none { records[head].previous = slot }
        heads[identity] = slot
        index.insert(records[slot].hash, slot)
        addressCount += records[slot].addressCount
        for number in 0..<records[slot].addressCount {
            addressIndex.insert(commons.hash(identity, records[slot].address(at: number)), slot)
        }
        commons.count(identity, 1)
        offerVictim(slot)
        schedule(slot)
        return slot
    }

    /// Takes a mapping out.
    mutating func remove(_ slot: UInt32, _ commons: borrowing MappingCommons) {
        let identity = records[slot].identity
        let (previous, next) = (records[slot].previous, records[slot].next)
        addressCount -= records[slot].addressCount
        for number in 0..<records[slot].addressCount {
            addressIndex.remove(commons.hash(identity, records[slot].address(at: number)), slot)
        }
        if previous == MappingRecord.none {
            heads[identity] = next == MappingRecord.none ? nil : next
        } else {
            records[previous].next = next
        }
        if next != MappingRecord.none { records[next].previous = previous }
        index.remove(records[slot].hash, slot)
        records.remove(slot)
        if !commons.count(identity, -1) { victims = nil }
    }

    /// Gives a mapping other addresses, or takes it out if there are none.
    mutating func setAddresses(
        _ addresses: [MappedAddress], of slot: UInt32, _ commons: borrowing MappingCommons
    ) {
        if addresses.isEmpty {
            remove(slot, commons)
        } else {
            var record = records[slot]
            record.setAddresses(addresses)
            replace(slot, with: record, commons)
        }
    }

    /// Lets a mapping say what `record`, of the same identity and name and with at least one address, says; what is
    /// the shard's own business stays.
    mutating func replace(_ slot: UInt32, with record: MappingRecord, _ commons: borrowing MappingCommons) {
        let old = records[slot]
        // Addresses that stay keep their order, so most of them meet here; those that do not are taken out or put in.
        var met = 0
        for number in 0..<old.addressCount {
            let address = old.address(at: number)
            if met < record.addressCount, record.address(at: met) == address {
                met += 1
            } else {
                addressIndex.remove(commons.hash(old.identity, address), slot)
            }
        }
        for number in met..<record.addressCount {
            addressIndex.insert(commons.hash(old.identity, record.address(at: number)), slot)
        }
        addressCount += record.addressCount - old.addressCount
        records[slot] = record
        records[slot].wake = old.wake
        records[slot].previous = old.previous
        records[slot].next = old.next
        if record.last < old.last { offerVictim(slot) }
        schedule(slot)
    }

    /// Notes when the last address of a mapping expires, if anybody wants to know.
    private mutating func offerVictim(_ slot: UInt32) {
        victims?.insert(SlotMoment(moment: records[slot].last, slot: slot))
        // Built anew when it is asked for, rather than filled with what is left over.
        if let count = victims?.count, count > 2 * records.count + 64 { victims = nil }
    }

    /// Sees to it that the timer looks at a mapping no later than its first expiry.
    mutating func schedule(_ slot: UInt32) {
        let earliest = records[slot].earliest
        guard earliest < records[slot].wake else { return }
        records[slot].wake = earliest
        timer.insert(SlotMoment(moment: earliest, slot: slot))
        // Left-over entries go when they outnumber the true ones.
        if timer.count > 2 * records.count + 64 {
            timer = Heap(
                liveSlots.filter { records[$0].wake != .distantFuture }.map {
                    SlotMoment(moment: records[$0].wake, slot: $0)
                })
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
