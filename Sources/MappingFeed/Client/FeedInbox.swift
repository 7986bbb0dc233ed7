internal import Synchronization

/// What a client has read and its reader has not taken yet.
final class FeedInbox: Sendable {
    /// Bytes of lines that may wait before the client stops reading.
    static let limit = 1 << 20

    /// What waits.
    private let waiting = Mutex((batch: FeedBatch(lines: [], events: []), bytes: 0))

    /// Adds a batch; says whether the inbox was empty, and whether it is full now.
    func put(_ batch: FeedBatch) -> (isFirst: Bool, isFull: Bool) {
        waiting.withLock { waiting in
            let isFirst = waiting.batch.lines.isEmpty
            if isFirst {
                waiting.batch = batch
            } else {
                waiting.batch.lines += batch.lines
                waiting.batch.events += batch.events
            }
            waiting.bytes += batch.lines.reduce(0) { $0 + $1.count }
            return (isFirst, waiting.bytes >= FeedInbox.limit)
        }
    }

    /// Takes everything; says whether the inbox was full.
    func take() -> (batch: FeedBatch, wasFull: Bool) {
        waiting.withLock { waiting in
            defer { waiting = (FeedBatch(lines: [], events: []), 0) }
            return (waiting.batch, waiting.bytes >= FeedInbox.limit)
        }
    }
}
