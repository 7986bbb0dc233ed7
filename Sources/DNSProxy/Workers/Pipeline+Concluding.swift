import DNSWire
import FQDNCache
import FQDNPolicy

/// How exchanges end, and what those who wait get.
extension Pipeline {
    /// Ends an exchange whose clients have been answered. A slower attempt goes on without them, so that its server is
    /// known to be slow, and not taken to be down.
    mutating func conclude(_ place: Int) {
        guard exchanges.has(place) else { return }
        if exchanges.places[place].isListed {
            shared.directory.release(exchanges.places[place].key, by: number)
            exchanges.places[place].isListed = false
        }
        exchanges.hide(place)
        exchanges.places[place].isAnswered = true
        if !exchanges.places[place].isRunning { exchanges.remove(place) }
    }

    /// Gives those who have waited long enough what the cache has, if only past its lifetime, while the exchange goes
    /// on and renews it (RFC 8767, section 5).
    mutating func answerOverdue(_ place: Int, turn: Turn, listeners: inout Listeners) {
        guard exchanges.has(place) else { return }
        restoreQuestion(of: exchanges.places[place])
        exchanges.places[place].isOverdue = true
        _ = answerFromCache(place, turn: turn, listeners: &listeners)
    }

    /// Gives everybody who waits what the cache has, if only past its lifetime; false when it has nothing.
    private mutating func answerFromCache(_ place: Int, turn: Turn, listeners: inout Listeners) -> Bool {
        guard exchanges.has(place) else { return false }
        var image = takeImage()
        defer { self.image = image }
        var span = image.mutableSpan
        guard
            let known = shared.cache.lookup(
                name, exchanges.places[place].answerKey, now: turn.now, allowStale: true, into: &span),
            known.kind != .failure
        else { return false }
        // Fresh after all when it has come by another way meanwhile.
        let stored = known.isStale ? StoredImage.stale(known, now: turn.now) : StoredImage(known)
        while let waiter = exchanges.popWaiter(place) {
            if known.isStale { counters.staleAnswers += 1 }
            reply(
                to: waiter, stored: stored, outcome: known.isStale ? .stale : .hit, image: span.span, turn: turn,
                listeners: &listeners)
        }
        return true
    }

    /// Ends an exchange that no upstream answered: with an answer past its lifetime if there is one, else SERVFAIL,
    /// remembered for a moment.
    mutating func giveUp(_ place: Int, error: ExtendedError, turn: Turn, listeners: inout Listeners) {
        guard exchanges.has(place) else { return }
        let exchange = exchanges.places[place]
        counters.upstreamFailures += 1
        restoreQuestion(of: exchange)
        if !answerFromCache(place, turn: turn, listeners: &listeners) {
            rememberFailure(of: exchange, turn: turn)
            while let waiter = exchanges.popWaiter(place) {
                fail(waiter, as: .failed, error: error, turn: turn, listeners: &listeners)
            }
        }
        conclude(place)
    }

    /// Sends one waiting client SERVFAIL, which ends its query as `outcome`.
    mutating func fail(
        _ waiter: Waiter, as outcome: QueryOutcome, error: ExtendedError, turn: Turn, listeners: inout Listeners
    ) {
        adopt(waiter)
        listeners.reply(to: waiter.sender) { output in
            let length = fail(
                &output,
                question: waiter.question.span.extracting(0..<(waiter.query.question.end - Header.length)),
                transport: waiter.origin.transport, error: error)
            endLate(
                outcome, of: waiter.origin, reply: output.span.extracting(0..<length),
                times: FlowTimes(upstream: turn.now.nanoseconds(since: waiter.origin.arrived)), turn: turn)
            return length
        }
    }

    /// Caches the failure of an exchange (RFC 9520).
    private mutating func rememberFailure(of exchange: Exchange, turn: Turn) {
        var flags: HeaderFlags = [.response]
        flags.responseCode = .serverFailure
        var failure = [UInt8](repeating: 0, count: Header.length + name.count + 4)
        var span = failure.mutableSpan
        var builder = MessageBuilder(limit: span.count)
        builder.putQuestion(name, type: exchange.answerKey.type, to: &span)
        Header(id: 0, flags: flags).write(to: &span)
        let stored = StoredAnswer(kind: .failure, lifetime: UpstreamTiming.failureLifetime)
        let none: [UInt16] = []
        shared.cache.insert(
            name, exchange.answerKey, image: failure.span, ttlOffsets: none.span, stored, now: turn.now)
    }

    /// Sends one waiting client the answer in `image`, which ends its query as `outcome`.
    mutating func reply(
        to waiter: Waiter, stored: StoredImage, outcome: QueryOutcome, image: Span<UInt8>, turn: Turn,
        listeners: inout Listeners
    ) {
        adopt(waiter)
        listeners.reply(to: waiter.sender) { output in
            output.copy(image.extracting(0..<min(stored.length, output.count)), at: 0)
            let ending = learnAndFinish(
                &output, answer: stored, outcome: outcome,
                question: waiter.question.span.extracting(0..<(waiter.query.question.end - Header.length)),
                from: waiter.origin, turn: turn, sender: { waiter.sender })
            guard let ending else { return 0 }
            endLate(
                ending.outcome, of: waiter.origin, reply: output.span.extracting(0..<ending.length),
                times: FlowTimes(upstream: turn.now.nanoseconds(since: waiter.origin.arrived)), turn: turn)
            return ending.length
        }
    }

    /// Takes the room for an image out, to be put back by whoever took it.
    mutating func takeImage() -> [UInt8] {
        var taken: [UInt8] = []
        swap(&taken, &image)
        return taken.isEmpty ? [UInt8](repeating: 0, count: 65_535) : taken
    }

    /// Makes a waiting client's query the one at hand; its name already is.
    private mutating func adopt(_ waiter: Waiter) {
        query = waiter.query
        prepareOptions(client: waiter.origin.client, transport: waiter.origin.transport)
    }

    /// Makes the question of `exchange` the one at hand.
    mutating func restoreQuestion(of exchange: Exchange) {
        if let departure = exchange.departure {
            name.assign(departure.question)
            query.question = Question(
                type: exchange.answerKey.type, recordClass: exchange.answerKey.recordClass,
                end: Header.length + name.count + 4)
        } else {
            var cursor = MessageCursor()
            query.question = cursor.readQuestion(exchange.message.span, into: &name)
        }
        query.header.flags = exchange.answerKey.options.contains(.checkingDisabled) ? .checkingDisabled : []
        query.edns = nil
        if exchange.answerKey.options.contains(.dnssecOK) { query.edns = EDNS(dnssecOK: true) }
    }
}
