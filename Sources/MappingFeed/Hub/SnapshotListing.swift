internal import Synchronization

/// The whole truth as a series of chunks: every identity, and then the mappings.
struct SnapshotListing: Sendable {
    /// Every change up to here is in it.
    let sequence: UInt64
    /// Events that were handed out.
    private(set) var count: UInt64 = 0
    /// Whether everything was handed out.
    private(set) var isAtEnd = false
    /// The identities.
    private let identities: [FeedIdentity]
    /// Their numbers.
    private let known: Set<UInt64>
    /// Whether the mappings of others are listed too.
    private let listsOthers: Bool
    /// The identities as they are now.
    private let shared: HubShared
    /// Identities that were handed out.
    private var listedIdentities = 0
    /// Where the mappings go on.
    private var cursor: UInt64 = 0

    /// Identities of one chunk.
    private static let chunk = 500

    /// A listing of what was true at `sequence`, with the mappings of `identities` alone if it `isSelective`; what has become of
    /// the identities since is in `shared`.
    init(sequence: UInt64, identities: [FeedIdentity], isSelective: Bool, shared: HubShared) {
        self.sequence = sequence
        self.identities = identities.sorted { $0.id < $1.id }
        known = Set(identities.map(\.id))
        listsOthers = !isSelective
        self.shared = shared
    }

    /// The lines of the next chunk.
    mutating func next(_ source: FeedSnapshotSource) -> [UInt8] {
        var writer = LineWriter()
        guard listedIdentities >= identities.count else {
            for var identity in identities[listedIdentities...].prefix(SnapshotListing.chunk) {
                identity.sequence = sequence
                writer.line(.identity(identity))
                listedIdentities += 1
                count += 1
            }
            return [UInt8](writer.bytes)
        }
        let next = source(cursor) { event in
            guard case .upsert(var upsert) = event, lists(upsert.identity) else { return }
            upsert.sequence = sequence
            writer.line(.upsert(upsert))
            count += 1
        }
        if let next { cursor = next } else { isAtEnd = true }
        return [UInt8](writer.bytes)
    }

    /// Whether mappings of an identity are listed. One that was announced since is not among the identities here: its mappings
    /// are changes behind `sequence`, which follow, as it does, and in this order.
    private func lists(_ identity: UInt64) -> Bool {
        if known.contains(identity) { return true }
        return listsOthers && shared.identities.withLock { $0.identities[identity] == nil }
    }
}
