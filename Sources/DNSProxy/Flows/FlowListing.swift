import DequeModule
import FQDNCache

/// Reads flows for one reader, who may be slow: then it misses some and is told so, and nobody waits. They are copied a
/// few at a time, so that many readers take little memory.
struct FlowListing {
    /// A place in both rings: how many flows there are from the beginning of the listing up to it.
    private struct Step {
        /// Of the queries that the cache answered.
        var hits: UInt32
        /// Of all others.
        var others: UInt32
    }

    /// Where flows are.
    private let flows: RecentFlows
    /// What makes flows of what workers note.
    private var reader: FlowReader
    /// What is wanted.
    let selection: FlowSelection
    /// How far the reader is.
    private var position: RecentFlows.Position
    /// Where recent flows end.
    private let end: RecentFlows.Position
    /// Whether there may be recent flows that were not read.
    private var hasRecent = true
    /// Whether a recent flow was read.
    private var hasBegun = false
    /// Room for one batch.
    private var batch: [FlowEntry] = []

    /// Flows of one batch; there may be twice as many in one, because there are two rings.
    static let batchSize = 128

    /// A listing of what `request` wants.
    init(_ request: FlowRequest, flows: RecentFlows, snapshots: PublishedCell<EngineSnapshot>, now: Moment) {
        self.flows = flows
        reader = FlowReader(snapshots)
        let since = request.sinceMilliseconds.map { now.adding(nanoseconds: -Int64($0) * 1_000_000) }
        selection = FlowSelection(
            allow: [request.filter], deny: request.exclusion.map { [$0] } ?? [], since: since)
        position = flows.oldest
        end = flows.newest
        if let last = request.last, last < flows.capacity { skip(allBut: last) }
    }

    /// Goes to where the last `count` recent flows begin that are wanted. What is remembered of each of those meanwhile is
    /// where it is.
    private mutating func skip(allBut count: Int) {
        guard count > 0 else {
            (position, hasRecent) = (end, false)
            return
        }
        let start = position
        var steps = Deque<Step>()
        reader.beginBatch()
        while hasRecent {
            fill()
            // From where the batch ends back to where it begins; what was overwritten before that is passed.
            let hits = UInt64(batch.count { $0.outcome == .hit })
            var step = Step(
                hits: UInt32(clamping: position.hits.next - hits - start.hits.next),
                others: UInt32(clamping: position.others.next - (UInt64(batch.count) - hits) - start.others.next))
            for entry in batch {
                if reader.selects(entry, selection) {
                    if steps.count == count { steps.removeFirst() }
                    steps.append(step)
                }
                if entry.outcome == .hit { step.hits += 1 } else { step.others += 1 }
            }
        }
        guard let first = steps.first else { return }
        position.hits.next = start.hits.next + UInt64(first.hits)
        position.others.next = start.others.next + UInt64(first.others)
        hasRecent = true
    }

    /// Reads the next batch of recent flows and tells what is missing before it.
    @discardableResult
    private mutating func fill() -> FlowRing.Loss {
        batch.removeAll(keepingCapacity: true)
        let loss: FlowRing.Loss
        (loss, hasRecent) = flows.read(
            from: &position, until: end, limit: FlowListing.batchSize, takesHits: selection.maySelectHits, into: &batch)
        return loss
    }

    /// The next few recent flows of those that are wanted; nil when there are no more.
    mutating func nextRecent() -> [FlowEvent]? {
        guard hasRecent else { return nil }
        // Being overtaken before the first one only means that what was the oldest is recent no more.
        let overtaken = fill().overtaken
        let loss = FlowRing.Loss(overtaken: hasBegun ? overtaken : 0)
        hasBegun = hasBegun || !batch.isEmpty
        return loss.events + wanted()
    }

    /// What has come since, a few at a time, and whether there may be more.
    mutating func next() -> (events: [FlowEvent], hasMore: Bool) {
        batch.removeAll(keepingCapacity: true)
        let (loss, hasMore) = flows.read(
            from: &position, limit: FlowListing.batchSize, takesHits: selection.maySelectHits, into: &batch)
        flows.countOvertaken(loss.overtaken)
        return (loss.events + wanted(), hasMore)
    }

    /// The flows of the batch that are wanted.
    private mutating func wanted() -> [FlowEvent] {
        reader.beginBatch()
        return batch.compactMap { reader.flow($0, selection).map { .flow($0) } }
    }
}
