import Synchronization

/// What the engine sees of a worker, from other threads.
final class WorkerStatus: Sendable {
    /// What waits, as of the last turn.
    struct Waiting {
        /// Exchanges in flight.
        var exchanges = 0
        /// Clients that wait for them.
        var clients = 0
        /// Replies that wait for the feed.
        var holds = 0
        /// Queries that other workers have passed to this one and that it has not taken yet.
        var letters = 0
    }

    /// What a worker shows, all of it as of the same turn.
    struct Shown {
        /// What it has counted.
        var counters = WorkerCounters()
        /// How long queries took.
        var durations = WorkerDurations()
        /// What waits.
        var waiting = Waiting()
        /// Turns of its loop.
        var turns: UInt64 = 0
        /// Queries that it has taken of those that other workers have passed to it.
        var steeredTaken: UInt64 = 0
    }

    /// How it is handed work.
    let mailbox: Mailbox
    /// What the worker has shown last.
    private let shown = Mutex(Shown())
    /// Replies that it holds.
    private let holdCount = Atomic<Int>(0)

    /// The status of a worker that has not started.
    /// - Throws: `SystemError` when the kernel gives no eventfd.
    init() throws(SystemError) {
        mailbox = try Mailbox()
    }

    /// Shows how the worker does; called by it at the end of each turn. `counters` have the queries that nobody else has
    /// passed to it, `durations` is nil when they are as before.
    func show(_ counters: WorkerCounters, durations: WorkerDurations?, waiting: Waiting, steeredTaken: UInt64) {
        shown.withLock { shown in
            shown.counters = counters
            if let durations { shown.durations = durations }
            shown.waiting = waiting
            shown.turns &+= 1
            shown.steeredTaken = steeredTaken
        }
        holdCount.store(waiting.holds, ordering: .sequentiallyConsistent)
    }

    /// What the worker has shown last, with all queries that others have passed to it: each counts as received here from
    /// the moment at which it is in the mailbox, and waits until the worker shows that it has taken it. So the queries
    /// received are those that have ended and those that wait, whatever the workers are in the middle of.
    var latest: Shown {
        var shown = shown.withLock { $0 }
        // Looked at after what was taken of them, so that it cannot be less.
        let steered = mailbox.steered
        shown.counters.queriesUDP += steered.udp
        shown.counters.queriesTCP += steered.tcp
        shown.waiting.letters = Int(steered.udp + steered.tcp) - Int(shown.steeredTaken)
        return shown
    }
    /// Replies that the worker holds.
    var holds: Int { holdCount.load(ordering: .sequentiallyConsistent) }
}
