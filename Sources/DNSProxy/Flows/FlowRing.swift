import Synchronization

/// Recent flows of all workers: a bounded ring behind a lock that workers take once a turn at most. A reader has a
/// position of its own; one that is too slow is overtaken and learns by how much, and no worker ever waits for it.
final class FlowRing: Sendable {
    /// How far a reader is.
    struct Position: Equatable {
        /// Number of the flow that it reads next.
        var next: UInt64
        /// Flows that were left out before, as far as it has been told.
        var leftOut: UInt64
    }

    /// What a reader has missed.
    struct Loss: Equatable {
        /// Flows that were overwritten before it came to read them.
        var overtaken: UInt64 = 0
        /// Flows that workers left out because there were too many.
        var leftOut: UInt64 = 0

        /// Both together.
        static func + (left: Loss, right: Loss) -> Loss {
            Loss(overtaken: left.overtaken + right.overtaken, leftOut: left.leftOut + right.leftOut)
        }

        /// What the reader is told.
        var events: [FlowEvent] {
            var events: [FlowEvent] = []
            if overtaken > 0 { events.append(.lost(FlowLoss(reason: .overtaken, count: overtaken))) }
            if leftOut > 0 { events.append(.lost(FlowLoss(reason: .rate, count: leftOut))) }
            return events
        }
    }

    /// The flows.
    private struct State {
        /// By number, modulo the capacity.
        var entries: [FlowEntry] = []
        /// The next number.
        var next: UInt64 = 0
        /// Flows that were left out.
        var leftOut: UInt64 = 0
    }

    /// Flows that are kept; 0 when flows are off.
    let capacity: Int
    /// Nanoseconds between two flows of a worker while nobody looks; nil for none.
    let interval: Int64?
    /// Nanoseconds between two flows of a worker while somebody looks.
    let watchedInterval: Int64?
    /// The flows.
    private let state = Mutex(State())
    /// How many look.
    private let watchers = Atomic<Int>(0)

    /// An empty ring for `capacity` flows, of which `workers` together may note `rate` a second, `watchedRate` while
    /// somebody looks.
    init(capacity: Int, rate: Int, watchedRate: Int, workers: Int) {
        self.capacity = max(capacity, 0)
        interval = FlowRing.interval(rate, workers)
        watchedInterval = FlowRing.interval(watchedRate, workers)
    }

    /// Nanoseconds between two flows of one of so many workers.
    private static func interval(_ rate: Int, _ workers: Int) -> Int64? {
        rate > 0 ? 1_000_000_000 * Int64(workers) / Int64(rate) : nil
    }

    /// Whether flows are kept at all.
    var isOn: Bool { capacity > 0 }

    /// Whether somebody looks.
    var isWatched: Bool { watchers.load(ordering: .relaxed) > 0 }

    /// How many look.
    var watcherCount: Int { watchers.load(ordering: .relaxed) }

    /// Somebody looks from now on.
    func beginWatching() { watchers.wrappingAdd(1, ordering: .relaxed) }

    /// Somebody has stopped looking.
    func endWatching() { watchers.wrappingSubtract(1, ordering: .relaxed) }

    /// Adds flows, and how many others were left out.
    func append(_ entries: Span<FlowEntry>, leftOut: UInt64) {
        guard isOn else { return }
        state.withLock { state in
            for index in entries.indices {
                let place = Int(state.next % UInt64(capacity))
                if place < state.entries.count {
                    state.entries[place] = entries[index]
                } else {
                    if state.entries.isEmpty { state.entries.reserveCapacity(capacity) }
                    state.entries.append(entries[index])
                }
                state.next += 1
            }
            state.leftOut += leftOut
        }
    }

    /// Where a reader begins that wants what is there.
    var oldest: Position {
        state.withLock { Position(next: $0.next - UInt64($0.entries.count), leftOut: $0.leftOut) }
    }

    /// Where a reader begins that wants only what comes.
    var newest: Position { state.withLock { Position(next: $0.next, leftOut: $0.leftOut) } }

    /// Appends up to `limit` flows behind `position`, but none from the number `end` on, to `taken`, moves it on, and tells
    /// what was missed before them.
    func read(
        from position: inout Position, until end: UInt64 = .max, limit: Int, into taken: inout [FlowEntry]
    ) -> Loss {
        state.withLock { state in
            var loss = Loss()
            let oldest = state.next - UInt64(state.entries.count)
            if position.next < oldest {
                loss.overtaken = oldest - position.next
                position.next = oldest
            }
            loss.leftOut = state.leftOut - position.leftOut
            position.leftOut = state.leftOut
            let end = min(end, state.next, position.next + UInt64(limit))
            while position.next < end {
                taken.append(state.entries[Int(position.next % UInt64(capacity))])
                position.next += 1
            }
            return loss
        }
    }

    /// Flows that were noted, and that were left out, since the start.
    var totals: (noted: UInt64, leftOut: UInt64) { state.withLock { ($0.next, $0.leftOut) } }
}
