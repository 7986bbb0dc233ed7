internal import Logging
internal import Synchronization

extension HubCore {
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
        if case .subscribe(let subscription) = message {
            guard !subscriber.hasSubscribed else {
                disconnect(subscriber, .unexpectedMessage, "subscribed twice")
                return
            }
            subscribe(subscriber, subscription)
            return
        }
        guard subscriber.hasSubscribed else {
            disconnect(subscriber, .unexpectedMessage, "the first line must be subscribe")
            return
        }
        switch message {
        case .ack(let sequence): acknowledge(subscriber, sequence)
        case .nack(let rejection): reject(subscriber, rejection)
        case .inUse(let use): handlers.onInUse(use)
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
        if subscriber.selection != nil { subscriber.pending.settle(sequence) }
    }

    /// Takes a rejection: the change is processed, as the acknowledgement that follows says, but not in force.
    private func reject(_ subscriber: Subscriber, _ rejection: FeedRejection) {
        guard subscriber.acknowledged != nil else {
            disconnect(subscriber, .unexpectedMessage, "a nack without \"acknowledge\":true")
            return
        }
        guard rejection.sequence <= subscriber.sent else {
            disconnect(subscriber, .ackFromFuture, "rejected \(rejection.sequence), sent up to \(subscriber.sent)")
            return
        }
        count { $0.nacks += 1 }
        subscriber.pinged = nil
        shared.rejected.insert(rejection.sequence)
        if rejectionsToLog > 0 {
            rejectionsToLog -= 1
            logger.warning(
                "feed: subscriber \(subscriber.number) could not put \(rejection.sequence) in force",
                metadata: ["error": "\(rejection.error.prefix(256).debugDescription)"])
        }
        // The lines of a snapshot share one number, which some other change had before.
        let isSnapshot = rejection.sequence <= subscriber.snapshotEnd
        handlers.onReject(rejection, isSnapshot ? nil : recent.event(rejection.sequence))
    }

    /// Begins to send: what was missed if that is still there, everything otherwise.
    private func subscribe(_ subscriber: Subscriber, _ subscription: Subscription) {
        subscriber.selection = subscription.identities.map { Selection($0) }
        if subscription.acknowledges { subscriber.acknowledged = 0 }
        let resumes = resume(subscriber, subscription.resume)
        if !resumes { beginSnapshot(subscriber) }
        if subscription.acknowledges {
            // Down first, then the epoch, then that it is there: whoever sees one of them sees what comes before it too.
            updateReleased()
            shared.joins.add(1, ordering: .acquiringAndReleasing)
            shared.acknowledging.add(1, ordering: .acquiringAndReleasing)
            // Who waits for an enforcer to be there hears of it, even if it has confirmed all that there is.
            handlers.onChange(shared.released.load(ordering: .acquiring))
        }
        count { counters in
            counters.subscribers += 1
            if resumes { counters.resumes += 1 } else { counters.snapshots += 1 }
        }
        logger.info(
            "feed: subscriber \(subscriber.number) subscribed",
            metadata: ["acknowledges": "\(subscription.acknowledges)", "resumes": "\(resumes)"])
        pump(subscriber)
        if subscriber.selection != nil { updateReleased() }
    }

    /// Whether a subscriber can go on at `position`, where it is put then.
    private func resume(_ subscriber: Subscriber, _ position: FeedPosition?) -> Bool {
        let (identities, lastChange, _) = identitiesNow()
        guard let position, position.instance == instance, position.sequence <= recent.last,
            recent.canResume(after: position.sequence)
        else { return false }
        // Which identities were selected back then is known only if none has changed since.
        if subscriber.selection != nil, lastChange > position.sequence { return false }
        subscriber.selection?.reset(to: identities.values)
        if subscriber.acknowledged != nil { subscriber.acknowledged = position.sequence }
        subscriber.sent = position.sequence
        subscriber.phase = .live
        return true
    }
}
