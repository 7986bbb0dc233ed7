internal import DNSWire

/// What an answer taught, without the name.
struct Lesson {
    /// For whom.
    let identity: UInt64
    /// The address that asked.
    let client: IPAddress
    /// Aliases between the name and the addresses.
    let chain: [DomainName]
    /// The addresses.
    let addresses: [LearnedAddress]
    /// The rules that selected the name.
    let ruleSet: UInt32
    /// The serial of the answer in the cache; 0 if it is not there.
    let answer: UInt64
    /// The present.
    let now: Moment

    /// Addresses of a plain answer.
    private static let plainLimit = 8

    /// The serial of the answer if none of its addresses is over or `leftOut`, else 0.
    func answer(leftOut: Int) -> UInt64 {
        leftOut == 0 && addresses.allSatisfy { $0.expires > now } ? answer : 0
    }

    /// Whether all addresses can be kept as they are: few, none twice, none over, and no more than `limit`.
    func isPlain(limit: Int) -> Bool {
        guard addresses.count <= min(limit, Lesson.plainLimit), !addresses.isEmpty,
            chain.count <= MappingRecord.maximumChain
        else { return false }
        for index in addresses.indices {
            guard addresses[index].expires > now else { return false }
            for other in 0..<index where addresses[other].address == addresses[index].address { return false }
        }
        return true
    }
}

extension MappingRecord {
    /// A record of a lesson, without content yet.
    fileprivate init(_ lesson: Lesson, hash: UInt32) {
        self.init()
        identity = lesson.identity
        client = lesson.client
        self.hash = hash
        ruleSet = lesson.ruleSet
        learnedAt = lesson.now
    }
}

/// Learning: comparing an answer with what is known, publishing the difference, and only then keeping it.
extension MappingShard {
    /// Learns what is new in an answer; the table follows the feed, so nothing is kept that was not published.
    mutating func learn(
        _ lesson: Lesson, _ name: borrowing NameBuffer, hash: UInt32, _ commons: borrowing MappingCommons,
        _ standing: (UInt64) -> EventStanding, _ publish: (MappingChange) -> UInt64
    ) -> LearnOutcome {
        var slot = find(lesson.identity, name, hash: hash)
        if let slot {
            if let sequence = knownSequence(lesson, slot, standing) {
                records[slot].note(answer: lesson.answer(leftOut: 0))
                return LearnOutcome(sequence: sequence)
            }
            unconfirmRejected(lesson, slot, commons, standing)
        }
        if slot == nil, lesson.isPlain(limit: commons.limits.addressesPerName) {
            return learnNew(lesson, name, hash: hash, commons, publish)
        }

        var merge = AddressMerge(slot.map { records[$0].addresses } ?? [])
        merge.add(lesson.addresses, now: lesson.now)
        if let slot, records[slot].ruleSet != lesson.ruleSet { merge.changeAll(now: lesson.now) }
        merge.limit(to: commons.limits.addressesPerName)
        merge.gather(now: lesson.now, standing)
        guard merge.hasChanges else {
            // What has no place then came with the answer, and nothing makes room.
            evictedAddresses &+= UInt64(merge.droppedCount)
            return merge.outcome(published: 0, changed: false)
        }

        // Room first, so that no limit is ever exceeded; what made room stays gone even if the feed then refuses.
        if slot == nil, !makeRoom(for: lesson.identity, commons, publish) { return LearnOutcome(refused: true) }
        if let known = slot, !merge.removed.isEmpty {
            commons.revoke()
            guard publish(records[known].change(.delete(.limit), merge.removed.map(\.learned))) != 0 else {
                return LearnOutcome(refused: true)
            }
            let kept = merge.keptOfBefore
            if kept.isEmpty { slot = nil }
            setAddresses(kept, of: known, commons)
        }
        evictedAddresses &+= UInt64(merge.droppedCount)

        var record = MappingRecord(lesson, hash: hash)
        let nameBytes = name.domainName.bytes
        record.setContent(name: nameBytes.span, chain: lesson.chain, addresses: [])
        let sequence = publish(record.change(.upsert, merge.changedAddresses))
        guard sequence != 0 else { return LearnOutcome(refused: true) }
        record.setContent(name: nameBytes.span, chain: lesson.chain, addresses: merge.result(sequence))
        let outcome = merge.outcome(published: sequence, changed: true)
        // What was dropped is gone from the record by now, and with it what that knew.
        if let slot { record.noteAnswers(of: records[slot]) }
        record.note(answer: lesson.answer(leftOut: outcome.leftOut))
        if let slot {
            replace(slot, with: record, commons)
        } else {
            _ = add(record, commons)
        }
        return outcome
    }

    /// Learns a name that is not known yet from a plain answer.
    private mutating func learnNew(
        _ lesson: Lesson, _ name: borrowing NameBuffer, hash: UInt32, _ commons: borrowing MappingCommons,
        _ publish: (MappingChange) -> UInt64
    ) -> LearnOutcome {
        guard makeRoom(for: lesson.identity, commons, publish) else { return LearnOutcome(refused: true) }
        let owner = name.domainName
        let sequence = publish(
            MappingChange(
                kind: .upsert, identity: lesson.identity, client: lesson.client, name: owner, chain: lesson.chain,
                addresses: lesson.addresses, ruleSet: lesson.ruleSet))
        guard sequence != 0 else { return LearnOutcome(refused: true) }
        var record = MappingRecord(lesson, hash: hash)
        record.setContent(
            name: owner.bytes.span, chain: lesson.chain,
            addresses: lesson.addresses.map { MappedAddress($0, sequence: sequence) })
        record.note(answer: lesson.answer)
        _ = add(record, commons)
        return LearnOutcome(sequence: sequence, changed: true)
    }

    /// The sequence number to wait for before an answer is given out again that was learned; nil if something of it was taken
    /// away since, or published under other rules, or waiting is not enough.
    func sequence(
        _ identity: UInt64, _ name: borrowing NameBuffer, hash: UInt32, answer: UInt64, ruleSet: UInt32, now: Moment,
        _ standing: (UInt64) -> EventStanding
    ) -> UInt64? {
        guard answer != 0, let slot = find(identity, name, hash: hash), records[slot].knows(answer: answer),
            records[slot].ruleSet == ruleSet
        else { return nil }
        return records[slot].sequence(now: now, standing)
    }

    /// Notes which addresses of an answer are not in force because their event was rejected, which nobody has reported here yet.
    private mutating func unconfirmRejected(
        _ lesson: Lesson, _ slot: UInt32, _ commons: borrowing MappingCommons, _ standing: (UInt64) -> EventStanding
    ) {
        var isRevoked = false
        for wanted in lesson.addresses where wanted.expires > lesson.now {
            guard let index = records[slot].index(of: wanted.address) else { continue }
            let known = records[slot][index]
            guard known.isConfirmable, standing(known.sequence) == .rejected else { continue }
            if !isRevoked { commons.revoke() }
            isRevoked = true
            records[slot].setSequence(MappedAddress.unconfirmed, of: index)
        }
    }

    /// The sequence number to wait for, if every address is known under the same rules for long enough and waiting is enough.
    private func knownSequence(_ lesson: Lesson, _ slot: UInt32, _ standing: (UInt64) -> EventStanding) -> UInt64? {
        guard records[slot].ruleSet == lesson.ruleSet else { return nil }
        var event = AwaitedEvent()
        for wanted in lesson.addresses where wanted.expires > lesson.now {
            guard let index = records[slot].index(of: wanted.address) else { return nil }
            let known = records[slot][index]
            guard known.learned.expires >= wanted.expires, known.isConfirmable else { return nil }
            event.add(known.sequence, standing)
        }
        return event.awaitable(standing)
    }
}
