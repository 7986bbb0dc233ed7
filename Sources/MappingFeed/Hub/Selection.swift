internal import NIOCore

/// The identities that a subscriber has asked for, as they are at its place in the feed.
struct Selection: Sendable {
    /// What it has asked for; any selector suffices.
    private let selectors: [IdentitySelector]
    /// Every identity that is known at its place, and whether it is selected.
    private var known: [UInt64: Bool] = [:]

    /// What an event about an identity means to the subscriber.
    private enum Relevance {
        /// It is none of its identities, before and after.
        case none
        /// It is to have the event as it is.
        case event
        /// The identity is no longer one of its own.
        case end
        /// The identity has become one of its own, and may have mappings that it does not know.
        case beginning
    }

    /// Nothing known yet.
    init(_ selectors: [IdentitySelector]) {
        self.selectors = selectors
    }

    /// Forgets all and knows `identities` instead.
    mutating func reset(to identities: some Collection<FeedIdentity>) {
        known.removeAll()
        for identity in identities { known[identity.id] = isSelected(identity) }
    }

    /// Whether the identity `id` is selected.
    func contains(_ id: UInt64) -> Bool { known[id] ?? false }

    /// Whether any selector holds for `identity`.
    private func isSelected(_ identity: FeedIdentity) -> Bool { selectors.contains { $0.selects(identity) } }

    /// What `identity`, the next event about it, means; one that begins is not taken yet.
    private mutating func take(_ identity: FeedIdentity) -> Relevance {
        let before = known[identity.id]
        if identity.isRemoved {
            known[identity.id] = nil
            return before == true ? .event : .none
        }
        let after = isSelected(identity)
        if before == false, after { return .beginning }
        known[identity.id] = after
        return after ? .event : before == true ? .end : .none
    }

    /// The lines for the subscriber among the events of `batch` from `event` on.
    mutating func lines(_ batch: RecentEvents.Batch, from event: Int, _ allocator: ByteBufferAllocator) -> SelectedLines
    {
        var lines = SelectedLines(bytes: allocator.buffer(capacity: 0), last: batch.first + UInt64(event) - 1)
        for place in event..<batch.index.count {
            let sequence = batch.first + UInt64(place)
            if let identity = batch.index.identity(of: place) {
                switch take(identity) {
                case .none: break
                case .event: lines.append(batch, place)
                case .end:
                    let gone = FeedIdentity(
                        sequence: sequence, id: identity.id, name: identity.name, namespace: identity.namespace,
                        isRemoved: true)
                    lines.append(FeedEvent.identity(gone), sequence)
                case .beginning:
                    lines.needsSnapshot = true
                    return lines
                }
            } else if contains(batch.index.subject(of: place)) {
                lines.append(batch, place)
            }
            lines.last = sequence
        }
        return lines
    }
}

/// What a subscriber gets of a batch.
struct SelectedLines {
    /// The lines.
    private(set) var bytes: ByteBuffer
    /// The last event that was looked at, whether it is among the lines or not.
    fileprivate(set) var last: UInt64
    /// The numbers of the events in the lines.
    private(set) var sequences: [ClosedRange<UInt64>] = []
    /// Whether the event behind `last` can only be told by a new snapshot.
    fileprivate(set) var needsSnapshot = false

    /// No lines yet, all up to `last` looked at.
    fileprivate init(bytes: ByteBuffer, last: UInt64) {
        self.bytes = bytes
        self.last = last
    }

    /// Adds the line of an event of `batch`.
    fileprivate mutating func append(_ batch: RecentEvents.Batch, _ place: Int) {
        let start = batch.index.start(of: place)
        let length = batch.index.end(of: place) - start
        guard var line = batch.bytes.getSlice(at: batch.bytes.readerIndex + start, length: length) else { return }
        bytes.writeBuffer(&line)
        note(batch.first + UInt64(place))
    }

    /// Adds an event that stands for the one with the number `sequence`.
    fileprivate mutating func append(_ event: FeedEvent, _ sequence: UInt64) {
        bytes.writeBytes(event.line)
        note(sequence)
    }

    /// Notes that the event `sequence` is among the lines.
    private mutating func note(_ sequence: UInt64) {
        if let range = sequences.last, range.upperBound + 1 == sequence {
            sequences[sequences.count - 1] = range.lowerBound...sequence
        } else {
            sequences.append(sequence...sequence)
        }
    }
}
