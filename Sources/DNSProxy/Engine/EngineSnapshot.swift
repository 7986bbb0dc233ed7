import FQDNPolicy

/// Everything that a reload replaces: the policy and the local records. Immutable, and always of one piece.
final class EngineSnapshot: Versioned {
    /// Counts the snapshots of this process, from 1.
    let generation: UInt64
    /// Who may ask for what.
    let policy: PolicySnapshot
    /// What is answered without any upstream.
    let zones: LocalZones

    /// The first generation from which on what was noted of names that were asked for is as it would be noted now: all have the
    /// same identities, with the same indices, and none but this one audits.
    let notesGeneration: UInt64

    /// A snapshot of a policy and local records, which takes the place of `previous`.
    init(generation: UInt64, policy: PolicySnapshot, zones: LocalZones, after previous: EngineSnapshot? = nil) {
        self.generation = generation
        self.policy = policy
        self.zones = zones
        if let previous, !previous.policy.audits,
            previous.policy.identities.elementsEqual(policy.identities, by: { $0.id == $1.id })
        {
            notesGeneration = previous.notesGeneration
        } else {
            notesGeneration = generation
        }
    }
}
