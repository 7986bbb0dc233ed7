import DNSWire
import FQDNPolicy
import Synchronization

/// The names that each identity asked for and was answered, so that a policy can be written from them. Bounded, and
/// gone with the process.
final class SeenNames: Sendable {
    /// Names that are kept of one identity; later ones are not noted.
    static let namesPerIdentity = 5_000
    /// Names that are kept in all.
    static let capacity = 50_000

    /// One name that an identity asked for.
    struct Note: Sendable {
        /// Who asked.
        var identity: IdentityID
        /// What for.
        var name: DomainName
        /// Whether the query was answered only because of audit.
        var isAudited: Bool
    }

    /// The names and what is known of them.
    private struct State {
        /// By identity the names, each marked when it was audited.
        var names: [IdentityID: NameMarks] = [:]
        /// Names of all identities.
        var count = 0
        /// Identities that asked for a name that found no place.
        var overflowed: Set<IdentityID> = []
    }

    /// The names.
    private let state = Mutex(State())
    /// How often something was forgotten.
    private let forgetting = Atomic<UInt64>(0)

    /// Notes what a worker saw in one turn of its loop.
    func note(_ notes: [Note]) {
        state.withLock { state in
            for note in notes {
                let known = state.names[note.identity]?.count ?? 0
                let hasRoom = known < SeenNames.namesPerIdentity && state.count < SeenNames.capacity
                // Of identities that have no name at all none is remembered, so that their number stays bounded too.
                guard known > 0 || hasRoom else { continue }
                let isNew = state.names[note.identity, default: NameMarks()].set(
                    note.name, note.isAudited, adds: hasRoom)
                if isNew, hasRoom { state.count += 1 }
                if isNew, !hasRoom { state.overflowed.insert(note.identity) }
            }
        }
    }

    /// The names of an identity, those that were audited last marked so, and whether there were more.
    func names(of identity: IdentityID) -> (names: [(name: DomainName, isAudited: Bool)], isComplete: Bool) {
        state.withLock { state in
            let names = (state.names[identity]?.all ?? []).map { (name: $0.name, isAudited: $0.mark) }
            return (names, !state.overflowed.contains(identity) && (!names.isEmpty || state.count < SeenNames.capacity))
        }
    }

    /// Forgets the names of identities for which the predicate holds.
    func forget(where isGone: (IdentityID) -> Bool) {
        let forgotten = state.withLock { state in
            let gone = state.names.keys.filter(isGone)
            for identity in gone {
                state.count -= state.names.removeValue(forKey: identity)?.count ?? 0
                state.overflowed.remove(identity)
            }
            return gone.count
        }
        if forgotten > 0 { forgetting.add(1, ordering: .releasing) }
    }

    /// How often something was forgotten: then there is room for names that found none.
    var forgets: UInt64 { forgetting.load(ordering: .acquiring) }
}
