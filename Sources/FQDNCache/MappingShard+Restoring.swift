internal import DNSWire

/// Replaying a journal: nothing is published, nothing counts as a removal, and later events replace earlier ones.
extension MappingShard {
    /// Puts back what an event published; false if a limit keeps some or all of it out.
    mutating func restore(
        _ mapping: Mapping, _ name: borrowing NameBuffer, hash: UInt32, _ commons: borrowing MappingCommons
    ) -> Bool {
        guard !mapping.addresses.isEmpty else { return true }
        let slot = find(mapping.identity, name, hash: hash)
        if slot == nil {
            // What a running table may hold, it may hold again.
            let isFull = commons.isFull(for: mapping.identity, slack: commons.slack)
            guard !isFull.identity, !isFull.table else { return false }
        }
        var record = MappingRecord()
        record.identity = mapping.identity
        record.client = mapping.client
        record.hash = hash
        record.ruleSet = mapping.ruleSet
        record.learnedAt = mapping.learnedAt
        if slot == nil, mapping.addresses.count == 1 {
            record.setContent(name: mapping.name.bytes.span, chain: mapping.chain, addresses: mapping.addresses)
            _ = add(record, commons)
            return true
        }
        var merge = AddressMerge(slot.map { records[$0].addresses } ?? [])
        merge.restore(mapping.addresses)
        merge.limit(to: commons.limits.addressesPerName)
        record.setContent(name: mapping.name.bytes.span, chain: mapping.chain, addresses: merge.result(0))
        if let slot {
            replace(slot, with: record, commons)
        } else {
            _ = add(record, commons)
        }
        return merge.droppedCount == 0
    }

    /// Takes out what an event deleted; what is not there is passed over.
    mutating func forget(
        _ identity: UInt64, _ name: borrowing NameBuffer, hash: UInt32, _ addresses: [IPAddress],
        _ commons: borrowing MappingCommons
    ) {
        guard let slot = find(identity, name, hash: hash) else { return }
        let gone = records[slot].indices(of: addresses)
        if gone.count == records[slot].addressCount {
            remove(slot, commons)
        } else if !gone.isEmpty {
            let gone = Set(gone)
            let kept = (0..<records[slot].addressCount).filter { !gone.contains($0) }.map { records[slot][$0] }
            setAddresses(kept, of: slot, commons)
        }
    }
}
