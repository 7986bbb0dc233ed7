import Synchronization

/// The recent flows of all workers, in two rings: queries that the cache answered have one of their own, so that however
/// many they are, they displace nothing that went wrong.
final class RecentFlows: Sendable {
    /// How far a reader is.
    struct Position: Equatable {
        /// Among those that the cache answered.
        var hits: FlowRing.Position
        /// Among all others.
        var others: FlowRing.Position
    }

    /// Queries that the cache answered; noted only while somebody wants them.
    let hits: FlowRing
    /// All others.
    let others: FlowRing
    /// Flows that were overwritten before somebody who follows came to read them.
    private let overtaken = Atomic<UInt64>(0)

    /// Two empty rings for `capacity` flows each. `workers` together may note `rate` a second of those that the cache did
    /// not answer, `watchedRate` while somebody looks, and likewise `watchedRate` of those that it did.
    init(capacity: Int, rate: Int, watchedRate: Int, workers: Int) {
        hits = FlowRing(capacity: capacity, rate: 0, watchedRate: watchedRate, workers: workers)
        others = FlowRing(capacity: capacity, rate: rate, watchedRate: watchedRate, workers: workers)
    }

    /// Whether flows are kept at all.
    var isOn: Bool { others.isOn }

    /// Flows that are kept at most.
    var capacity: Int { hits.capacity + others.capacity }

    /// How many look.
    var watcherCount: Int { others.watcherCount }

    /// Somebody looks from now on, at what `selection` has.
    func beginWatching(_ selection: FlowSelection) {
        others.beginWatching()
        if selection.maySelectHits { hits.beginWatching() }
    }

    /// Somebody has stopped looking at what `selection` has.
    func endWatching(_ selection: FlowSelection) {
        others.endWatching()
        if selection.maySelectHits { hits.endWatching() }
    }

    /// Where a reader begins that wants what is there.
    var oldest: Position { Position(hits: hits.oldest, others: others.oldest) }

    /// Where a reader begins that wants only what comes.
    var newest: Position { Position(hits: hits.newest, others: others.newest) }

    /// Appends some flows behind `position` and before `end` to `taken`, up to `limit` of each ring, in the order in which
    /// they ended, and moves it on; those that the cache answered only with `takesHits`. Tells what was missed before them,
    /// and whether there may be more.
    func read(
        from position: inout Position, until end: Position? = nil, limit: Int, takesHits: Bool,
        into taken: inout [FlowEntry]
    ) -> (loss: FlowRing.Loss, hasMore: Bool) {
        guard takesHits else {
            let before = taken.count
            let loss = others.read(
                from: &position.others, until: end?.others.next ?? .max, limit: limit, into: &taken)
            return (loss, taken.count - before == limit)
        }
        var hit: [FlowEntry] = []
        var other: [FlowEntry] = []
        let loss =
            hits.read(from: &position.hits, until: end?.hits.next ?? .max, limit: limit, into: &hit)
            + others.read(from: &position.others, until: end?.others.next ?? .max, limit: limit, into: &other)
        var (nextHit, nextOther) = (0, 0)
        while nextHit < hit.count || nextOther < other.count {
            // What follows a batch that was full may have ended before what is left of the other one.
            if nextHit == hit.count, hit.count == limit { break }
            if nextOther == other.count, other.count == limit { break }
            if nextOther == other.count || (nextHit < hit.count && hit[nextHit].ended < other[nextOther].ended) {
                taken.append(hit[nextHit])
                nextHit += 1
            } else {
                taken.append(other[nextOther])
                nextOther += 1
            }
        }
        position.hits.next -= UInt64(hit.count - nextHit)
        position.others.next -= UInt64(other.count - nextOther)
        return (loss, hit.count == limit || other.count == limit)
    }

    /// Counts flows that somebody who follows has missed.
    func countOvertaken(_ count: UInt64) { overtaken.wrappingAdd(count, ordering: .relaxed) }

    /// Flows that were noted, that were left out, and that those who follow have missed, since the start.
    var totals: (noted: UInt64, leftOut: UInt64, overtaken: UInt64) {
        let (hits, others) = (hits.totals, others.totals)
        return (hits.noted + others.noted, hits.leftOut + others.leftOut, overtaken.load(ordering: .relaxed))
    }
}
