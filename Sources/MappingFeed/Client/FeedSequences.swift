internal import NIOCore

/// Events as they arrive, as many at a time as were read at once.
public struct FeedBatches: AsyncSequence, Sendable {
    /// What arrives.
    let producer: FeedClient.Producer

    /// An iterator; the connection has only one.
    public func makeAsyncIterator() -> Iterator { Iterator(base: producer.makeAsyncIterator()) }

    /// Hands out batches.
    public struct Iterator: AsyncIteratorProtocol {
        /// What arrives.
        fileprivate let base: FeedClient.Producer.AsyncIterator

        /// The next events, at least one; nil when the connection has ended.
        public func next() async throws -> [FeedEvent]? {
            while let batch = try await base.next() {
                if !batch.events.isEmpty { return batch.events }
            }
            return nil
        }

        /// The next batch with its lines.
        fileprivate func nextBatch() async throws -> FeedBatch? { try await base.next() }
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
