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
    /// The identities whose mappings are listed; nil for all.
    private let selected: Set<UInt64>?
    /// Identities that were handed out.
    private var listedIdentities = 0
    /// Where the mappings go on.
    private var cursor: UInt64 = 0

    /// Identities of one chunk.
    private static let chunk = 500

    /// A listing of what was true at `sequence`, with the mappings of `identities` alone if it `isSelective`.
    init(sequence: UInt64, identities: [FeedIdentity], isSelective: Bool) {
        self.sequence = sequence
        self.identities = identities.sorted { $0.id < $1.id }
        selected = isSelective ? Set(identities.map(\.id)) : nil
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
            guard case .upsert(var upsert) = event, selected?.contains(upsert.identity) ?? true else { return }
            upsert.sequence = sequence
            writer.line(.upsert(upsert))
            count += 1
        }
        if let next { cursor = next } else { isAtEnd = true }
        return [UInt8](writer.bytes)
    }
}
