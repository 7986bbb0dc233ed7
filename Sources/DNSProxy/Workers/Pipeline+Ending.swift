import DNSWire
import FQDNCache

/// How queries end. Each passes here exactly once.
extension Pipeline {
    /// Counts a query whose `reply` leaves in the turn in which it came, and notes it if that is wanted.
    ///
    /// What all of them took is found when the turn is over, with one look at the clock.
    @inline(__always)
    mutating func end(_ ending: Ending, of origin: QueryOrigin, reply: Span<UInt8>, turn: Turn) {
        counters.count(response: ResponseCode(header: reply[3], extended: ending.extendedCode))
        counters[ending.outcome] += 1
        answeredInTurn += 1
        if flows.takesHits || ending.outcome != .hit {
            flows.note(
                reply, of: origin, outcome: ending.outcome, isAudited: isAudited, times: FlowTimes(),
                policy: turn.snapshot.policy, now: turn.now)
        }
    }

    /// Counts a query whose `reply` leaves after it has waited, as `times` says, and notes it if that is wanted. Such a
    /// reply has no code beyond those of the header.
    mutating func endLate(
        _ outcome: QueryOutcome, of origin: QueryOrigin, reply: Span<UInt8>, times: FlowTimes, turn: Turn
    ) {
        counters.count(response: ResponseCode(header: reply[3], extended: 0))
        counters[outcome] += 1
        var times = times
        times.total = max(0, turn.now.nanoseconds(since: origin.arrived))
        durations.requests.add(times.total)
        hasNewDurations = true
        if flows.takesHits || outcome != .hit {
            flows.note(
                reply, of: origin, outcome: outcome, isAudited: origin.isAudited, times: times,
                policy: turn.snapshot.policy, now: turn.now)
        }
    }

    /// Counts `query` as one that is not answered because of `reason`, and notes it if that is wanted.
    @inline(never)
    mutating func drop(_ query: Span<UInt8>, of origin: QueryOrigin, _ reason: DropReason, turn: Turn) {
        counters.drop(reason.counter)
        flows.note(
            query, of: origin, outcome: .dropped, drop: reason, isAudited: false, times: FlowTimes(),
            policy: turn.snapshot.policy, now: turn.now)
    }

    /// Notes how long the queries took that came and were answered in the turn that began at `start`: as long as the turn,
    /// replies sent. Hands the flows of the turn over.
    mutating func endTurn(startedAt start: Moment) {
        guard answeredInTurn > 0 || flows.isPending else { return }
        let end = SystemClock.now()
        if answeredInTurn > 0 {
            durations.requests.add(end.nanoseconds(since: start), count: answeredInTurn)
            hasNewDurations = true
            answeredInTurn = 0
        }
        flows.handOver(end: end)
    }
}
