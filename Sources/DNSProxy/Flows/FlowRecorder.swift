import DNSWire
import FQDNCache
import FQDNPolicy

/// Where one worker notes finished queries in the course of a turn. Queries that the cache answers are noted only while
/// somebody wants them, at a rate of their own; all others always, so that what went wrong can be seen afterwards.
struct FlowRecorder: ~Copyable {
    /// Queries that the cache answered.
    private var hits: FlowBatch
    /// All others.
    private var others: FlowBatch
    /// Whether queries that the cache answers are noted in this turn.
    private(set) var takesHits = false

    /// A recorder that hands over to `flows`, if they are on.
    init(_ flows: RecentFlows) {
        hits = FlowBatch(ring: flows.hits)
        others = FlowBatch(ring: flows.others)
    }

    /// Whether anything waits for the end of the turn.
    var isPending: Bool { others.isPending || hits.isPending }

    /// Looks whether somebody looks.
    @inline(__always)
    mutating func beginTurn() {
        takesHits = hits.isWanted
    }

    /// Notes a query that has ended with `message`, the reply, or with none because of `drop`, and then that is the query
    /// itself.
    @inline(never)
    mutating func note(
        _ message: Span<UInt8>, of origin: QueryOrigin, outcome: QueryOutcome, drop: DropReason? = nil, isAudited: Bool,
        times: FlowTimes, policy: PolicySnapshot, now: Moment
    ) {
        if outcome == .hit {
            hits.note(
                message, of: origin, outcome: outcome, isAudited: isAudited, times: times, policy: policy, now: now)
        } else {
            others.note(
                message, of: origin, outcome: outcome, drop: drop, isAudited: isAudited, times: times, policy: policy,
                now: now)
        }
    }

    /// Hands over what was noted in a turn that ended at `end`.
    mutating func handOver(end: Moment) {
        others.handOver(end: end)
        hits.handOver(end: end)
    }
}
