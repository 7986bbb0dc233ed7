internal import DequeModule
internal import NIOCore

/// The events that were sent last, encoded, for subscribers that are behind.
///
/// Sequence numbers in it have no gap. Subscribers share the bytes, each has only a number of where it stands.
struct RecentEvents {
    /// Consecutive events in one buffer.
    private struct Batch {
        /// The number of the first event.
        let first: UInt64
        /// Bytes of everything that was ever in front of the batch.
        let position: Int
        /// For each event where its line ends in `bytes`.
        let ends: [Int]
        /// The lines.
        let bytes: ByteBuffer
    }

    /// The batches, the oldest first.
    private var batches: Deque<Batch> = []
    /// The number of the last event that was ever in it.
    private(set) var last: UInt64
    /// Bytes of everything that was ever in it.
    private var position = 0
    /// Events in it.
    private var count = 0
    /// Events that are kept at most.
    private let maxEvents: Int
    /// Bytes that are kept at most.
    private let maxBytes: Int

    /// Nothing yet; the next event has the number behind `last`.
    init(last: UInt64, maxEvents: Int, maxBytes: Int) {
        self.last = last
        self.maxEvents = maxEvents
        self.maxBytes = maxBytes
    }

    /// Keeps the events whose lines end at `ends` in `bytes`; the oldest batches make room.
    mutating func append(_ bytes: ByteBuffer, ends: [Int]) {
        batches.append(Batch(first: last + 1, position: position, ends: ends, bytes: bytes))
        last += UInt64(ends.count)
        position += bytes.readableBytes
        count += ends.count
        while batches.count > 1, let oldest = batches.first,
            count > maxEvents || position - oldest.position > maxBytes
        {
            count -= oldest.ends.count
            batches.removeFirst()
        }
    }

    /// Whether a reader that has everything up to `sequence` can go on from here.
    func holdsEverything(after sequence: UInt64) -> Bool {
        sequence >= last || sequence + 1 >= batches.first?.first ?? .max
    }

    /// Bytes that a reader is behind which has everything up to `sequence`; nil if some of them are gone.
    func bytesBehind(_ sequence: UInt64) -> Int? {
        guard sequence < last else { return 0 }
        guard let (batch, offset) = find(sequence + 1) else { return nil }
        return position - batches[batch].position - offset
    }

    /// The lines behind `sequence` up to the end of their batch, and the number of the last of them; nil if there are none.
    func lines(after sequence: UInt64) -> (bytes: ByteBuffer, last: UInt64)? {
        guard sequence < last, let (index, offset) = find(sequence + 1) else { return nil }
        let batch = batches[index]
        var bytes = batch.bytes
        bytes.moveReaderIndex(forwardBy: offset)
        return (bytes, batch.first + UInt64(batch.ends.count) - 1)
    }

    /// The batch that has the event `sequence`, and where in it that begins.
    private func find(_ sequence: UInt64) -> (batch: Int, offset: Int)? {
        guard let first = batches.first, sequence >= first.first, sequence <= last else { return nil }
        var low = 0
        var high = batches.count - 1
        while low < high {
            let middle = (low + high + 1) / 2
            if batches[middle].first <= sequence { low = middle } else { high = middle - 1 }
        }
        let index = Int(sequence - batches[low].first)
        return (low, index == 0 ? 0 : batches[low].ends[index - 1])
    }
}
