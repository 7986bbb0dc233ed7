internal import DNSWire
internal import Synchronization

/// What all shards of the mapping table share.
struct MappingCommons: ~Copyable, Sendable {
    /// The limits.
    let limits: MappingLimits
    /// By how much identities and table may be above their limits of names, a name a shard.
    let slack: Int
    /// Names over all shards; locked only within a shard's lock, and only as names come and go.
    private let names = Mutex(NameCounts())
    /// Removals so far that were no plain expiry.
    private let revoked = Atomic<UInt64>(0)
    /// Mixed into hashes of addresses, so that nobody outside can choose some that collide.
    private let key = UInt64.random(in: .min ... .max)
    /// What each word of such a hash is multiplied by; odd, so that it loses no bits.
    private let multiplier = UInt64.random(in: .min ... .max) | 1

    /// What a table of that many shards shares.
    init(limits: MappingLimits, shards: Int) {
        self.limits = limits
        slack = shards
    }

    /// Identities with at least one name.
    var identityCount: Int { names.withLock { $0.ofIdentity.count } }

    /// Whether another name of `identity` is too much for it, or for the table.
    func isFull(for identity: UInt64, slack: Int = 0) -> (identity: Bool, table: Bool) {
        names.withLock { names in
            let own = names.ofIdentity[identity] ?? 0
            return (own - slack >= limits.namesPerIdentity, names.total - slack >= limits.names)
        }
    }

    /// Counts a name that came (1) or went (-1), and tells whether the table is still near its limit.
    @discardableResult
    func count(_ identity: UInt64, _ difference: Int) -> Bool {
        names.withLock { names in
            names.add(difference, to: identity)
            return names.total >= limits.names / 4 * 3
        }
    }

    /// The hash that places an address of an identity in a shard's `AddressIndex`.
    func hash(_ identity: UInt64, _ address: IPAddress) -> UInt32 {
        let hash = fold(fold(fold(key, identity), address.high), address.low)
        return UInt32(truncatingIfNeeded: hash >> 32)
    }

    /// Takes another word into a hash.
    private func fold(_ hash: UInt64, _ word: UInt64) -> UInt64 {
        let product = (hash ^ word).multipliedFullWidth(by: multiplier)
        return product.high ^ product.low
    }

    /// Removals so far.
    var revocations: UInt64 { revoked.load(ordering: .acquiring) }

    /// Counts a removal; before it is published, so that nobody relies on what is about to go.
    func revoke() { revoked.wrappingAdd(1, ordering: .acquiringAndReleasing) }
}
