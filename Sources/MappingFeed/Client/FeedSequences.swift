internal import NIOCore

/// Events as they arrive, all at a time that came since the last were taken.
public struct FeedBatches: AsyncSequence, Sendable {
    /// Wakes the reader.
    let producer: FeedClient.Producer
    /// What arrived.
    let inbox: FeedInbox
    /// What lets the connection read on.
    let delegate: ClientDelegate

    /// An iterator; the connection has only one.
    public func makeAsyncIterator() -> Iterator { Iterator(base: producer.makeAsyncIterator(), batches: self) }

    /// Hands out batches.
    public struct Iterator: AsyncIteratorProtocol {
        /// Wakes the reader.
        fileprivate let base: FeedClient.Producer.AsyncIterator
        /// What is iterated over.
        fileprivate let batches: FeedBatches

        /// The next events, at least one; nil when the connection has ended.
        public func next() async throws -> [FeedEvent]? {
            while let batch = try await nextBatch() {
                if !batch.events.isEmpty { return batch.events }
            }
            return nil
        }

        /// The next batch with its lines.
        fileprivate func nextBatch() async throws -> FeedBatch? {
            guard try await base.next() != nil else { return nil }
            let (batch, wasFull) = batches.inbox.take()
            if wasFull { batches.delegate.readOn() }
            return batch
        }
    }
}

/// Events as they arrive, one by one.
public struct FeedEvents: AsyncSequence {
    /// What arrives.
    let base: FeedBatches.Iterator

    /// The iterator; the connection has only one.
    public func makeAsyncIterator() -> Iterator { Iterator(base: base) }

    /// Hands out events.
    public struct Iterator: AsyncIteratorProtocol {
        /// What arrives.
        fileprivate let base: FeedBatches.Iterator
        /// What was read and not handed out.
        private var batch: ArraySlice<FeedEvent> = []

        /// An iterator at the start of `base`.
        fileprivate init(base: FeedBatches.Iterator) { self.base = base }

        /// The next event; nil when the connection has ended.
        public mutating func next() async throws -> FeedEvent? {
            if batch.isEmpty { batch = try await base.next()?[...] ?? [] }
            return batch.popFirst()
        }
    }
}

/// Lines as they arrive.
public struct FeedLines: AsyncSequence {
    /// What arrives.
    let base: FeedBatches.Iterator

    /// The iterator; the connection has only one.
    public func makeAsyncIterator() -> Iterator { Iterator(base: base) }

    /// Hands out lines.
    public struct Iterator: AsyncIteratorProtocol {
        /// What arrives.
        fileprivate let base: FeedBatches.Iterator
        /// What was read and not handed out.
        private var batch: ArraySlice<[UInt8]> = []

        /// An iterator at the start of `base`.
        fileprivate init(base: FeedBatches.Iterator) { self.base = base }

        /// The next line, without its newline; nil when the connection has ended.
        public mutating func next() async throws -> [UInt8]? {
            if batch.isEmpty { batch = try await base.nextBatch()?.lines[...] ?? [] }
            return batch.popFirst()
        }
    }
}
