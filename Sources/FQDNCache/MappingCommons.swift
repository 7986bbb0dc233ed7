internal import Synchronization

/// What all shards of the mapping table share.
struct MappingCommons: ~Copyable, Sendable {
    /// The limits.
    let limits: MappingLimits
    /// The share of a shard in the names of all identities.
    let namesPerShard: Int
    /// Names of each identity, over all shards; locked only within a shard's lock, and only as names come and go.
    private let identities = Mutex<[UInt64: Int]>([:])
    /// Removals so far that were no plain expiry.
    private let revoked = Atomic<UInt64>(0)

    /// What a table of that many shards shares.
    init(limits: MappingLimits, shards: Int) {
        self.limits = limits
        namesPerShard = max(limits.names / shards, 1)
    }

    /// Identities with at least one name.
    var identityCount: Int { identities.withLock { $0.count } }

    /// Names of an identity.
    func names(of identity: UInt64) -> Int { identities.withLock { $0[identity] ?? 0 } }

    /// Counts a name that came (1) or went (-1).
    func count(_ identity: UInt64, _ difference: Int) {
        identities.withLock { counts in
            let names = (counts[identity] ?? 0) + difference
            counts[identity] = names > 0 ? names : nil
        }
    }

    /// Removals so far.
    var revocations: UInt64 { revoked.load(ordering: .acquiring) }

    /// Counts a removal; before it is published, so that nobody relies on what is about to go.
    func revoke() { revoked.wrappingAdd(1, ordering: .acquiringAndReleasing) }
}
