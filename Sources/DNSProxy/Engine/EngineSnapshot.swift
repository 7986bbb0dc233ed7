import FQDNPolicy
import Synchronization

/// Everything that a reload replaces: the policy and the local records. Immutable, and always of one piece.
final class EngineSnapshot: Sendable {
    /// Counts the snapshots of this process, from 1.
    let generation: UInt64
    /// Who may ask for what.
    let policy: PolicySnapshot
    /// What is answered without any upstream.
    let zones: LocalZones

    /// A snapshot of a policy and local records.
    init(generation: UInt64, policy: PolicySnapshot, zones: LocalZones) {
        self.generation = generation
        self.policy = policy
        self.zones = zones
    }
}

/// The place where the snapshot in force is published whole; workers look at `generation` once per turn of their
/// loop and take the lock only when it has moved.
final class SnapshotCell: Sendable {
    /// The snapshot in force.
    private let current: Mutex<EngineSnapshot>
    /// Its generation.
    private let published: Atomic<UInt64>

    /// A cell with a first snapshot in it.
    init(_ snapshot: EngineSnapshot) {
        current = Mutex(snapshot)
        published = Atomic(snapshot.generation)
    }

    /// The generation of the snapshot in force.
    var generation: UInt64 { published.load(ordering: .acquiring) }

    /// The snapshot in force.
    func load() -> EngineSnapshot { current.withLock { $0 } }

    /// Puts `snapshot` into force.
    func publish(_ snapshot: EngineSnapshot) {
        current.withLock { $0 = snapshot }
        published.store(snapshot.generation, ordering: .releasing)
    }
}
