import Dispatch
import MappingFeed
import Synchronization

/// Restores mappings on a thread of its own, while another one reads and decodes the journal.
struct RestoringQueue: ~Copyable {
    /// Who restores.
    private let restorer: Shared
    /// The thread.
    private let queue = DispatchQueue(label: "restore")
    /// Batches that may wait, so that reading does not run ahead.
    private let room = DispatchSemaphore(value: 8)
    /// Events that are not handed over yet.
    private var batch: [FeedEvent] = []

    /// Events that are handed over at once.
    private static let batchSize = 1024

    /// The restorer, which one thread at a time has.
    private final class Shared: Sendable {
        /// The restorer.
        let restorer: Mutex<MappingRestorer>

        /// Shares `restorer`.
        init(_ restorer: MappingRestorer) { self.restorer = Mutex(restorer) }
    }

    /// A queue in front of `restorer`.
    init(_ restorer: MappingRestorer) { self.restorer = Shared(restorer) }

    /// Takes the next event.
    mutating func take(_ event: FeedEvent) {
        batch.append(event)
        if batch.count >= RestoringQueue.batchSize { handOver() }
    }

    /// Waits until everything that was taken is restored, and tells how many events a limit kept out.
    mutating func finish() -> Int {
        handOver()
        return queue.sync { [restorer] in restorer.restorer.withLock { $0.leftOut } }
    }

    /// Hands the batch over, and waits for room.
    private mutating func handOver() {
        let events = batch
        batch = []
        batch.reserveCapacity(RestoringQueue.batchSize)
        room.wait()
        queue.async { [restorer, room] in
            restorer.restorer.withLock { restorer in
                for event in events { restorer.take(event) }
            }
            room.signal()
        }
    }
}
