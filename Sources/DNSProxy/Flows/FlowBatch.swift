import DNSWire
import FQDNCache
import FQDNPolicy

/// What one worker has noted for one ring in the course of a turn, and how much it may still note.
struct FlowBatch: ~Copyable {
    /// Where flows go.
    private let ring: FlowRing
    /// Flows of this turn, and room for more of them.
    private var entries: [FlowEntry]
    /// How many there are.
    private var count = 0
    /// Flows of this turn that were left out.
    private var leftOut: UInt64 = 0
    /// How many may still be noted.
    private var bucket = TokenBucket()

    /// Flows that are handed over at once.
    private static let capacity = 64

    /// An empty batch for `ring`, with no room when that is off.
    init(ring: FlowRing) {
        self.ring = ring
        entries = ring.isOn ? Array(repeating: FlowEntry(), count: FlowBatch.capacity) : []
    }

    /// Whether somebody wants flows of this ring.
    @inline(__always)
    var isWanted: Bool { ring.isOn && ring.isWatched }

    /// Whether anything waits for the end of the turn.
    var isPending: Bool { count > 0 || leftOut > 0 }

    /// Notes a query that has ended as `FlowRecorder.note` says, if flows are on and the bucket has one left.
    mutating func note(
        _ message: Span<UInt8>, of origin: QueryOrigin, outcome: QueryOutcome, drop: DropReason? = nil, isAudited: Bool,
        times: FlowTimes, policy: PolicySnapshot, now: Moment
    ) {
        guard ring.isOn else { return }
        guard bucket.take(interval: ring.isWatched ? ring.watchedInterval : ring.interval, now: now) else {
            leftOut += 1
            return
        }
        if count == entries.count { handOver(end: SystemClock.now()) }
        let identity = policy.identities[policy.identityIndex(of: origin.client)].id
        entries[count].set(
            message, of: origin, outcome: outcome, drop: drop, isAudited: isAudited, identity: identity, times: times,
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
