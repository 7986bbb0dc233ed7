import DNSWire
import FQDNCache
import FQDNPolicy

/// What comes back from upstreams, or does not.
extension Pipeline {
    /// Takes a datagram that came to the upstream socket at `socket`.
    mutating func receive(_ message: Span<UInt8>, socket: Int, turn: Turn, listeners: inout Listeners) {
        guard let header = Header(message), header.flags.contains(.response), header.flags.opcode == .query,
            let (place, slot) = exchanges.find(socket: socket, id: header.id),
            let attempt = exchanges.places[place].running[slot]
        else {
            // The right answer may still come: what is wrong is ignored (RFC 5452, section 9.1).
            counters.upstreamMismatches += 1
            return
        }
        if attempt.hasEDNS, header.refusesWithoutQuestion {
            ended(place, slot: slot, attempt, now: turn.now)
            guard !exchanges.places[place].isAnswered else { return carryOn(place, turn: turn, listeners: &listeners) }
            counters.upstreamErrors += 1
            repeatWithoutEDNS(attempt, place: place, slot: slot, now: turn.now)
            return
        }
        let echo = QuestionEcho.compare(
            message, with: exchanges.places[place].message, end: exchanges.places[place].questionEnd, mask: attempt.mask
        )
        guard echo != .none else {
            counters.upstreamMismatches += 1
            return
        }
        let hasOtherCase = attempt.isMasked && echo == .otherCase
        if attempt.isMasked { health.echoed(attempt.server, exactly: !hasOtherCase, now: turn.now) }
        if hasOtherCase { counters.upstreamCaseChanges += 1 }
        guard !exchanges.places[place].isAnswered, hasOtherCase || header.flags.contains(.truncated) else {
            accept(message, place: place, slot: slot, turn: turn, listeners: &listeners)
            return
        }
        // A forger could have sent it, or it did not fit: a connection settles both.
        ended(place, slot: slot, attempt, now: turn.now)
        repeatOverStream(attempt, place: place, slot: slot, now: turn.now)
    }

    /// Takes what became of a question that was sent over a connection.
    mutating func receive(_ answer: StreamAnswer, for id: ExchangeID, turn: Turn, listeners: inout Listeners) {
        guard let (place, slot) = exchanges.find(id), let attempt = exchanges.places[place].running[slot] else {
            return
        }
        if case .message(let message) = answer, let header = Header(message.span), header.flags.contains(.response),
            header.flags.opcode == .query
        {
            if attempt.hasEDNS, !exchanges.places[place].isAnswered, header.refusesWithoutQuestion {
                ended(place, slot: slot, attempt, now: turn.now)
                counters.upstreamErrors += 1
                repeatWithoutEDNS(attempt, place: place, slot: slot, now: turn.now)
                return
            }
            let echo = QuestionEcho.compare(
                message.span, with: exchanges.places[place].message, end: exchanges.places[place].questionEnd,
                mask: attempt.mask)
            if !header.flags.contains(.truncated), echo != .none {
                accept(message.span, place: place, slot: slot, turn: turn, listeners: &listeners)
                return
            }
        }
        counters.upstreamErrors += 1
        if case .untrusted = answer { counters.upstreamUntrusted += 1 }
        failed(place, slot: slot, attempt, now: turn.now)
        carryOn(place, turn: turn, listeners: &listeners)
    }

    /// Takes a response that belongs to the attempt at `slot` of the exchange at `place`, which ends with it.
    private mutating func accept(
        _ response: Span<UInt8>, place: Int, slot: Int, turn: Turn, listeners: inout Listeners
    ) {
        guard exchanges.has(place), let attempt = exchanges.places[place].running[slot] else { return }
        // A server that fails one name is not down: it may well know the next one.
        ended(place, slot: slot, attempt, now: turn.now)
        guard !exchanges.places[place].isAnswered else { return carryOn(place, turn: turn, listeners: &listeners) }
        restoreQuestion(of: exchanges.places[place])
        var image = takeImage()
        var span = image.mutableSpan
        let accepted: Accepted?
        if let departure = exchanges.places[place].departure {
            let whole = [UInt8](copying: response) + departure.aliases
            accepted = store(whole.span, aliases: response.count, isLocal: false, now: turn.now, output: &span)
        } else {
            accepted = store(response, isLocal: false, now: turn.now, output: &span)
        }
        if let accepted, accepted.failure == nil {
            if attempt.hasEDNS { health.acceptedEDNS(attempt.server) }
            if attempt.isFallback { health.refusedEDNS(attempt.server, now: turn.now) }
            while let waiter = exchanges.popWaiter(place) {
                reply(
                    to: waiter, stored: accepted.stored, outcome: waiter.isCoalesced ? .coalesced : .upstream,
                    image: span.span, turn: turn, listeners: &listeners)
            }
            self.image = image
            conclude(place)
            return
        }
        self.image = image
        counters.upstreamErrors += 1
        if attempt.hasEDNS, let code = accepted?.failure, refusesEDNS(response, code) {
            repeatWithoutEDNS(attempt, place: place, slot: slot, now: turn.now)
        } else {
            exchanges.places[place].isRefused = true
            carryOn(place, turn: turn, listeners: &listeners)
        }
    }

    /// Whether `response`, with that code, says that its server does not know EDNS (RFC 6891, section 7): a code for it
    /// and no OPT record, or a version of EDNS that we did not use.
    private func refusesEDNS(_ response: Span<UInt8>, _ code: ResponseCode) -> Bool {
        guard code == .formatError || code == .notImplemented else { return code == .badVersion }
        guard let header = Header(response) else { return false }
        var owner = NameBuffer()
        var cursor = MessageCursor()
        for _ in 0..<header.questionCount { _ = cursor.readQuestion(response, into: &owner) }
        let count = Int(header.answerCount) + Int(header.authorityCount) + Int(header.additionalCount)
        for _ in 0..<count {
            let record = cursor.readRecord(response, owner: &owner)
            guard cursor.isValid else { break }
            if record.type == .opt { return false }
        }
        return true
    }

    /// Goes on with an exchange one of whose attempts has ended without a good answer: waits for the other one, or asks
    /// again, or gives the exchange up when its time or its attempts are spent. Servers that answer with an error would
    /// only repeat it, so then every server is asked once.
    private mutating func carryOn(_ place: Int, turn: Turn, listeners: inout Listeners) {
        guard exchanges.has(place), !exchanges.places[place].isRunning else { return }
        guard !exchanges.places[place].isAnswered else { return exchanges.remove(place) }
        let exchange = exchanges.places[place]
        let servers = serverCount(of: exchange.route)
        let isExhausted = exchange.isRefused && exchange.tried.nonzeroBitCount >= servers
        let limit = min(UpstreamTiming.attempts, UpstreamTiming.attemptsPerServer * servers)
        guard !isExhausted, exchange.attempts < limit, turn.now < exchange.giveUp,
            exchange.isWanted, attempt(place, now: turn.now)
        else {
            let error: ExtendedError = exchange.isRefused ? .networkError : .noReachableAuthority
            giveUp(place, error: error, turn: turn, listeners: &listeners)
            return
        }
    }

    /// Servers of the route with this index; none when it is gone.
    func serverCount(of route: Int) -> Int {
        routing.places.indices.contains(route) ? routing.places[route].count : 0
    }

    /// Does what time has come for: ends attempts, asks second servers, answers with what is past its lifetime.
    mutating func expireAttempts(turn: Turn, listeners: inout Listeners) {
        while let (place, event) = exchanges.popAlarm(now: turn.now) {
            switch event {
            case .timeout(let number):
                guard let slot = exchanges.places[place].slot(ofAttempt: number),
                    let attempt = exchanges.places[place].running[slot]
                else { continue }
                counters.upstreamTimeouts += 1
                failed(place, slot: slot, attempt, now: turn.now)
                carryOn(place, turn: turn, listeners: &listeners)
            case .late(let number):
                guard let slot = exchanges.places[place].slot(ofAttempt: number),
                    let server = exchanges.places[place].running[slot]?.server
                else { continue }
                exchanges.places[place].running[slot]?.isLate = true
                health.isLate(server)
                race(place, now: turn.now)
            case .clientResponse:
                answerOverdue(place, turn: turn, listeners: &listeners)
            }
        }
    }

    /// Takes the news that nobody listens behind the upstream socket at `socket` (an ICMP error).
    mutating func refuse(socket: Int, turn: Turn, listeners: inout Listeners) {
        for (place, slot) in exchanges.attempts(onSocket: socket) {
            guard let attempt = exchanges.places[place].running[slot], attempt.socket == socket else { continue }
            counters.upstreamErrors += 1
            failed(place, slot: slot, attempt, now: turn.now)
            carryOn(place, turn: turn, listeners: &listeners)
        }
    }

    /// Ends an attempt that got an answer.
    private mutating func ended(_ place: Int, slot: Int, _ attempt: Attempt, now: Moment) {
        let elapsed = now.nanoseconds(since: attempt.started)
        durations.upstreams.add(elapsed)
        hasNewDurations = true
        health.succeeded(attempt.server, now: now, elapsed: elapsed)
        release(place, slot: slot)
    }

    /// Ends an attempt that got none.
    private mutating func failed(_ place: Int, slot: Int, _ attempt: Attempt, now: Moment) {
        if !attempt.isUnsent { health.failed(attempt.server, started: attempt.started, now: now) }
        release(place, slot: slot)
    }

    /// Ends an attempt and gives back what it used.
    mutating func release(_ place: Int, slot: Int) {
        guard let attempt = exchanges.end(place, slot: slot) else { return }
        health.ended(attempt.server, wasLate: attempt.isLate)
        if attempt.socket >= 0 { upstreams.release(attempt.socket) }
    }
}

extension Header {
    /// Whether this is all of an answer that refuses the query and does not even repeat its question, as servers
    /// without EDNS may answer a query with an OPT record.
    fileprivate var refusesWithoutQuestion: Bool {
        questionCount == 0 && (flags.responseCode == .formatError || flags.responseCode == .notImplemented)
    }
}
