import DNSWire
import FQDNCache
import FQDNPolicy

/// Where one worker notes finished queries in the course of a turn. Queries that the cache answers are noted only while
/// somebody looks; all others always, so that what went wrong can be seen afterwards.
struct FlowRecorder: ~Copyable {
    /// Where they go.
    private let ring: FlowRing
    /// Whether anything is noted.
    let isOn: Bool
    /// Flows of this turn, and room for more of them.
    private var entries: [FlowEntry]
    /// How many there are.
    private var count = 0
    /// Flows of this turn that were left out.
    private var leftOut: UInt64 = 0
    /// How many may still be noted.
    private var bucket = TokenBucket()
    /// Whether queries that the cache answers are noted in this turn.
    private(set) var takesHits = false

    /// Flows that are handed over at once.
    private static let batch = 64

    /// A recorder that hands over to `ring`, if that is on.
    init(ring: FlowRing) {
        self.ring = ring
        isOn = ring.isOn
        entries = ring.isOn ? Array(repeating: FlowEntry(), count: FlowRecorder.batch) : []
    }

    /// Whether anything waits for the end of the turn.
    var isPending: Bool { count > 0 || leftOut > 0 }

    /// Looks whether somebody looks.
    @inline(__always)
    mutating func beginTurn() {
        takesHits = isOn && ring.isWatched
    }

    /// Notes a query that has ended with `message`, the reply, or with none, and then that is the query itself.
    @inline(never)
    mutating func note(
        _ message: Span<UInt8>, of origin: QueryOrigin, outcome: QueryOutcome, isAudited: Bool, times: FlowTimes,
        policy: PolicySnapshot, now: Moment
    ) {
        guard isOn else { return }
        guard bucket.take(interval: takesHits ? ring.watchedInterval : ring.interval, now: now) else {
            leftOut += 1
            return
        }
        if count == entries.count { handOver(end: SystemClock.now()) }
        let identity = policy.identities[policy.identityIndex(of: origin.client)].id
        entries[count].set(
            message, of: origin, outcome: outcome, isAudited: isAudited, identity: identity, times: times,
            generation: policy.generation)
        count += 1
    }

    /// Hands over what was noted in a turn that ended at `end`.
    mutating func handOver(end: Moment) {
        guard isPending else { return }
        for index in 0..<count where entries[index].total == FlowEntry.none {
            entries[index].total = max(0, end.nanoseconds(since: entries[index].arrived))
        }
        ring.append(entries.span.extracting(0..<count), leftOut: leftOut)
        count = 0
        leftOut = 0
    }
}
