import CLinux
import DNSWire
import FQDNCache
import FQDNPolicy
import Glibc

/// How questions leave for upstreams.
extension Pipeline {
    /// In what manner a question is put to a server.
    private struct Manner {
        /// Over a connection rather than in a datagram.
        var isOverStream: Bool
        /// With our OPT record.
        var hasEDNS: Bool
        /// Again, because the server refused the OPT record.
        var isFallback = false
    }

    /// Starts an exchange about the question at hand and returns its place: upstreams are asked for the name that
    /// `path` leads to. `isWanted` when a client waits for it, `isListed` when other workers find it in the directory.
    mutating func begin(
        key: AnswerKey, hash: UInt64, path: UpstreamPath, isWanted: Bool, isListed: Bool, turn: Turn
    ) -> Int {
        budget.earn()
        let message: [UInt8]
        if let departure = path.departure {
            message = upstreamMessage(NameBuffer(departure.target), key: key)
        } else {
            message = upstreamMessage(name, key: key)
        }
        let place = exchanges.insert(
            Exchange(
                message: message, key: hash, answerKey: key, route: path.route, departure: path.departure,
                giveUp: turn.now.adding(nanoseconds: UpstreamTiming.exchange), isWanted: isWanted, isListed: isListed))
        if attempt(place, now: turn.now) { probe(place, now: turn.now) }
        return place
    }

    /// The query that upstreams get: the name in lower case, RD, our own OPT record with the client's DO, its CD, and
    /// nothing else of what the client sent.
    private func upstreamMessage(_ name: borrowing NameBuffer, key: AnswerKey) -> [UInt8] {
        var flags: HeaderFlags = [.recursionDesired, .authenticData]
        if key.options.contains(.checkingDisabled) { flags.insert(.checkingDisabled) }
        let end = Header.length + name.count
        var message = [UInt8](zeros: end + 4 + EDNS.emptyLength)
        var span = message.mutableSpan
        Header(id: 0, flags: flags, additionalCount: 1).write(to: &span)
        span.copy(name.span, at: Header.length)
        span.put16(key.type.rawValue, at: end)
        span.put16(key.recordClass.rawValue, at: end + 2)
        span.put16(RecordType.opt.rawValue, at: end + 5)
        span.put16(UInt16(EDNS.ownPayloadSize), at: end + 7)
        span[end + 11] = key.options.contains(.dnssecOK) ? 0x80 : 0
        return message
    }

    /// Puts the question of the exchange at `place` to the next server of its route; false when there is none that
    /// may be asked.
    mutating func attempt(_ place: Int, now: Moment) -> Bool {
        guard exchanges.has(place), let slot = exchanges.places[place].freeSlot else { return false }
        let route = exchanges.places[place].route
        guard routing.routes.indices.contains(route) else { return false }
        let places = routing.places[route]
        let policy = routing.routes[route].policy
        var next = health.next(places, route: route, policy: policy, tried: exchanges.places[place].tried)
        if next == nil {
            exchanges.places[place].tried = 0
            next = health.next(places, route: route, policy: policy, tried: 0)
        }
        guard let next else { return false }
        exchanges.places[place].tried |= 1 << UInt64(next)
        send(place, slot: slot, to: places[next], now: now)
        return true
    }

    /// Puts the question of the exchange at `place` to a second server as well, because the first one takes longer than
    /// it usually does: one that is up, and only while the budget for such questions lasts.
    mutating func race(_ place: Int, now: Moment) {
        guard exchanges.has(place), !exchanges.places[place].isAnswered, let slot = exchanges.places[place].freeSlot
        else {
            return
        }
        let route = exchanges.places[place].route
        guard routing.routes.indices.contains(route) else { return }
        let places = routing.places[route]
        let policy = routing.routes[route].policy
        guard
            let next = health.next(
                places, route: route, policy: policy, tried: exchanges.places[place].tried, onlyUp: true),
            budget.spend()
        else { return }
        counters.upstreamRaces += 1
        exchanges.places[place].tried |= 1 << UInt64(next)
        send(place, slot: slot, to: places[next], now: now)
    }

    /// Puts the question of the exchange at `place`, which is with a server that is up, to one that is down too if it
    /// is time to see how that does.
    private mutating func probe(_ place: Int, now: Moment) {
        guard exchanges.has(place), let slot = exchanges.places[place].freeSlot else { return }
        let route = exchanges.places[place].route
        guard routing.routes.indices.contains(route) else { return }
        let places = routing.places[route]
        let tried = exchanges.places[place].tried
        let server = exchanges.places[place].running.first?.server ?? exchanges.places[place].running.second?.server
        let isWithDown = server.map { !health.isUp($0) } ?? true
        guard !isWithDown,
            let due = places.indices.first(where: { index in
                tried & (1 << UInt64(index)) == 0 && health.isDue(places[index], now: now)
                    && health.hasRoom(places[index])
            })
        else { return }
        counters.upstreamProbes += 1
        exchanges.places[place].tried |= 1 << UInt64(due)
        send(place, slot: slot, to: places[due], now: now)
    }

    /// Sends the question of the exchange at `place` to `server`, in the way in which that is spoken to.
    private mutating func send(_ place: Int, slot: Int, to server: Int, now: Moment) {
        let manner = Manner(
            isOverStream: routing.servers[server].transport != .udp, hasEDNS: health.knowsEDNS(server, now: now))
        send(place, slot: slot, to: server, manner: manner, now: now)
    }

    /// Puts the question of `attempt` to the same server again, over a connection.
    mutating func repeatOverStream(_ attempt: Attempt, place: Int, slot: Int, now: Moment) {
        let manner = Manner(isOverStream: true, hasEDNS: attempt.hasEDNS, isFallback: attempt.isFallback)
        send(place, slot: slot, to: attempt.server, manner: manner, now: now)
    }

    /// Puts the question of `attempt` to the same server again, without our OPT record (RFC 6891, section 6.2.2).
    mutating func repeatWithoutEDNS(_ attempt: Attempt, place: Int, slot: Int, now: Moment) {
        let isOverStream = attempt.socket < 0
        send(
            place, slot: slot, to: attempt.server,
            manner: Manner(isOverStream: isOverStream, hasEDNS: false, isFallback: true), now: now)
    }

    /// Sends the question of the exchange at `place` to `server`; what cannot be sent counts as an attempt whose time
    /// is up at once.
    private mutating func send(_ place: Int, slot: Int, to server: Int, manner: Manner, now: Moment) {
        guard exchanges.has(place) else { return }
        exchanges.places[place].attempts += 1
        counters.upstreamQueries += 1
        health.began(server, now: now)
        let route = exchanges.places[place].route
        let hasOthers = routing.routes.indices.contains(route) && routing.places[route].count > 1
        let late = hasOthers ? now.adding(nanoseconds: health.patience(server)) : nil
        if manner.isOverStream {
            askOverStream(place, slot: slot, server: server, manner: manner, late: late, now: now)
        } else {
            askOverDatagram(place, slot: slot, server: server, manner: manner, late: late, now: now)
        }
    }

    /// Sends the question as a datagram, under a random ID, from a random port, in random case (RFC 5452, section 9.2).
    private mutating func askOverDatagram(
        _ place: Int, slot: Int, server: Int, manner: Manner, late: Moment?, now: Moment
    ) {
        let route = exchanges.places[place].route
        let isMasked =
            routing.routes.indices.contains(route) && routing.routes[route].randomizesCase
            && health.keepsCase(server, now: now)
        let nameLength = exchanges.places[place].questionEnd - 4 - Header.length
        let mask = isMasked ? CaseMask.random(length: nameLength) : .none
        let socket = try? upstreams.acquire(server: server, epoll: epoll, token: Token.ofUpstream)
        var id = UInt16.random(in: .min ... .max)
        if let socket {
            while exchanges.find(socket: socket.index, id: id) != nil { id &+= 1 }
        }
        let number = exchanges.places[place].attempts
        let attempt = Attempt(
            number: number, server: server, socket: socket?.index ?? -1, id: id, mask: mask,
            isMasked: isMasked, hasEDNS: manner.hasEDNS, isFallback: manner.isFallback, started: now,
            isUnsent: socket == nil)
        // When every server of the route has been asked, they get longer.
        let turn = min((number - 1) / max(serverCount(of: route), 1), UpstreamTiming.attemptsPerServer - 1)
        let patience = socket == nil ? 0 : UpstreamTiming.datagramAttempts[turn]
        let deadline = exchanges.places[place].deadline(after: patience, from: now)
        _ = exchanges.start(attempt, at: place, slot: slot, deadline: deadline, late: late)
        guard let socket else { return }
        let length = exchanges.places[place].write(hasEDNS: manner.hasEDNS, id: id, mask: mask, to: &datagram)
        _ = unsafe datagram.withUnsafeBytes {
            unsafe Glibc.send(socket.fd, $0.baseAddress, length, Int32(MSG_DONTWAIT))
        }
        // A send that fails (unreachable, full buffer) looks like a lost datagram and ends the same way.
    }

    /// Sends the question over a connection; its answer comes back through the mailbox.
    private mutating func askOverStream(
        _ place: Int, slot: Int, server: Int, manner: Manner, late: Moment?, now: Moment
    ) {
        let attempt = Attempt(
            number: exchanges.places[place].attempts, server: server, socket: -1, id: 0, mask: .none, isMasked: false,
            hasEDNS: manner.hasEDNS, isFallback: manner.isFallback, started: now)
        let deadline = exchanges.places[place].deadline(after: UpstreamTiming.streamAttempt, from: now)
        let id = exchanges.start(attempt, at: place, slot: slot, deadline: deadline, late: late)
        let mailbox = mailbox
        var message = [UInt8](zeros: exchanges.places[place].message.count)
        let length = exchanges.places[place].write(hasEDNS: manner.hasEDNS, id: 0, mask: .none, to: &message)
        message.removeLast(message.count - length)
        shared.streams.ask(routing.servers[server], message: message) {
            mailbox.post(.upstreamAnswer(exchange: id, $0))
        }
    }
}

extension Exchange {
    /// When an attempt that starts at `now` and may take that many nanoseconds has to be over: before clients give up.
    fileprivate func deadline(after patience: Int64, from now: Moment) -> Moment {
        min(now.adding(nanoseconds: patience), giveUp.adding(nanoseconds: UpstreamTiming.datagramAttempt))
    }

    /// Writes the query as it is sent to the beginning of `output`, which has room for it, and returns its length: with
    /// `id`, letters in the case of `mask`, and without our OPT record unless `hasEDNS`.
    fileprivate func write(hasEDNS: Bool, id: UInt16, mask: CaseMask, to output: inout [UInt8]) -> Int {
        let length = hasEDNS ? message.count : questionEnd
        var output = output.mutableSpan
        output.copy(message.span.extracting(0..<length), at: 0)
        output[0] = UInt8(truncatingIfNeeded: id >> 8)
        output[1] = UInt8(truncatingIfNeeded: id)
        if !hasEDNS { output[11] = 0 }
        mask.apply(to: &output, length: questionEnd - 4 - Header.length)
        return length
    }
}
