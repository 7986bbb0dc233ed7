internal import NIOCore

/// Collects the last events of a journal while it is read, as they stand there.
struct RestoredTail: Sendable {
    /// The events so far, but for those of the batch.
    private var recent: RecentEvents
    /// The lines of the batch.
    private var lines: [UInt8] = []
    /// What they are about.
    private var index = EventIndex()

    /// Bytes from which on a batch is closed.
    private static let batchBytes = 64 << 10

    /// Nothing yet, and no more than `limits` say.
    init(_ limits: JournalLimits) {
        recent = RecentEvents(last: 0, maxEvents: limits.recentEvents, maxBytes: limits.recentBytes)
    }

    /// Takes the change `sequence` and its line without the newline; where a number is missing, all before it is dropped.
    mutating func append(_ event: FeedEvent, _ sequence: UInt64, _ line: Span<UInt8>) {
        if sequence != recent.last + UInt64(index.count) + 1 { restart(last: sequence - 1) }
        unsafe line.withUnsafeBufferPointer { unsafe lines.append(contentsOf: $0) }
        lines.append(0x0A)
        index.append(event, end: lines.count)
        if index.length >= RestoredTail.batchBytes { close() }
    }

    /// Drops everything; the next change has the number behind `last`.
    mutating func restart(last: UInt64) {
        recent.restart(last: last)
        lines = []
        index = EventIndex()
    }

    /// Puts the batch to the others.
    private mutating func close() {
        recent.append(ByteBuffer(bytes: lines), index)
        lines.removeAll(keepingCapacity: true)
        index = EventIndex()
    }

    /// The events, which end with the change `last`; none if they do not.
    mutating func take(last: UInt64) -> RecentEvents {
        close()
        if recent.last != last { recent.restart(last: last) }
        defer { recent.restart(last: last) }
        return recent
    }
}
