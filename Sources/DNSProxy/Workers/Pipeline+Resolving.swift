import DNSWire
import FQDNCache
import FQDNPolicy

extension Pipeline {
    /// Looks for the answer that the cache does not have: in the local records, else at an upstream. Returns the
    /// finished reply, or nil when the client has to wait for it.
    ///
    /// A query that another worker has passed on (`isSteered`) stays here, whatever that one has begun meanwhile.
    mutating func resolve(
        _ message: Span<UInt8>, from origin: QueryOrigin, turn: Turn, output: inout MutableSpan<UInt8>,
        isSteered: Bool = false, sender: () -> Sender
    ) -> Ending? {
        let question = message.extracting(Header.length..<query.question.end)
        let path: UpstreamPath
        switch resolveLocally(turn: turn, output: &output) {
        case .answer(let answer):
            counters.localAnswers += 1
            return learnAndFinish(
                &output, answer: answer, outcome: .local, question: question, from: origin, turn: turn, sender: sender)
        case .nowhere:
            let length = fail(
                &output, question: question, transport: origin.transport, error: .noReachableAuthority)
            return Ending(length, .failed)
        case .upstream(let found):
            path = found
        }
        let key = answerKey
        let hash = exchangeKey(key)
        let running = exchanges.find(key: hash, isSame: { isQuestion(of: $0, key: key) })
        var isListed = false
        if running == nil {
            let owner = shared.directory.claim(hash, for: number)
            if let owner, owner != number, !isSteered,
                shared.mailboxes[owner].post(
                    .steered(sender: sender(), origin: origin, message: [UInt8](copying: message)))
            {
                counters.countSteered(over: origin.transport)
                return nil
            }
            isListed = owner == nil
        }
        // Another worker may have got it since the look that brought us here; or there is one past its lifetime.
        let known = running == nil || exchanges.places[running ?? 0].isOverdue ? lookUpOverdue(turn, &output) : nil
        var mayAsk = running == nil
        if let known, known.isStale, running == nil {
            mayAsk = shared.cache.claimRefresh(
                name, key, now: turn.now, seconds: UpstreamTiming.failureRecheck)
        }
        if let known, !known.isStale || !mayAsk || !exchanges.hasRoom {
            if isListed { shared.directory.release(hash, by: number) }
            if known.isStale { counters.staleAnswers += 1 }
            let stored = known.isStale ? StoredImage.stale(known, now: turn.now) : StoredImage(known)
            return learnAndFinish(
                &output, answer: stored, outcome: known.isStale ? .stale : .hit, question: question, from: origin,
                turn: turn, sender: sender)
        }
        // Who makes room may be the last that waited for the same.
        guard hasRoomToWait(origin.client),
            running.map({ exchanges.isJoinable($0) }) ?? hasRoomToAsk(path.route, for: origin.client)
        else {
            if isListed { shared.directory.release(hash, by: number) }
            let length = fail(&output, question: question, transport: origin.transport, error: .notReady)
            return Ending(length, .overloaded)
        }
        if running != nil { counters.coalesced += 1 }
        let place =
            running
            ?? begin(key: key, hash: hash, path: path, isWanted: true, isListed: isListed, turn: turn)
        if known != nil { setClientResponseTimer(place, now: turn.now) }
        var asked = InlineArray<259, UInt8>(repeating: 0)
        var room = asked.mutableSpan
        room.copy(question, at: 0)
        exchanges.join(
            place,
            Waiter(
                sender: sender(), origin: origin, isCoalesced: running != nil, query: query, question: asked))
        return nil
    }

    /// Handles a query that another worker has passed on because its question is with an upstream here: what it has
    /// decided and counted is not done again. Returns the length of the reply, or 0.
    mutating func handleSteered(
        _ message: Span<UInt8>, from origin: QueryOrigin, turn: Turn, output: inout MutableSpan<UInt8>,
        sender: () -> Sender
    ) -> Int {
        guard case .accept = query.decode(message, name: &name) else {
            // The other worker has accepted the same bytes.
            drop(message, of: origin, .notQuery, turn: turn)
            return 0
        }
        prepareOptions(client: origin.client, transport: origin.transport)
        let ending = resolve(
            message, from: origin, turn: turn, output: &output, isSteered: true, sender: sender)
        guard let ending else { return 0 }
        endLate(
            ending.outcome, of: origin, reply: output.span.extracting(0..<ending.length), times: FlowTimes(), turn: turn
        )
        return ending.length
    }

    /// Renews the cached answer to the query at hand, which is about to expire, unless somebody does so already.
    mutating func renew(turn: Turn) {
        let key = answerKey
        guard exchanges.hasRoom,
            shared.cache.claimRefresh(name, key, now: turn.now, seconds: UpstreamTiming.prefetchRecheck)
        else { return }
        // A local record is read again from its zone and never asked of an upstream.
        var image = takeImage()
        var span = image.mutableSpan
        let step = resolveLocally(turn: turn, output: &span)
        self.image = image
        guard case .upstream(let path) = step, hasRoomToAsk(path.route, for: nil) else { return }
        let hash = exchangeKey(key)
        guard exchanges.find(key: hash, isSame: { isQuestion(of: $0, key: key) }) == nil,
            shared.directory.claim(hash, for: number) == nil
        else { return }
        let place = begin(key: key, hash: hash, path: path, isWanted: false, isListed: true, turn: turn)
        // The answer may expire before the new one is there.
        setClientResponseTimer(place, now: turn.now)
    }

    /// Has the exchange at `place` answer with what the cache has, if only past its lifetime, once clients have waited
    /// long enough.
    private mutating func setClientResponseTimer(_ place: Int, now: Moment) {
        exchanges.setAlarm(place, .clientResponse, at: now.adding(nanoseconds: UpstreamTiming.clientResponse))
    }

    /// Looks for the answer to the query at hand, and takes one past its lifetime; never a failure.
    private mutating func lookUpOverdue(_ turn: Turn, _ output: inout MutableSpan<UInt8>) -> AnswerHit? {
        let hit = turn.shared.cache.lookup(name, answerKey, now: turn.now, allowStale: true, into: &output)
        return hit?.kind == .failure ? nil : hit
    }

    /// Where the answer to a question is to be had.
    private enum Step {
        /// It is here.
        case answer(StoredImage)
        /// It is asked of an upstream.
        case upstream(UpstreamPath)
        /// Nobody knows the name.
        case nowhere
    }

    /// Answers from the local records, into `output` and the cache, or tells who else is to be asked. An alias that
    /// leads out of the local zones is followed where there is an upstream for its target, and is all of the answer
    /// where there is none.
    private mutating func resolveLocally(turn: Turn, output: inout MutableSpan<UInt8>) -> Step {
        var scratch = self.scratch
        self.scratch = []
        defer { self.scratch = scratch }
        var span = scratch.mutableSpan
        if let local = turn.snapshot.zones.respond(question: name, type: query.question.type, into: &span) {
            if let departure = local.departure, let route = routing.route(for: NameBuffer(departure.target)) {
                return .upstream(UpstreamPath(route: route, departure: departure))
            }
            let response = scratch.span.extracting(0..<local.length)
            if let kept = store(response, isLocal: true, now: turn.now, output: &output) {
                return .answer(kept.stored)
            }
        }
        guard let route = routing.route(for: name) else { return .nowhere }
        return .upstream(UpstreamPath(route: route))
    }

    /// An answer that has been taken apart and, if it may be, cached.
    struct Accepted {
        /// The answer.
        var stored: StoredImage
        /// The code of an answer that says no more than that the upstream failed.
        var failure: ResponseCode?
    }

    /// Takes `response` to the question at hand apart, caches what is left of it, and writes that into `output`;
    /// nil when the response cannot be believed. From `aliases` on there are records of local aliases behind it.
    mutating func store(
        _ response: Span<UInt8>, aliases: Int? = nil, isLocal: Bool, now: Moment, output: inout MutableSpan<UInt8>
    ) -> Accepted? {
        let key = answerKey
        var result = scrubber.scrub(response, question: name, type: key.type, aliases: aliases, into: &output)
        if case .malformed(.wire(.noRoom)) = result.outcome, output.count < 65_535 {
            // The reply buffer of a datagram is small; the whole answer goes to the cache all the same.
            return storeLarge(response, aliases: aliases, isLocal: isLocal, now: now, output: &output)
        }
        if case .malformed = result.outcome { return nil }
        if !isLocal { counters.upstreamRecordsDropped += UInt64(result.dropped) }
        result.length = min(result.length, output.count)
        return keep(result, key: key, isLocal: isLocal, now: now, image: &output)
    }

    /// Like `store`, for an answer that does not fit `output`, which gets its beginning.
    private mutating func storeLarge(
        _ response: Span<UInt8>, aliases: Int?, isLocal: Bool, now: Moment, output: inout MutableSpan<UInt8>
    ) -> Accepted? {
        var large = [UInt8](repeating: 0, count: 65_535)
        var span = large.mutableSpan
        guard let accepted = store(response, aliases: aliases, isLocal: isLocal, now: now, output: &span) else {
            return nil
        }
        output.copy(span.span.extracting(0..<output.count), at: 0)
        return accepted
    }

    /// Bounds the TTLs of the image that the scrubber has just written and caches it.
    private mutating func keep(
        _ result: ScrubResult, key: AnswerKey, isLocal: Bool, now: Moment, image: inout MutableSpan<UInt8>
    ) -> Accepted {
        let kind: AnswerKind =
            switch result.outcome {
            case .answer: isLocal ? .local : .positive
            case .noData: .noData
            case .nameError: .nameError
            case .failure, .malformed: .failure
            }
        if isLocal { image[2] |= UInt8(HeaderFlags.authoritative.rawValue >> 8) }
        let lifetime = shared.ttlPolicy.apply(
            to: &image, ttlOffsets: scrubber.ttlOffsets.span, kind: kind, negativeTTL: result.negativeTTL ?? .max)
        let carriesAddresses = !scrubber.addresses.isEmpty
        // A client may not keep an address for longer than the mapping is sure to live: that follows the shortest TTL.
        if carriesAddresses {
            image.lowerTTLs(at: scrubber.ttlOffsets.span, to: lifetime)
            scrubber.setAddressTTLs(to: lifetime)
        }
        var serial: UInt64 = 0
        if result.isCacheable, lifetime > 0 {
            let coversEveryType = kind == .nameError && scrubber.aliases.isEmpty
            let stored = StoredAnswer(
                kind: kind, lifetime: lifetime, staleLifetime: shared.serveStale, carriesAddresses: carriesAddresses)
            serial =
                shared.cache.insert(
                    name, coversEveryType ? key.coveringEveryType : key,
                    image: image.span.extracting(0..<result.length),
                    ttlOffsets: scrubber.ttlOffsets.span, stored, now: now) ?? 0
        }
        // A TTL of 0 says that this is all there is to know, and that what the cache has is older.
        if result.isCacheable, lifetime == 0 { shared.cache.remove(name, key) }
        var failure: ResponseCode?
        if case .failure(let code) = result.outcome { failure = code }
        return Accepted(
            stored: StoredImage(
                length: result.length, serial: serial, kind: kind, lifetime: lifetime,
                carriesAddresses: carriesAddresses,
                isAtHand: scrubber.addresses.count <= shared.learning.addressLimit, now: now),
            failure: failure)
    }

    /// SERVFAIL to the query at hand.
    mutating func fail(
        _ output: inout MutableSpan<UInt8>, question: Span<UInt8>, transport: QueryTransport, error: ExtendedError
    ) -> Int {
        Reply.empty(
            &output, code: .serverFailure, query: query, options: options, question: question,
            limit: Reply.limit(query, transport: transport), error: error)
    }

    /// The hash by which identical questions find each other.
    private func exchangeKey(_ key: AnswerKey) -> UInt64 {
        let word = UInt64(key.type.rawValue) << 8 | UInt64(key.options.rawValue)
        return (name.hash ^ word) &* 0x9E37_79B9_7F4A_7C15
    }

    /// Whether `exchange` is about the question at hand.
    private func isQuestion(of exchange: Exchange, key: AnswerKey) -> Bool {
        guard exchange.answerKey == key else { return false }
        if let departure = exchange.departure { return name.equals(departure.question.bytes.span) }
        guard exchange.message.count >= Header.length + name.count else { return false }
        return name.equals(exchange.message.span.extracting(Header.length..<(Header.length + name.count)))
    }
}

extension MutableSpan<UInt8> {
    /// Lowers every TTL at `offsets` that is above `limit` seconds to it.
    fileprivate mutating func lowerTTLs(at offsets: Span<UInt16>, to limit: UInt32) {
        for index in offsets.indices {
            let offset = Int(offsets[index])
            guard offset <= count - 4, span.uint32(at: offset) > limit else { continue }
            for byte in 0..<4 {
                self[offset + byte] = UInt8(truncatingIfNeeded: limit >> UInt32(24 - 8 * byte))
            }
        }
    }
}

extension AnswerKey {
    /// The key under which an NXDOMAIN stands for every type of its name.
    var coveringEveryType: AnswerKey {
        AnswerKey(type: AnswerKey.everyType, recordClass: recordClass, options: options)
    }
}
