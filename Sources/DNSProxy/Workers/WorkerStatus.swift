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

    /// Shows how the worker does; called by it at the end of each turn. `durations` is nil when they are as before.
    func show(_ counters: WorkerCounters, durations: WorkerDurations?, waiting: Waiting) {
        shown.withLock { shown in
            shown.counters = counters
            if let durations { shown.durations = durations }
            shown.waiting = waiting
            shown.turns &+= 1
        }
        holdCount.store(waiting.holds, ordering: .sequentiallyConsistent)
    }

    /// What the worker has shown last.
    var latest: Shown { shown.withLock { $0 } }
    /// Replies that the worker holds.
    var holds: Int { holdCount.load(ordering: .sequentiallyConsistent) }
}
