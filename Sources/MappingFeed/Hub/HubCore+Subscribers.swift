internal import Glibc
internal import Logging
internal import NIOCore
internal import Synchronization

extension HubCore {
    // MARK: Coming and going

    /// Takes a new connection on the books; nil, and it is closed, if it is not permitted or there are too many.
    func admit(_ channel: any Channel) -> Subscriber? {
        connections += 1
        guard let socket, let peer = HubCore.peer(of: channel), peer.isPermitted(owner: geteuid(), group: socket.group)
        else {
            count { $0.disconnects[.notPermitted, default: 0] += 1 }
            close(channel, with: .error("not permitted: this is for root, the daemon's user and the socket's group"))
            return nil
        }
        let subscriber = Subscriber(
            channel, number: connections, peer: peer, now: loop.now, until: loop.now + configuration.subscribeTimeout)
        guard !stops.isRaised, subscribers.count < configuration.maxSubscribers else {
            count { $0.disconnects[.tooMany, default: 0] += 1 }
            close(channel, with: .error("too many subscribers"))
            return nil
        }
        subscribers[ObjectIdentifier(subscriber)] = subscriber
        return subscriber
    }

    /// Greets a connection.
    func greet(_ subscriber: Subscriber) {
        let last = shared.queue.withLock { $0.last }
        write(.hello(FeedHello(instance: instance, sequence: last)), to: subscriber)
        subscriber.channel.flush()
    }

    /// Who is at the other end of a connection.
    private static func peer(of channel: any Channel) -> PeerCredentials? {
        try? channel.pipeline.syncOperations.withUnsafeTransportIfAvailable { (descriptor: NIOBSDSocket.Handle) in
            PeerCredentials(descriptor)
        }.flatMap { $0 }
    }

    /// How every subscriber does, in the order in which they connected.
    func statuses() -> [FeedSubscriberStatus] {
        let last = shared.queue.withLock { $0.last }
        return subscribers.values.filter(\.hasSubscribed).sorted { $0.number < $1.number }.map { subscriber in
            let confirmed = subscriber.confirmed ?? subscriber.sent
            return FeedSubscriberStatus(
                number: subscriber.number, process: subscriber.peer.process, user: subscriber.peer.user,
                acknowledges: subscriber.acknowledged != nil, selects: subscriber.selection != nil,
                acknowledged: confirmed, eventsBehind: last - min(last, confirmed), connected: subscriber.connected)
        }
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
        count { counters in
            counters.disconnects[reason, default: 0] += 1
            if subscriber.hasSubscribed { counters.subscribers -= 1 }
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
}
