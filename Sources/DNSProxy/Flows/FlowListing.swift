import DequeModule
import FQDNCache

/// Reads flows for one reader, who may be slow: then it misses some and is told so, and nobody waits.
struct FlowListing {
    /// Where flows are.
    private let ring: FlowRing
    /// What makes flows of what workers note.
    private var reader: FlowReader
    /// What is wanted.
    private let selection: FlowSelection
    /// How many recent ones are wanted.
    private let last: Int
    /// How far the reader is.
    private var position: FlowRing.Position
    /// Room for one batch.
    private var batch: [FlowEntry] = []

    /// Flows of one batch.
    static let batchSize = 128

    /// A listing of what `request` wants.
    init(_ request: FlowRequest, ring: FlowRing, snapshots: PublishedCell<EngineSnapshot>, now: Moment) {
        self.ring = ring
        reader = FlowReader(snapshots)
        let since = request.sinceMilliseconds.map { now.adding(nanoseconds: -Int64($0) * 1_000_000) }
        selection = FlowSelection(allow: [request.filter], since: since)
        last = request.last ?? ring.capacity
        position = ring.oldest
    }

    /// What is there already of what is wanted, the last of it.
    mutating func recent() -> [FlowEntry] {
        var recent = Deque<FlowEntry>()
        let end = ring.newest.next
        reader.beginBatch()
        while position.next < end {
            batch.removeAll(keepingCapacity: true)
            // Being overtaken here only means that what was the oldest is recent no more.
            let count = min(UInt64(FlowListing.batchSize), end - position.next)
            _ = ring.read(from: &position, limit: Int(count), into: &batch)
            for entry in batch where last > 0 && reader.selects(entry, selection) {
                if recent.count == last { recent.removeFirst() }
                recent.append(entry)
            }
        }
        return Array(recent)
    }

    /// The flows that `entries` of `recent` are.
    mutating func flows(_ entries: ArraySlice<FlowEntry>) -> [FlowEvent] {
        reader.beginBatch()
        return entries.compactMap { reader.flow($0, selection).map { .flow($0) } }
    }

    /// What has come since, a few at a time, and whether there may be more.
    mutating func next() -> (events: [FlowEvent], hasMore: Bool) {
        batch.removeAll(keepingCapacity: true)
        let loss = ring.read(from: &position, limit: FlowListing.batchSize, into: &batch)
        return (loss.events + flows(batch[...]), batch.count == FlowListing.batchSize)
    }
}
