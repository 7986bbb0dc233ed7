import CLinux
import DNSWire
import FQDNCache
import FQDNPolicy
import Glibc

/// The patience with upstreams.
enum UpstreamTiming {
    /// Nanoseconds that one attempt over UDP may take.
    static let datagramAttempt: Int64 = 800_000_000
    /// Nanoseconds that one attempt over a connection may take.
    static let streamAttempt: Int64 = 2_000_000_000
    /// Nanoseconds after which an exchange starts no further attempt; clients give up after 5 s by default.
    static let exchange: Int64 = 4_000_000_000
    /// Attempts of one exchange at most, so that the last server of a long list is still reached.
    static let attempts = 5
    /// Seconds that a failure is remembered, so that clients that repeat do not become upstream traffic (RFC 9520,
    /// section 3.2: at least 1 s, at most 5 min).
    static let failureLifetime: UInt32 = 2
}

extension Pipeline {
    /// Starts an exchange about the question at hand and returns its place.
    mutating func begin(key: AnswerKey, hash: UInt64, route: Int, turn: Turn) -> Int {
        let exchange = ExchangeTable.Exchange(
            message: upstreamMessage(key: key), key: hash, answerKey: key, route: route, server: -1, tried: 0,
            giveUp: turn.now.adding(nanoseconds: UpstreamTiming.exchange))
        let place = exchanges.insert(exchange)
        attempt(place, now: turn.now)
        return place
    }

    /// The query that upstreams get: the name in lower case, RD, our own OPT record with the client's DO, its CD, and
    /// nothing else of what the client sent.
    private func upstreamMessage(key: AnswerKey) -> [UInt8] {
        let length = Header.length + name.count + 4 + EDNS.emptyLength
        var flags: HeaderFlags = [.recursionDesired, .authenticData]
        if key.options.contains(.checkingDisabled) { flags.insert(.checkingDisabled) }
        var message = [UInt8](repeating: 0, count: length)
        var span = message.mutableSpan
        Header(id: 0, flags: flags, additionalCount: 1).write(to: &span)
        let bytes = name.span
        for index in bytes.indices { message[Header.length + index] = bytes[index] }
        func put(_ value: UInt16, at offset: Int) {
            message[offset] = UInt8(truncatingIfNeeded: value >> 8)
            message[offset + 1] = UInt8(truncatingIfNeeded: value)
        }
        let end = Header.length + name.count
        put(key.type.rawValue, at: end)
        put(key.recordClass.rawValue, at: end + 2)
        put(RecordType.opt.rawValue, at: end + 5)
        put(UInt16(EDNS.ownPayloadSize), at: end + 7)
        message[end + 11] = key.options.contains(.dnssecOK) ? 0x80 : 0
        return message
    }

    /// Sends the question of the exchange at `place` to the next server; what cannot be sent counts as an attempt
    /// whose time is up at once.
    private mutating func attempt(_ place: Int, now: Moment) {
        guard var exchange = exchanges[place] else { return }
        let route = shared.routes.routes[exchange.route]
        let range = shared.serverRanges[exchange.route]
        var next = health.next(range, route: exchange.route, policy: route.policy, tried: exchange.tried, now: now)
        if next == nil {
            exchange.tried = 0
            next = health.next(range, route: exchange.route, policy: route.policy, tried: 0, now: now)
        }
        guard let next else { return }
        exchange.tried |= 1 << UInt64(next & 63)
        exchange.server = range.lowerBound + next
        exchange.attempts += 1
        exchanges[place] = exchange
        counters.upstreamQueries += 1
        if shared.servers[exchange.server].transport == .tcp {
            askOverStream(place, now: now)
        } else {
            askOverDatagram(place, now: now)
        }
    }

    /// Sends the question as a datagram, under a random ID from a random port (RFC 5452, section 9.2).
    private mutating func askOverDatagram(_ place: Int, now: Moment) {
        guard let exchange = exchanges[place] else { return }
        guard let socket = try? upstreams.acquire(server: exchange.server, epoll: epoll, token: Token.ofUpstream) else {
            _ = exchanges.startAttempt(place, socket: -1, id: 0, deadline: now)
            return
        }
        var id = UInt16.random(in: .min ... .max)
        while exchanges.find(socket: socket.index, id: id) != nil { id &+= 1 }
        _ = exchanges.startAttempt(
            place, socket: socket.index, id: id, deadline: now.adding(nanoseconds: UpstreamTiming.datagramAttempt))
        setID(id, place)
        let message = exchanges[place]?.message ?? []
        _ = unsafe message.withUnsafeBytes {
            unsafe Glibc.send(socket.fd, $0.baseAddress, $0.count, Int32(MSG_DONTWAIT))
        }
        // A send that fails (unreachable, full buffer) looks like a lost datagram and ends the same way.
    }

    /// Sends the question over a connection; its answer comes back through the mailbox.
    private mutating func askOverStream(_ place: Int, now: Moment) {
        let deadline = now.adding(nanoseconds: UpstreamTiming.streamAttempt)
        let id = exchanges.startAttempt(place, socket: -1, id: 0, deadline: deadline)
        guard let exchange = exchanges[place] else { return }
        let mailbox = mailbox
        shared.streams.ask(shared.servers[exchange.server].address, message: exchange.message) { message in
            mailbox.post(.upstreamAnswer(exchange: id, message: message))
        }
    }

    /// Writes the ID of an attempt into the exchange's message.
    private mutating func setID(_ id: UInt16, _ place: Int) {
        guard var exchange = exchanges[place] else { return }
        exchanges[place] = nil
        exchange.message[0] = UInt8(truncatingIfNeeded: id >> 8)
        exchange.message[1] = UInt8(truncatingIfNeeded: id)
        exchanges[place] = exchange
    }

    /// Takes a datagram that came to the upstream socket at `socket`.
    mutating func receive(_ message: Span<UInt8>, socket: Int, turn: Turn, listeners: inout Listeners) {
        guard let header = Header(message), header.flags.contains(.response), header.flags.opcode == .query,
            let place = exchanges.find(socket: socket, id: header.id), let exchange = exchanges[place],
            echoesQuestion(message, of: exchange)
        else {
            // The right answer may still come: what is wrong is ignored (RFC 5452, section 9.1).
            counters.upstreamMismatches += 1
            return
        }
        endAttempt(place)
        if header.flags.contains(.truncated) {
            counters.upstreamQueries += 1
            askOverStream(place, now: turn.now)
            return
        }
        accept(message, place: place, turn: turn, listeners: &listeners)
    }

    /// Takes what came over a connection for the exchange `id`; nil when the connection failed.
    mutating func receive(_ message: [UInt8]?, for id: ExchangeID, turn: Turn, listeners: inout Listeners) {
        guard exchanges.contains(id), let exchange = exchanges[id.index] else { return }
        endAttempt(id.index)
        guard let message, let header = Header(message.span), header.flags.contains(.response),
            header.flags.opcode == .query, !header.flags.contains(.truncated),
            echoesQuestion(message.span, of: exchange)
        else {
            counters.upstreamErrors += 1
            health.failed(exchange.server, now: turn.now)
            retry(id.index, turn: turn, listeners: &listeners)
            return
        }
        accept(message.span, place: id.index, turn: turn, listeners: &listeners)
    }

    /// Whether `response` has exactly the one question of `exchange`, byte for byte.
    private func echoesQuestion(_ response: Span<UInt8>, of exchange: ExchangeTable.Exchange) -> Bool {
        let sent = exchange.message.span
        let end = sent.count - EDNS.emptyLength
        guard response.count >= end else { return false }
        for index in 4..<6 where response[index] != sent[index] { return false }
        for index in Header.length..<end where response[index] != sent[index] { return false }
        return true
    }

    /// Takes a response that belongs to the exchange at `place`, whose attempt has ended.
    private mutating func accept(_ response: Span<UInt8>, place: Int, turn: Turn, listeners: inout Listeners) {
        guard let exchange = exchanges[place] else { return }
        restoreQuestion(of: exchange)
        // A server that fails one name is not down: it may well know the next one.
        health.succeeded(exchange.server)
        var image = takeImage()
        var span = image.mutableSpan
        let accepted = store(response, isLocal: false, now: turn.now, output: &span)
        if let accepted, !accepted.isFailure {
            while let waiter = exchanges.popWaiter(place) {
                reply(to: waiter, stored: accepted.stored, image: span.span, turn: turn, listeners: &listeners)
            }
            exchanges.remove(place)
            self.image = image
        } else {
            self.image = image
            counters.upstreamErrors += 1
            retry(place, isRefused: true, turn: turn, listeners: &listeners)
        }
    }

    /// Asks again, or gives the exchange up when its time or its attempts are spent. A server that has answered with
    /// an error (`isRefused`) would only repeat it, so then every server is asked once.
    private mutating func retry(_ place: Int, isRefused: Bool = false, turn: Turn, listeners: inout Listeners) {
        guard let exchange = exchanges[place] else { return }
        let isExhausted = isRefused && exchange.attempts >= shared.serverRanges[exchange.route].count
        guard !isExhausted, exchange.attempts < UpstreamTiming.attempts, turn.now < exchange.giveUp,
            exchange.firstWaiter >= 0
        else {
            giveUp(place, error: isRefused ? .networkError : .noReachableAuthority, turn: turn, listeners: &listeners)
            return
        }
        attempt(place, now: turn.now)
    }

    /// Ends attempts whose time is up.
    mutating func expireAttempts(turn: Turn, listeners: inout Listeners) {
        while let place = exchanges.popExpired(now: turn.now) {
            guard let exchange = exchanges[place] else { continue }
            counters.upstreamTimeouts += 1
            health.failed(exchange.server, now: turn.now)
            endAttempt(place)
            retry(place, turn: turn, listeners: &listeners)
        }
    }

    /// Takes the news that nobody listens behind the upstream socket at `socket` (an ICMP error).
    mutating func refuse(socket: Int, turn: Turn, listeners: inout Listeners) {
        for place in exchanges.exchanges(onSocket: socket) {
            guard let exchange = exchanges[place] else { continue }
            counters.upstreamErrors += 1
            health.failed(exchange.server, now: turn.now)
            endAttempt(place)
            retry(place, turn: turn, listeners: &listeners)
        }
    }

    /// Ends the current attempt of an exchange and gives its socket back.
    private mutating func endAttempt(_ place: Int) {
        let socket = exchanges.endAttempt(place)
        if socket >= 0 { upstreams.release(socket) }
    }

    /// Ends an exchange that no upstream answered: with an answer past its lifetime if there is one, else SERVFAIL,
    /// remembered for a moment.
    private mutating func giveUp(
        _ place: Int, error: ExtendedError, turn: Turn, listeners: inout Listeners
    ) {
        guard let exchange = exchanges[place] else { return }
        counters.upstreamFailures += 1
        restoreQuestion(of: exchange)
        var image = takeImage()
        defer { self.image = image }
        var span = image.mutableSpan
        let known = shared.cache.lookup(name, exchange.answerKey, now: turn.now, allowStale: true, into: &span)
        if let known, known.kind != .failure {
            // Fresh after all when another worker has got it meanwhile.
            let stored = known.isStale ? StoredImage.stale(known, now: turn.now) : StoredImage(known)
            while let waiter = exchanges.popWaiter(place) {
                if known.isStale { counters.staleAnswers += 1 }
                reply(to: waiter, stored: stored, image: span.span, turn: turn, listeners: &listeners)
            }
        } else {
            rememberFailure(of: exchange, turn: turn)
            while let waiter = exchanges.popWaiter(place) {
                adopt(waiter)
                let question = waiter.question
                listeners.reply(to: waiter.sender) { output in
                    let length = fail(
                        &output, question: question.span.extracting(0..<(waiter.query.question.end - Header.length)),
                        transport: waiter.transport, error: error)
                    count(response: output[3])
                    return length
                }
            }
        }
        exchanges.remove(place)
    }

    /// Caches the failure of an exchange (RFC 9520).
    private mutating func rememberFailure(of exchange: ExchangeTable.Exchange, turn: Turn) {
        var flags: HeaderFlags = [.response]
        flags.responseCode = .serverFailure
        var failure = [UInt8](exchange.message.dropLast(EDNS.emptyLength))
        var span = failure.mutableSpan
        Header(id: 0, flags: flags).write(to: &span)
        let stored = StoredAnswer(kind: .failure, lifetime: UpstreamTiming.failureLifetime)
        let none: [UInt16] = []
        shared.cache.insert(
            name, exchange.answerKey, image: failure.span, ttlOffsets: none.span, stored, now: turn.now)
    }

    /// Sends one waiting client the answer in `image`.
    private mutating func reply(
        to waiter: ExchangeTable.Waiter, stored: StoredImage, image: Span<UInt8>, turn: Turn,
        listeners: inout Listeners
    ) {
        adopt(waiter)
        let question = waiter.question
        listeners.reply(to: waiter.sender) { output in
            for index in 0..<min(stored.length, output.count) { output[index] = image[index] }
            let length = learnAndFinish(
                &output, answer: stored,
                question: question.span.extracting(0..<(waiter.query.question.end - Header.length)),
                client: waiter.client, transport: waiter.transport, turn: turn, sender: { waiter.sender })
            if length > 0 { count(response: output[3]) }
            return length
        }
    }

    /// Takes the room for an image out, to be put back by whoever took it.
    mutating func takeImage() -> [UInt8] {
        var taken: [UInt8] = []
        swap(&taken, &image)
        return taken.isEmpty ? [UInt8](repeating: 0, count: 65_535) : taken
    }

    /// Makes a waiting client's query the one at hand; its name already is.
    private mutating func adopt(_ waiter: ExchangeTable.Waiter) {
        query = waiter.query
    }

    /// Makes the question of `exchange` the one at hand.
    private mutating func restoreQuestion(of exchange: ExchangeTable.Exchange) {
        var cursor = MessageCursor()
        query.question = cursor.readQuestion(exchange.message.span, into: &name)
        query.header.flags = exchange.answerKey.options.contains(.checkingDisabled) ? .checkingDisabled : []
        query.edns = nil
        if exchange.answerKey.options.contains(.dnssecOK) { query.edns = EDNS(dnssecOK: true) }
    }
}
