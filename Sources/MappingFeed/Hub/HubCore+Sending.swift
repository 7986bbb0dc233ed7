internal import NIOCore
internal import NIOPosix
internal import Synchronization

extension HubCore {
    /// Sends what a subscriber has not got yet, as far as it can take it.
    func pump(_ subscriber: Subscriber) {
        if case .live = subscriber.phase { sendChanges(subscriber) }
        if case .snapshot(var progress) = subscriber.phase, !progress.isReading, subscriber.channel.isWritable {
            progress.isReading = true
            subscriber.phase = .snapshot(progress)
            readChunk(subscriber, progress.listing)
        }
        checkLag(subscriber)
    }

    /// Sends changes.
    private func sendChanges(_ subscriber: Subscriber) {
        var hasWritten = false
        while subscriber.channel.isWritable, case .live = subscriber.phase {
            if subscriber.selection != nil {
                guard sendSelected(subscriber, &hasWritten) else { break }
            } else {
                guard let (bytes, last) = recent.lines(after: subscriber.sent) else { break }
                subscriber.channel.write(bytes, promise: nil)
                subscriber.sent = last
                hasWritten = true
            }
        }
        guard hasWritten else { return }
        subscriber.lastWrite = loop.now
        subscriber.channel.flush()
    }

    /// Sends what is selected of the next batch, and returns whether there was a batch.
    private func sendSelected(_ subscriber: Subscriber, _ hasWritten: inout Bool) -> Bool {
        guard let (batch, event) = recent.events(after: subscriber.sent),
            let lines = subscriber.selection?.lines(batch, from: event, subscriber.channel.allocator)
        else { return false }
        if lines.bytes.readableBytes > 0 {
            subscriber.channel.write(lines.bytes, promise: nil)
            hasWritten = true
        }
        if subscriber.acknowledged != nil { for range in lines.sequences { subscriber.pending.expect(range) } }
        subscriber.sent = lines.last
        if lines.needsSnapshot {
            count { $0.snapshots += 1 }
            beginSnapshot(subscriber)
            hasWritten = true
        }
        return true
    }

    /// Disconnects a subscriber that is too far behind, or whose next event is gone.
    private func checkLag(_ subscriber: Subscriber) {
        let position: UInt64
        switch subscriber.phase {
        case .greeted: return
        case .snapshot(let progress): position = progress.listing.sequence
        case .live: position = subscriber.sent
        }
        guard let behind = recent.bytesBehind(position), behind <= configuration.subscriberQueueBytes else {
            disconnect(subscriber, .lagging, "too slow: the changes that it has not read are too many")
            return
        }
    }

    // MARK: Snapshots

    /// The identities, the last change about any of them, and the last change of all, as they were at one moment.
    func identitiesNow() -> (identities: [UInt64: FeedIdentity], lastChange: UInt64, last: UInt64) {
        shared.identities.withLock { book in
            (book.identities, book.lastChange, shared.queue.withLock { $0.last })
        }
    }

    /// The whole truth now.
    func listing() -> SnapshotListing {
        let (identities, _, last) = identitiesNow()
        return SnapshotListing(
            sequence: last, identities: Array(identities.values), isSelective: false, shared: shared)
    }

    /// Begins to send everything that is for a subscriber, without flushing.
    func beginSnapshot(_ subscriber: Subscriber) {
        let (identities, _, last) = identitiesNow()
        var chosen = Array(identities.values)
        if subscriber.selection != nil {
            subscriber.selection?.reset(to: chosen)
            chosen.removeAll { !(subscriber.selection?.contains($0.id) ?? true) }
            if subscriber.acknowledged != nil, subscriber.sent < last {
                subscriber.pending.expect((subscriber.sent + 1)...last)
            }
        }
        let listing = SnapshotListing(
            sequence: last, identities: chosen, isSelective: subscriber.selection != nil, shared: shared)
        subscriber.phase = .snapshot(Subscriber.SnapshotProgress(listing: listing))
        write(.snapshotBegin(SnapshotMark(sequence: last, count: 0)), to: subscriber)
    }

    /// Reads the next chunk of a subscriber's snapshot on another thread.
    private func readChunk(_ subscriber: Subscriber, _ listing: SnapshotListing) {
        let bound = NIOLoopBound((core: self, subscriber: subscriber), eventLoop: loop)
        let snapshot = snapshot
        pool.submit { state in
            guard state == .active else { return }
            var listing = listing
            let lines = listing.next(snapshot)
            let read = listing
            bound.eventLoop.execute { bound.value.core.take(lines, read, for: bound.value.subscriber) }
        }
    }

    /// Sends a chunk; behind the last comes the mark, and then what was published meanwhile.
    private func take(_ lines: [UInt8], _ listing: SnapshotListing, for subscriber: Subscriber) {
        guard isConnected(subscriber), case .snapshot = subscriber.phase else { return }
        subscriber.channel.write(ByteBuffer(bytes: lines), promise: nil)
        subscriber.lastWrite = loop.now
        if listing.isAtEnd {
            write(.snapshotEnd(SnapshotMark(sequence: listing.sequence, count: listing.count)), to: subscriber)
            subscriber.sent = listing.sequence
            subscriber.snapshotEnd = listing.sequence
            subscriber.phase = .live
        } else {
            subscriber.phase = .snapshot(Subscriber.SnapshotProgress(listing: listing))
        }
        subscriber.channel.flush()
        pump(subscriber)
        if subscriber.selection != nil { updateReleased() }
    }

    /// Writes one line, without flushing it.
    func write(_ event: FeedEvent, to subscriber: Subscriber) {
        subscriber.channel.write(ByteBuffer(bytes: event.line), promise: nil)
        subscriber.lastWrite = loop.now
    }
}
