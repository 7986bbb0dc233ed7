internal import DNSWire
internal import HeapModule

/// How mappings leave: at their time, for room, and when somebody wants it. The feed is told before the table forgets.
extension MappingShard {
    /// Removes addresses that are over, looking at no more than `budget` mappings.
    mutating func expire(
        now: Moment, budget: inout Int, _ commons: borrowing MappingCommons, _ publish: (MappingChange) -> UInt64
    ) -> ExpiryOutcome {
        var outcome = ExpiryOutcome()
        while budget > 0, let due = timer.min, due.moment <= now {
            _ = timer.popMin()
            budget -= 1
            guard due.slot < records.limit, records[due.slot].isLive, records[due.slot].wake == due.moment else {
                continue
            }
            let addresses = records[due.slot].addresses
            let expired = addresses.filter { $0.learned.expires <= now }.map(\.learned)
            if !expired.isEmpty {
                guard publish(records[due.slot].change(.delete(.expired), expired)) != 0 else {
                    timer.insert(due)
                    outcome.refused = true
                    break
                }
                outcome.expired += expired.count
            }
            records[due.slot].wake = .distantFuture
            if expired.isEmpty {
                schedule(due.slot)
            } else {
                setAddresses(addresses.filter { $0.learned.expires > now }, of: due.slot, commons)
            }
        }
        outcome.next = timer.min?.moment
        return outcome
    }

    /// Removes the mappings in `slots` for which the predicate holds.
    mutating func remove(
        _ slots: Range<UInt32>,
        where isUnwanted: (_ identity: UInt64, _ name: Span<UInt8>, _ chain: [DomainName]) -> Bool,
        reason: MappingRemovalReason, _ commons: borrowing MappingCommons, _ publish: (MappingChange) -> UInt64
    ) -> RemovalOutcome {
        var outcome = RemovalOutcome()
        for slot in slots where records[slot].isLive {
            let (identity, chain) = (records[slot].identity, records[slot].chain)
            guard records[slot].withName({ isUnwanted(identity, $0, chain) }) else { continue }
            guard take(slot, reason, commons, publish) else {
                outcome.refused = true
                break
            }
            outcome.removed += 1
        }
        return outcome
    }

    /// Removes one mapping; false if the feed refuses.
    private mutating func take(
        _ slot: UInt32, _ reason: MappingRemovalReason, _ commons: borrowing MappingCommons,
        _ publish: (MappingChange) -> UInt64
    ) -> Bool {
        commons.revoke()
        let change = records[slot].change(.delete(reason), records[slot].addresses.map(\.learned))
        guard publish(change) != 0 else { return false }
        remove(slot, commons)
        return true
    }

    /// Makes room for a new name of an identity; false if the feed refuses the removal that it takes.
    mutating func makeRoom(
        for identity: UInt64, _ commons: borrowing MappingCommons, _ publish: (MappingChange) -> UInt64
    ) -> Bool {
        let isFull = commons.isFull(for: identity)
        var victim: UInt32?
        if isFull.identity {
            forEach(of: identity) { slot in
                if victim.map({ records[slot].last < records[$0].last }) ?? true { victim = slot }
                return true
            }
        }
        if victim == nil, isFull.table { victim = firstToEnd() }
        guard let victim else { return true }
        guard take(victim, .limit, commons, publish) else { return false }
        evictedNames &+= 1
        return true
    }

    /// The mapping of the shard whose last address expires first.
    private mutating func firstToEnd() -> UInt32? {
        var queue = victims ?? Heap()
        victims = nil
        if queue.isEmpty {
            queue = Heap(liveSlots.map { SlotMoment(moment: records[$0].last, slot: $0) })
        }
        while let first = queue.min {
            let isCurrent = records[first.slot].isLive && records[first.slot].last == first.moment
            if isCurrent {
                victims = consume queue
                return first.slot
            }
            _ = queue.popMin()
            if records[first.slot].isLive, records[first.slot].last > first.moment {
                queue.insert(SlotMoment(moment: records[first.slot].last, slot: first.slot))
            }
        }
        return nil
    }
}
