internal import DequeModule
internal import NIOCore

/// The events that were sent last, encoded, for subscribers that are behind.
///
/// Sequence numbers in it have no gap. Subscribers share the bytes, each has only a number of where it stands. A daemon
/// that is asked now and then has batches of one event; those are gathered, because memory in small pieces costs more
/// than what is in them.
struct RecentEvents: Sendable {
    /// Consecutive events in one buffer.
    struct Batch: Sendable {
        /// The number of the first event.
        let first: UInt64
        /// Bytes of everything that was ever in front of the batch.
        let position: Int
        /// For each event where its line ends in `bytes`.
        let index: EventIndex
        /// The lines.
        let bytes: ByteBuffer

        /// The number of the last event.
        var last: UInt64 { first + UInt64(index.count) - 1 }
    }

    /// The batches, the oldest first.
    private var batches: Deque<Batch> = []
    /// How many of them, at the end, are not gathered yet.
    private var loose = 0
    /// The number of the last event that was ever in it.
    private(set) var last: UInt64
    /// Bytes of everything that was ever in it.
    private var position = 0
    /// Events in it.
    private var count = 0
    /// Nobody resumes at a place below this one.
    private var floor: UInt64 = 0
    /// Events that are kept at most.
    private var maxEvents: Int
    /// Bytes that are kept at most.
    private var maxBytes: Int

    /// Bytes of batches that are gathered, at most: a power of two, because the memory of a `ByteBuffer` is one.
    static let gatheredBytes = 64 << 10

    /// Nothing yet; the next event has the number behind `last`.
    init(last: UInt64, maxEvents: Int, maxBytes: Int) {
        self.last = last
        self.maxEvents = maxEvents
        self.maxBytes = maxBytes
    }

    /// Keeps the events of `index`, whose lines are `bytes`; the oldest batches make room.
    mutating func append(_ bytes: ByteBuffer, _ index: EventIndex) {
        guard index.count > 0 else { return }
        if loose > 0, position - batches[batches.count - loose].position + index.length > RecentEvents.gatheredBytes {
            gather()
        }
        batches.append(Batch(first: last + 1, position: position, index: index, bytes: bytes))
        // What fills half of the room for many is well kept alone.
        if loose > 0 || index.length <= RecentEvents.gatheredBytes / 2 { loose += 1 }
        last += UInt64(index.count)
        position += bytes.readableBytes
        count += index.count
        makeRoom()
    }

    /// Drops the oldest batches until the rest is within the limits; the newest stays, however large.
    private mutating func makeRoom() {
        while batches.count > 1, let oldest = batches.first,
            count > maxEvents || position - oldest.position > maxBytes
        {
            count -= oldest.index.count
            batches.removeFirst()
        }
        loose = min(loose, batches.count)
    }

    /// Makes one batch of those that are not gathered yet.
    private mutating func gather() {
        defer { loose = 0 }
        guard loose > 1 else { return }
        let parts = batches.suffix(loose)
        guard let first = parts.first, let last = parts.last else { return }
        var index = EventIndex(capacity: parts.reduce(0) { $0 + $1.index.count })
        var bytes = ByteBufferAllocator().buffer(capacity: last.position + last.index.length - first.position)
        for part in parts {
            index.append(part.index)
            bytes.writeImmutableBuffer(part.bytes)
        }
        let whole = Batch(first: first.first, position: first.position, index: index, bytes: bytes)
        batches.removeLast(loose)
        batches.append(whole)
    }

    /// Drops everything; the next event has the number behind `last`.
    mutating func restart(last: UInt64) {
        batches.removeAll()
        loose = 0
        count = 0
        self.last = last
    }

    /// Sets other limits.
    mutating func limit(events: Int, bytes: Int) {
        maxEvents = events
        maxBytes = bytes
        makeRoom()
    }

    /// Lets nobody resume at a place before the end, because what is here is not right for those who come anew.
    mutating func forbidResuming() { floor = last }

    /// Whether a reader that has everything up to `sequence` can go on from here.
    func canResume(after sequence: UInt64) -> Bool {
        sequence >= floor && (sequence >= last || sequence + 1 >= batches.first?.first ?? .max)
    }

    /// Bytes that a reader is behind which has everything up to `sequence`; nil if some of them are gone.
    func bytesBehind(_ sequence: UInt64) -> Int? {
        guard sequence < last else { return 0 }
        guard let (batch, event) = find(sequence + 1) else { return nil }
        return position - batches[batch].position - batches[batch].index.start(of: event)
    }

    /// The lines behind `sequence` up to the end of their batch, and the number of the last of them; nil if there are none.
    func lines(after sequence: UInt64) -> (bytes: ByteBuffer, last: UInt64)? {
        guard let (batch, event) = events(after: sequence) else { return nil }
        var bytes = batch.bytes
        bytes.moveReaderIndex(forwardBy: batch.index.start(of: event))
        return (bytes, batch.last)
    }

    /// The batch that the event behind `sequence` is in, and the place that it has there; nil if there is none.
    func events(after sequence: UInt64) -> (batch: Batch, event: Int)? {
        guard sequence < last, let (batch, event) = find(sequence + 1) else { return nil }
        return (batches[batch], event)
    }

    /// The event `sequence`, if it is still there.
    func event(_ sequence: UInt64) -> FeedEvent? {
        guard let (batch, event) = find(sequence) else { return nil }
        let start = batches[batch].index.start(of: event)
        let length = batches[batch].index.end(of: event) - start
        guard let line = batches[batch].bytes.getBytes(at: batches[batch].bytes.readerIndex + start, length: length)
        else { return nil }
        return try? FeedEvent.decode(line.span)
    }

    /// The batch that has the event `sequence`, and the place that it has there.
    private func find(_ sequence: UInt64) -> (batch: Int, event: Int)? {
        guard let first = batches.first, sequence >= first.first, sequence <= last else { return nil }
        var low = 0
        var high = batches.count - 1
        while low < high {
            let middle = (low + high + 1) / 2
            if batches[middle].first <= sequence { low = middle } else { high = middle - 1 }
        }
        return (low, Int(sequence - batches[low].first))
    }
}

/// What a batch of encoded events is about, and where each of them ends.
struct EventIndex: Sendable {
    /// For each event where its line ends.
    private var ends: [Int] = []
    /// For each event the identity that it is about.
    private var subjects: [UInt64] = []
    /// What the events say that are about an identity itself, by their place.
    private var identities: [Int: FeedIdentity] = [:]

    /// Nothing yet, with room for so many events.
    init(capacity: Int = 0) {
        ends.reserveCapacity(capacity)
        subjects.reserveCapacity(capacity)
    }

    /// Events.
    var count: Int { ends.count }

    /// Bytes of all lines.
    var length: Int { ends.last ?? 0 }

    /// Adds an event whose line ends at `end`.
    mutating func append(_ event: borrowing FeedEvent, end: Int) {
        switch event {
        case .upsert(let upsert): subjects.append(upsert.identity)
        case .delete(let delete): subjects.append(delete.identity)
        case .identity(let identity):
            identities[ends.count] = identity
            subjects.append(identity.id)
        default: return
        }
        ends.append(end)
    }

    /// Adds the events of `other`, whose lines stand behind those that are there.
    mutating func append(_ other: EventIndex) {
        let (events, bytes) = (count, length)
        for end in other.ends { ends.append(bytes + end) }
        subjects.append(contentsOf: other.subjects)
        for (place, identity) in other.identities { identities[events + place] = identity }
    }

    /// Where the line of an event begins.
    func start(of event: Int) -> Int { event == 0 ? 0 : ends[event - 1] }

    /// Where the line of an event ends.
    func end(of event: Int) -> Int { ends[event] }

    /// The identity that an event is about.
    func subject(of event: Int) -> UInt64 { subjects[event] }

    /// What an event says if it is about an identity itself.
    func identity(of event: Int) -> FeedIdentity? { identities.isEmpty ? nil : identities[event] }
}
