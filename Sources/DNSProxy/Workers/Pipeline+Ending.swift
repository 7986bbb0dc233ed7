import DNSWire
import FQDNCache

/// How queries end. Each passes here exactly once, unless nothing is sent: that is `WorkerCounters.drop`.
extension Pipeline {
    /// Counts a query whose reply, with `byte` as the fourth of its header, leaves in the turn in which it came.
    ///
    /// What all of them took is found when the turn is over, with one look at the clock.
    @inline(__always)
    mutating func end(_ ending: Ending, response byte: UInt8) {
        counters.responses[Int(byte & 0xF)] += 1
        counters[ending.outcome] += 1
        answeredInTurn += 1
    }

    /// Counts a query whose reply, with `byte` as the fourth of its header, leaves after it has waited.
    mutating func endLate(_ outcome: QueryOutcome, of origin: QueryOrigin, response byte: UInt8, now: Moment) {
        counters.responses[Int(byte & 0xF)] += 1
        counters[outcome] += 1
        durations.requests.add(now.nanoseconds(since: origin.arrived))
        hasNewDurations = true
    }

    /// Notes how long the queries took that came and were answered in the turn that began at `start`: as long as the turn,
    /// replies sent.
    mutating func endTurn(startedAt start: Moment) {
        guard answeredInTurn > 0 else { return }
        durations.requests.add(SystemClock.now().nanoseconds(since: start), count: answeredInTurn)
        hasNewDurations = true
        answeredInTurn = 0
    }
}
