internal import Logging
internal import NIOCore
internal import NIOPosix
internal import Synchronization

extension HubCore {
    // MARK: Coming and going

    /// Greets a new connection; nil, and it is closed, if there are too many.
    func greet(_ channel: any Channel) -> Subscriber? {
        connections += 1
        let subscriber = Subscriber(
            channel, number: connections, now: loop.now, until: loop.now + configuration.subscribeTimeout)
        guard !stops.isRaised, subscribers.count < configuration.maxSubscribers else {
            count { $0.disconnects[.tooMany, default: 0] += 1 }
            close(channel, with: .error("too many subscribers"))
            return nil
        }
        subscribers[ObjectIdentifier(subscriber)] = subscriber
        let last = shared.queue.withLock { $0.last }
        write(.hello(FeedHello(instance: instance, sequence: last)), to: subscriber)
        channel.flush()
        return subscriber
    }

    /// Whether the hub still talks to a connection.
    func isConnected(_ subscriber: Subscriber) -> Bool { subscribers[ObjectIdentifier(subscriber)] != nil }

    /// Tells a subscriber why it has to go, and closes its connection.
    func disconnect(_ subscriber: Subscriber, _ reason: FeedDisconnectReason, _ text: String) {
        guard isConnected(subscriber) else { return }
        forget(subscriber, reason, text)
        close(subscriber.channel, with: reason == .lagging ? .lagging(recent.last) : .error(text))
    }

    /// Takes a connection off the books; nobody waits for its acknowledgements any more.
    func forget(_ subscriber: Subscriber, _ reason: FeedDisconnectReason, _ text: String) {
        guard subscribers.removeValue(forKey: ObjectIdentifier(subscriber)) != nil else { return }
        if subscriber.acknowledged != nil { shared.acknowledging.subtract(1, ordering: .acquiringAndReleasing) }
        var hasSubscribed = true
        if case .greeted = subscriber.phase { hasSubscribed = false }
        count { counters in
            counters.disconnects[reason, default: 0] += 1
            if hasSubscribed { counters.subscribers -= 1 }
        }
        logger.log(
            level: reason == .closed || reason == .shutdown ? .info : .warning,
            "feed: subscriber \(subscriber.number) disconnected: \(text)", metadata: ["reason": "\(reason.rawValue)"])
        updateReleased()
    }

    /// Writes a last line and closes.
    ///
    /// To close a socket that holds unread bytes would take the line from the other side (it reads ECONNRESET), so only
    /// the way out is closed, and the rest when the other side has closed too or has had its time. As many connections
    /// as there may be subscribers can linger like that; those beyond are closed at once.
    private func close(_ channel: any Channel, with event: FeedEvent) {
        let timeout = lingering < configuration.maxSubscribers ? configuration.closeTimeout : .zero
        lingering += 1
        let timer = loop.scheduleTask(in: timeout) { channel.close(promise: nil) }
        let bound = NIOLoopBound(self, eventLoop: loop)
        channel.closeFuture.whenComplete { _ in
            timer.cancel()
            bound.value.lingering -= 1
        }
        channel.writeAndFlush(ByteBuffer(bytes: event.line)).whenComplete { _ in
            channel.close(mode: .output, promise: nil)
        }
    }

    /// Looks whether a connection is late with anything, or is to be pinged.
    func check(_ subscriber: Subscriber, _ now: NIODeadline) {
        if case .greeted(let deadline) = subscriber.phase {
            if now >= deadline { disconnect(subscriber, .neverSubscribed, "no subscribe line in time") }
            return
        }
        if subscriber.acknowledged != nil, let pinged = subscriber.pinged, now - pinged >= configuration.pongTimeout {
            disconnect(subscriber, .noPong, "no answer to a ping in time")
            return
        }
        // One that cannot take more has something unread, and its lag is bounded elsewhere.
        guard now - subscriber.lastWrite >= configuration.pingInterval, subscriber.channel.isWritable else { return }
        if subscriber.pinged == nil { subscriber.pinged = now }
        write(.ping(subscriber.sent), to: subscriber)
        subscriber.channel.flush()
    }

    // MARK: What subscribers say

    /// Acts on one line.
    func receive(_ line: ArraySlice<UInt8>, from subscriber: Subscriber) {
        let message: SubscriberMessage
        do {
            message = try SubscriberMessage.decode(line.span)
        } catch {
            disconnect(subscriber, error.reason == .lineTooLong ? .lineTooLong : .badMessage, "bad line: \(error)")
            return
        }
        var isGreeted = false
        if case .greeted = subscriber.phase { isGreeted = true }
        if case .subscribe(let subscription) = message {
            guard isGreeted else {
                disconnect(subscriber, .unexpectedMessage, "subscribed twice")
                return
            }
            subscribe(subscriber, subscription)
            return
        }
        guard !isGreeted else {
            disconnect(subscriber, .unexpectedMessage, "the first line must be subscribe")
            return
        }
        switch message {
        case .ack(let sequence): acknowledge(subscriber, sequence)
        case .nack(let rejection):
            count { $0.nacks += 1 }
            logger.warning(
                "feed: subscriber \(subscriber.number) could not put \(rejection.sequence) in force",
                metadata: ["error": "\(rejection.error.prefix(256).debugDescription)"])
        case .inUse(let use): onInUse(use)
        case .pong, .subscribe:
            count { $0.pongs += 1 }
            subscriber.pinged = nil
        }
    }

    /// Takes an acknowledgement; whoever reads on computes `released` once for all that were read together.
    private func acknowledge(_ subscriber: Subscriber, _ sequence: UInt64) {
        guard let acknowledged = subscriber.acknowledged else {
            disconnect(subscriber, .unexpectedMessage, "an ack without \"acknowledge\":true")
            return
        }
        guard sequence <= subscriber.sent else {
            disconnect(subscriber, .ackFromFuture, "acknowledged \(sequence), sent up to \(subscriber.sent)")
            return
        }
        count { $0.acks += 1 }
        // Whoever acknowledges is alive, whatever became of its pong.
        subscriber.pinged = nil
        subscriber.acknowledged = max(acknowledged, sequence)
    }

    /// Begins to send: what was missed if that is still there, everything otherwise.
    private func subscribe(_ subscriber: Subscriber, _ subscription: Subscription) {
        guard subscription.identities == nil else {
            let text = "this version sends every identity; subscribe without \"identities\""
            disconnect(subscriber, .unexpectedMessage, text)
            return
        }
        var canResume = false
        let last = shared.queue.withLock { $0.last }
        if let resume = subscription.resume, resume.instance == instance, resume.sequence <= last,
            recent.holdsEverything(after: resume.sequence)
        {
            canResume = true
            subscriber.sent = resume.sequence
            subscriber.phase = .live
        } else {
            let progress = Subscriber.SnapshotProgress(sequence: last, cursor: 0, count: 0, isReading: false)
            subscriber.phase = .snapshot(progress)
            write(.snapshotBegin(SnapshotMark(sequence: last, count: 0)), to: subscriber)
        }
        count { counters in
            counters.subscribers += 1
            if canResume { counters.resumes += 1 } else { counters.snapshots += 1 }
        }
        if subscription.acknowledges {
            subscriber.acknowledged = subscriber.sent
            // Down first, then the epoch: whoever sees the new epoch sees the new value too.
            updateReleased()
            shared.acknowledging.add(1, ordering: .acquiringAndReleasing)
            shared.joins.add(1, ordering: .acquiringAndReleasing)
        }
        logger.info(
            "feed: subscriber \(subscriber.number) subscribed",
            metadata: ["acknowledges": "\(subscription.acknowledges)", "resumes": "\(canResume)"])
        pump(subscriber)
    }

    // MARK: What subscribers are sent

    /// Sends what a subscriber has not got yet, as far as it can take it.
    func pump(_ subscriber: Subscriber) {
        switch subscriber.phase {
        case .greeted: return
        case .snapshot(var progress):
            guard !progress.isReading, subscriber.channel.isWritable else { break }
            progress.isReading = true
            subscriber.phase = .snapshot(progress)
            readChunk(subscriber, progress)
        case .live:
            var hasWritten = false
            while subscriber.channel.isWritable, let (bytes, last) = recent.lines(after: subscriber.sent) {
                subscriber.channel.write(bytes, promise: nil)
                subscriber.sent = last
                subscriber.lastWrite = loop.now
                hasWritten = true
            }
            if hasWritten { subscriber.channel.flush() }
        }
        checkLag(subscriber)
    }

    /// Disconnects a subscriber that is too far behind, or whose next event is gone.
    private func checkLag(_ subscriber: Subscriber) {
        let position: UInt64
        switch subscriber.phase {
        case .greeted: return
        case .snapshot(let progress): position = progress.sequence
        case .live: position = subscriber.sent
        }
        guard let behind = recent.bytesBehind(position), behind <= configuration.subscriberQueueBytes else {
            disconnect(subscriber, .lagging, "too slow: the changes that it has not read are too many")
            return
        }
    }

    /// Reads the next chunk of a subscriber's snapshot on another thread.
    private func readChunk(_ subscriber: Subscriber, _ progress: Subscriber.SnapshotProgress) {
        let bound = NIOLoopBound((core: self, subscriber: subscriber), eventLoop: loop)
        let snapshot = snapshot
        pool.submit { state in
            guard state == .active else { return }
            let chunk = SnapshotChunk(snapshot, cursor: progress.cursor, sequence: progress.sequence)
            bound.eventLoop.execute { bound.value.core.take(chunk, for: bound.value.subscriber) }
        }
    }

    /// Sends a chunk; behind the last comes the mark, and then what was published meanwhile.
    private func take(_ chunk: SnapshotChunk, for subscriber: Subscriber) {
        guard isConnected(subscriber), case .snapshot(var progress) = subscriber.phase else { return }
        subscriber.channel.write(ByteBuffer(bytes: chunk.lines), promise: nil)
        subscriber.lastWrite = loop.now
        progress.count += chunk.count
        progress.isReading = false
        if let next = chunk.next {
            progress.cursor = next
            subscriber.phase = .snapshot(progress)
        } else {
            write(.snapshotEnd(SnapshotMark(sequence: progress.sequence, count: progress.count)), to: subscriber)
            subscriber.sent = progress.sequence
            subscriber.phase = .live
        }
        subscriber.channel.flush()
        pump(subscriber)
    }

    /// Writes one line, without flushing it.
    private func write(_ event: FeedEvent, to subscriber: Subscriber) {
        subscriber.channel.write(ByteBuffer(bytes: event.line), promise: nil)
        subscriber.lastWrite = loop.now
    }
}
