internal import BasicContainers
public import DNSWire
internal import HeapModule
internal import Synchronization

/// Which addresses each name has for each identity, when they end, and which event of the feed announced them.
///
/// The truth that the feed publishes: every change is handed to a `publish` closure under the lock of its shard, before
/// it is made, so that the order of the events of one mapping is the order of its states. `publish` returns the
/// sequence number of the event, or 0 if it takes none; then the change is not made. It must neither block nor call the
/// table.
public final class MappingTable: Sendable {
    /// The shards; their number is a power of two.
    private let shards: RigidArray<Mutex<MappingShard>>
    /// What they share.
    private let commons: MappingCommons
    /// The shard at which the next round of expiry starts.
    private let expiryStart = Atomic<Int>(0)

    /// An empty table of 2^`shardBits` shards (0 to 10).
    public init(limits: MappingLimits = MappingLimits(), shardBits: Int = 6) {
        let count = 1 << min(max(shardBits, 0), 10)
        var shards = RigidArray<Mutex<MappingShard>>(capacity: count)
        for _ in 0..<count { shards.append(Mutex(MappingShard())) }
        self.shards = shards
        commons = MappingCommons(limits: limits, shards: count)
    }

    /// The shard of a mapping, and the hash that places it there.
    private func place(_ identity: UInt64, _ nameHash: UInt64) -> (shard: Int, hash: UInt32) {
        let product = (nameHash ^ identity &* 0xD6E8_FEB8_6659_FD93).multipliedFullWidth(by: 0x9E37_79B9_7F4A_7C15)
        let mixed = product.high ^ product.low
        return (Int(mixed >> 32) & (shards.count - 1), UInt32(truncatingIfNeeded: mixed))
    }

    /// Removals so far that were no plain expiry, counted before they are published: whoever remembers that a mapping
    /// is in force must forget it when this has changed.
    public var revocations: UInt64 { commons.revocations }

    /// Learns the addresses of an answer for an identity, and tells for which event to wait before it may be given out.
    ///
    /// An address that is known under the same rule set until at least its wanted expiry needs nothing, unless it was
    /// reported as not in force, or `standing`, asked under the lock of a shard, says that its event was rejected. The others,
    /// and with another rule set all of the mapping's, are published as one upsert. Who waits for an event does not hear that
    /// one before it was rejected: so, where addresses of the answer wait for an event and others are published now or were by
    /// a later one, all of the mapping that wait are published together again. Addresses already over are passed over. A new
    /// name may first remove another one, an address too many others, each published with the reason `limit`; an address of
    /// the answer is left out only if the answer alone is above the limit (those that expire first, and of equal ones those
    /// that are new and come last).
    /// The hash of `name` must be keyed with `HashSeed.process`. `answer` is the serial of the answer in the cache, for
    /// `sequence`; 0 if it is not there.
    public func learn(
        identity: UInt64, client: IPAddress, name: borrowing NameBuffer, chain: [DomainName],
        addresses: [LearnedAddress], ruleSet: UInt32, answer: UInt64 = 0, now: Moment,
        standing: (UInt64) -> EventStanding, publish: (MappingChange) -> UInt64
    ) -> LearnOutcome {
        let (shard, hash) = place(identity, name.hash)
        let lesson = Lesson(
            identity: identity, client: client, chain: chain, addresses: addresses, ruleSet: ruleSet, answer: answer,
            now: now)
        return shards[shard].withLock { $0.learn(lesson, name, hash: hash, commons, standing, publish) }
    }

    /// For which event to wait before the cached answer with the serial `answer` may be given out, if it is one of the two that were
    /// learned last of its name for the identity, the mapping is published under this rule set, and nothing was taken away from
    /// it since; nil if not, and it has to be learned again.
    ///
    /// That is what there is to know of nearly every answer after a reload, and costs a tenth of learning it again. The event may
    /// not be rejected, and where several published the mapping, those before the last have to be in force by now: `standing`
    /// says so under the lock of a shard. The hash of `name` must be keyed with `HashSeed.process`.
    public func sequence(
        identity: UInt64, name: borrowing NameBuffer, answer: UInt64, ruleSet: UInt32, now: Moment,
        standing: (UInt64) -> EventStanding
    ) -> UInt64? {
        let (shard, hash) = place(identity, name.hash)
        return shards[shard].withLock {
            $0.sequence(identity, name, hash: hash, answer: answer, ruleSet: ruleSet, now: now, standing)
        }
    }

    /// Extends mapped addresses of an identity to `until`, because an enforcer has seen connections of it to them.
    ///
    /// Every name of the identity that has such an address keeps it, published as one upsert a mapping that holds
    /// exactly the extended addresses, with the source `connection`. An address that stays for more than half of the
    /// wanted time anyway is left as it is, so that frequent reports publish little. An address that is over but was
    /// not removed yet is extended too; one that is not mapped is not opened. One that was reported as not in force
    /// is published, and so may be in force, when it is extended. Locks each shard once.
    public func keep(
        identity: UInt64, addresses: [IPAddress], until: Moment, now: Moment, publish: (MappingChange) -> UInt64
    ) -> KeepOutcome {
        var total = KeepOutcome()
        guard until > now, !addresses.isEmpty else { return total }
        let report = ConnectionReport(
            identity: identity,
            addresses: Set(addresses).map { (address: $0, hash: commons.hash(identity, $0)) },
            until: until, now: now)
        for number in shards.indices where !total.refused {
            let part = shards[number].withLock { $0.keep(report, commons, publish) }
            total.extended += part.extended
            total.refused = part.refused
        }
        return total
    }

    /// Notes that an enforcer could not put addresses of a mapping in force, and tells how many of them are mapped.
    ///
    /// Counts as a revocation and publishes nothing. Their sequence number becomes `MappedAddress.unconfirmed`, until
    /// the next answer with one of them, or the next report of a connection that extends it, publishes it again.
    @discardableResult
    public func unconfirm(identity: UInt64, name: DomainName, addresses: [IPAddress]) -> Int {
        let name = NameBuffer(name)
        let (shard, hash) = place(identity, name.hash)
        return shards[shard].withLock { $0.unconfirm(identity, name, hash: hash, addresses, commons) }
    }

    /// Removes addresses that are over, publishing each mapping's with the reason `expired`, and tells when to come
    /// back.
    ///
    /// Looks at no more than `budget` mappings, and only at those with something due; where it stopped, the next call
    /// goes on, and `next` is in the past.
    public func expire(now: Moment, budget: Int, publish: (MappingChange) -> UInt64) -> ExpiryOutcome {
        var total = ExpiryOutcome()
        var budget = budget
        let start = expiryStart.load(ordering: .relaxed)
        for step in 0..<shards.count {
            let number = (start + step) & (shards.count - 1)
            if total.refused { budget = 0 }
            let hadBudget = budget > 0
            let part = shards[number].withLock { $0.expire(now: now, budget: &budget, commons, publish) }
            if hadBudget, budget <= 0 { expiryStart.store(number, ordering: .relaxed) }
            total.expired += part.expired
            total.refused = total.refused || part.refused
            if let next = part.next { total.next = min(total.next ?? next, next) }
        }
        return total
    }

    /// Mappings of a shard that are looked at under its lock at a time by whoever goes through all: workers wait for it.
    public static let mappingsPerLock = 16

    /// Removes every mapping for which the predicate holds, and publishes each with the reason. What is learned meanwhile may
    /// stay.
    public func remove(
        where isUnwanted: (_ identity: UInt64, _ name: Span<UInt8>, _ chain: [DomainName]) -> Bool,
        reason: MappingRemovalReason, publish: (MappingChange) -> UInt64
    ) -> RemovalOutcome {
        var total = RemovalOutcome()
        for number in shards.indices {
            var next: UInt32? = 0
            while let first = next {
                next = shards[number].withLock { shard in
                    let slots = first..<min(first + UInt32(MappingTable.mappingsPerLock), shard.records.limit)
                    let part = shard.remove(slots, where: isUnwanted, reason: reason, commons, publish)
                    total.removed += part.removed
                    total.refused = part.refused
                    return slots.upperBound < shard.records.limit ? slots.upperBound : nil
                }
                if total.refused { return total }
            }
        }
        return total
    }

    /// Puts back what an event of the journal published, with the sequence numbers of its addresses, and publishes
    /// nothing; false if a limit kept some or all of it out.
    ///
    /// Call it for each event in order, and `forget` for deletions: an address, the chain, the client and the rules of a
    /// later event replace those of an earlier one, other addresses stay. What is already over is kept for `expire` to
    /// publish.
    @discardableResult
    public func restore(_ mapping: Mapping) -> Bool {
        let name = NameBuffer(mapping.name)
        let (shard, hash) = place(mapping.identity, name.hash)
        return shards[shard].withLock { $0.restore(mapping, name, hash: hash, commons) }
    }

    /// Takes out what an event of the journal deleted; publishes nothing and counts as no removal.
    public func forget(identity: UInt64, name: DomainName, addresses: [IPAddress]) {
        let name = NameBuffer(name)
        let (shard, hash) = place(identity, name.hash)
        shards[shard].withLock { $0.forget(identity, name, hash: hash, addresses, commons) }
    }

    /// What is known about a name for an identity.
    public func mapping(identity: UInt64, name: DomainName) -> Mapping? {
        let (shard, hash) = place(identity, name.hash(seed: .process))
        return shards[shard].withLock { shard in
            shard.find(identity, NameBuffer(name), hash: hash).map { shard.records[$0].mapping }
        }
    }

    /// The names that have an address for an identity, in no particular order; looks up the address in every shard, and
    /// so costs nothing for other names.
    public func names(identity: UInt64, address: IPAddress) -> [DomainName] {
        let hash = commons.hash(identity, address)
        var names: [DomainName] = []
        for number in shards.indices {
            shards[number].withLock { shard in
                for slot in shard.find(identity, address, hash: hash) { names.append(shard.records[slot].name) }
            }
        }
        return names
    }

    /// Calls `body` for up to `limit` mappings, of one identity if given, from `cursor` on, and returns where to go on;
    /// nil at the end.
    ///
    /// Start with `MappingCursor()`. A mapping that is there throughout is seen exactly once, others at most once for
    /// each time they were learned anew. No lock is held while `body` runs.
    public func list(
        from cursor: MappingCursor, limit: Int, identity: UInt64? = nil, _ body: (Mapping) -> Void
    ) -> MappingCursor? {
        var cursor = cursor
        var mappings: [Mapping] = []
        while cursor.shard < shards.count, mappings.count < max(limit, 1) {
            let next = shards[cursor.shard].withLock {
                $0.list(from: cursor.slot, limit: max(limit, 1), of: identity, into: &mappings)
            }
            if let next {
                cursor.slot = next
            } else {
                cursor = MappingCursor(shard: cursor.shard + 1, slot: 0)
            }
        }
        for mapping in mappings { body(mapping) }
        return cursor.shard < shards.count ? cursor : nil
    }

    /// What the table holds.
    public var statistics: MappingStatistics {
        var total = MappingStatistics()
        total.identities = commons.identityCount
        for number in shards.indices {
            shards[number].withLock { shard in
                total.names += shard.records.count
                total.addresses += shard.addressCount
                total.evictedNames &+= shard.evictedNames
                total.evictedAddresses &+= shard.evictedAddresses
            }
        }
        return total
    }

    /// Entries of all timers, true ones and those left over; for tests of how much work waits.
    package var timerCount: Int { sum { $0.timer.count } }

    /// Entries of all lists of who ends first, true ones and those left over; for tests of how much is kept.
    package var victimCount: Int { sum { $0.victims?.count ?? 0 } }

    /// Entries of the indexes by address; for tests of whether each address has one.
    package var addressEntryCount: Int { sum { $0.addressIndex.count } }

    /// A number of each shard, added up.
    private func sum(_ number: (borrowing MappingShard) -> Int) -> Int {
        shards.indices.reduce(0) { total, index in total + shards[index].withLock { number($0) } }
    }
}
