import FQDNPolicy

/// Everything that a reload replaces: the policy and the local records. Immutable, and always of one piece.
final class EngineSnapshot: Versioned {
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
