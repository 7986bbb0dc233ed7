internal import BasicContainers
public import DNSWire
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
    /// An address that is known under the same rule set until at least its wanted expiry needs nothing. The others, and
    /// with another rule set all of the mapping's, are published as one upsert. Addresses already over are passed over.
    /// A new name may first remove another one, an address too many others, each published with the reason `limit`.
    /// The hash of `name` must be keyed with `HashSeed.process`.
    public func learn(
        identity: UInt64, client: IPAddress, name: borrowing NameBuffer, chain: [DomainName],
        addresses: [LearnedAddress], ruleSet: UInt32, now: Moment, publish: (MappingChange) -> UInt64
    ) -> LearnOutcome {
        let (shard, hash) = place(identity, name.hash)
        let lesson = Lesson(
            identity: identity, client: client, chain: chain, addresses: addresses, ruleSet: ruleSet, now: now)
        return shards[shard].withLock { $0.learn(lesson, name, hash: hash, commons, publish) }
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

    /// Removes every mapping for which the predicate holds, a shard at a time, and publishes each with the reason.
    public func remove(
        where isUnwanted: (_ identity: UInt64, _ name: Span<UInt8>, _ ruleSet: UInt32) -> Bool,
        reason: MappingRemovalReason, publish: (MappingChange) -> UInt64
    ) -> RemovalOutcome {
        var total = RemovalOutcome()
        for number in shards.indices {
            let part = shards[number].withLock { $0.remove(where: isUnwanted, reason: reason, commons, publish) }
            total.removed += part.removed
            total.refused = part.refused
            if part.refused { break }
        }
        return total
    }

    /// Puts back a mapping from the journal, with the sequence numbers of its addresses, and publishes nothing; what is
    /// already over is kept for `expire` to publish. False if a limit kept some or all of it out.
    @discardableResult
    public func restore(_ mapping: Mapping) -> Bool {
        let (shard, hash) = place(mapping.identity, mapping.name.hash(seed: .process))
        return shards[shard].withLock { $0.restore(mapping, hash: hash, commons) }
    }

    /// What is known about a name for an identity.
    public func mapping(identity: UInt64, name: DomainName) -> Mapping? {
        let (shard, hash) = place(identity, name.hash(seed: .process))
        return shards[shard].withLock { shard in
            shard.find(identity, NameBuffer(name), hash: hash).map { shard.records[$0].mapping }
        }
    }

    /// The names that have an address for an identity, in no particular order; looks at all names of the identity.
    public func names(identity: UInt64, address: IPAddress) -> [DomainName] {
        var names: [DomainName] = []
        for number in shards.indices {
            shards[number].withLock { shard in
                shard.forEach(of: identity) { slot in
                    if shard.records[slot].index(of: address) != nil { names.append(shard.records[slot].name) }
                    return true
                }
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
}
