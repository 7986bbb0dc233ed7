import DNSWire
import FQDNCache
import FQDNPolicy

/// An answer in the form that the cache stores, on its way to one client.
struct StoredImage {
    /// Length in bytes.
    var length: Int
    /// Serial in the cache; 0 when it is not cached.
    var serial: UInt64
    /// The last moment at which a client may still use it.
    var lastValid: Moment
    /// Whether it carries addresses.
    var carriesAddresses: Bool
    /// Whether it says that the name has what was asked for.
    var isPositive: Bool
    /// Whether the scrubber has just made it, and still has the addresses and aliases that it carries.
    var isAtHand = false
    /// What to tell a client that sent OPT.
    var error: ExtendedError = .none

    /// An answer that the cache found. A client counts whole seconds from when it got the answer, so it may keep it
    /// for up to a second longer than the cache does.
    init(_ hit: AnswerHit) {
        length = hit.length
        serial = hit.isStale ? 0 : hit.serial
        lastValid = hit.expires.adding(seconds: 1)
        carriesAddresses = hit.carriesAddresses
        isPositive = hit.kind.isPositive
    }

    /// An answer that has just come.
    init(
        length: Int, serial: UInt64, kind: AnswerKind, lifetime: UInt32, carriesAddresses: Bool, isAtHand: Bool,
        now: Moment
    ) {
        self.length = length
        self.isAtHand = isAtHand
        isPositive = kind.isPositive
        self.serial = serial
        lastValid = now.adding(seconds: Int64(lifetime) + 1)
        self.carriesAddresses = carriesAddresses
    }

    /// An answer past its lifetime, which clients may keep for 30 s (RFC 8767, section 4).
    static func stale(_ hit: AnswerHit, now: Moment) -> StoredImage {
        var image = StoredImage(hit)
        image.lastValid = now.adding(seconds: Int64(AnswerHit.staleTTL) + 1)
        image.error = hit.kind == .nameError ? .staleNameError : .staleAnswer
        return image
    }
}

extension Pipeline {
    /// Teaches the enforcers the addresses in `output` for the identity of the client, then finishes the reply to the
    /// query at hand, which ends it as `outcome`: returned at once when the mapping is in force, otherwise held and nil
    /// returned.
    ///
    /// This is the only way by which an answer with addresses leaves, be it fresh, cached, stale or local.
    mutating func learnAndFinish(
        _ output: inout MutableSpan<UInt8>, answer: StoredImage, outcome: QueryOutcome, question: Span<UInt8>,
        from origin: QueryOrigin, turn: Turn, sender: () -> Sender
    ) -> Ending? {
        var answer = answer
        let policy = turn.snapshot.policy
        let identity = policy.identityIndex(of: origin.client)
        let key = DecisionMemory.key(name, identity: identity, transport: origin.transport)
        let verdict =
            decisions.verdict(key, name: name, identity: identity, epoch: turn.epoch)
            ?? policy.verdict(identity: identity, name: name, transport: origin.transport)
        if answer.isPositive { noteSeen(key, identity, verdict, turn: turn) }
        let limit = Reply.limit(query, transport: origin.transport)
        let fits = answer.length + (query.edns == nil ? 0 : options.recordLength) <= min(limit, output.count)
        var wait = Learning.Wait.none
        // A reply that does not fit is cut to its question, so it shows the client no address.
        let isLearned = verdict.isSelected || policy.matchesAliases || shared.learnsEverything
        if fits, answer.carriesAddresses, isLearned {
            wait = learn(&output, answer: &answer, client: origin.client, identity: identity, turn: turn)
        }
        let length = Reply.finish(
            &output, length: answer.length, query: query, options: options, question: question, limit: limit,
            error: answer.error)
        switch wait {
        case .none:
            return Ending(length, outcome)
        case .refused:
            counters.feedRefusals += 1
            return giveUp(&output, Ending(length, outcome), question: question, limit: limit)
        case .until(let sequence):
            guard !shared.learning.isReleased(sequence) else { return Ending(length, outcome) }
            guard holds.hasRoom else {
                counters.overloaded += 1
                return giveUp(&output, Ending(length, outcome), question: question, limit: limit)
            }
            counters.held += 1
            let reply = [UInt8](copying: output.span.extracting(0..<length))
            var failure: [UInt8] = []
            if shared.learning.onDelay == .servfail {
                let failed = giveUp(&output, Ending(length, outcome), question: question, limit: limit)
                failure = [UInt8](copying: output.span.extracting(0..<failed.length))
            }
            let deadline = turn.now.adding(nanoseconds: shared.learning.maxDelayNanoseconds)
            holds.insert(
                HoldTable.Hold(
                    sender: sender(), origin: origin, since: turn.now, outcome: outcome, reply: reply,
                    failure: failure, sequence: sequence),
                deadline: deadline)
            return nil
        }
    }

    /// What happens to a finished reply whose mapping could not be confirmed: the operator's choice.
    private mutating func giveUp(
        _ output: inout MutableSpan<UInt8>, _ ending: Ending, question: Span<UInt8>, limit: Int
    ) -> Ending {
        guard shared.learning.onDelay == .servfail else { return ending }
        let length = Reply.empty(
            &output, code: .serverFailure, query: query, options: options, question: question, limit: limit,
            error: .notReady)
        return Ending(length, .unacknowledged)
    }

    /// Learns what the answer in `output` says about the name at hand, unless that is known, and tells what its reply has to wait
    /// for.
    private mutating func learn(
        _ output: inout MutableSpan<UInt8>, answer: inout StoredImage, client: IPAddress, identity: Int, turn: Turn
    ) -> Learning.Wait {
        let wait =
            knownWait(answer, identity: identity, turn: turn)
            ?? learnAnew(&output, answer: &answer, client: client, identity: identity, turn: turn)
        switch wait {
        case .refused: return wait
        case .until(let sequence) where !shared.learning.isReleased(sequence): return wait
        case .none, .until: break
        }
        if answer.serial != 0 { acknowledged.insert(serial: answer.serial, identity: identity, epoch: turn.epoch) }
        return .none
    }

    /// What the reply has to wait for if it is with a cached answer that was learned under the rules that are in force, and nothing
    /// has changed since; nil if it has to be learned again. After a reload every answer is looked at, and few have changed.
    private mutating func knownWait(_ answer: StoredImage, identity: Int, turn: Turn) -> Learning.Wait? {
        let policy = turn.snapshot.policy
        // Aliases may select other rules, and only the answer itself has them.
        guard !answer.isAtHand, answer.serial != 0, !policy.matchesAliases else { return nil }
        return shared.learning.wait(
            name: name, identity: policy.identities[identity].id, answer: answer.serial,
            ruleSet: selection(of: identity, policy).ruleSet, now: turn.now)
    }

    /// Learns what the answer in `output` says, whatever is known. One with more addresses than a name may have is cut to those
    /// that are learned.
    private mutating func learnAnew(
        _ output: inout MutableSpan<UInt8>, answer: inout StoredImage, client: IPAddress, identity: Int, turn: Turn
    ) -> Learning.Wait {
        let result = answer.isAtHand ? nil : takeApart(output.span.extracting(0..<answer.length))
        if let result, result.outcome != .answer { return .refused }
        let selection = selection(of: identity, turn.snapshot.policy)
        guard shared.learnsEverything || !selection.isEmpty else { return .none }
        if let result, result.dropped > 0 {
            // The header of the cached image may say AA, which the scrubber takes off.
            output.copy(scratch.span.extracting(4..<result.length), at: 4)
            answer.length = result.length
            answer.serial = 0
            counters.answersCut += 1
        }
        hasLearned = true
        return shared.learning.learn(
            name: name, identity: turn.snapshot.policy.identities[identity].id, client: client,
            aliases: scrubber.aliases, addresses: scrubber.addresses, ruleSet: selection.ruleSet,
            answer: answer.serial, lastValid: answer.lastValid, now: turn.now, leftOut: &counters.addressesDenied)
    }

    /// Has the feed take what was learned in this turn: once, because it runs on another thread, whose waking costs more than
    /// what it does with a mapping.
    mutating func publishLearned() {
        guard hasLearned else { return }
        hasLearned = false
        shared.learning.hub.wake()
    }

    /// Takes an image that is not at hand apart: it is a message like any other, so the scrubber that made it can. What
    /// that leaves of it, which is less when it has more addresses than a name may have, is in `scratch` then.
    private mutating func takeApart(_ image: Span<UInt8>) -> ScrubResult {
        var scratch = self.scratch
        self.scratch = []
        defer { self.scratch = scratch }
        var span = scratch.mutableSpan
        scrubber.addressLimit = shared.learning.addressLimit
        defer { scrubber.addressLimit = .max }
        return scrubber.scrub(image, question: name, type: query.question.type, into: &span)
    }

    /// The rules that select the name at hand, or an alias in the scrubber, for an identity. A deny rule may take away
    /// every port that an allow rule selects it for: then there are none, and nothing may be opened.
    private mutating func selection(of identity: Int, _ policy: PolicySnapshot) -> RuleSetMemory.Selection {
        ruleSets.selection(
            identity: identity, name: name, aliases: scrubber.aliases, policy, shared.learning.ruleSets)
    }

    /// Notes that an identity asked for the name at hand and was answered, once, and once more if that is audited now; `key` is that
    /// of the decision. Of a turn only the first few hundred, the rest when they are asked for again.
    mutating func noteSeen(_ key: UInt64, _ identity: Int, _ verdict: Verdict, turn: Turn) {
        let key = verdict.outcome == .audited ? ~key : key
        guard identity != 0, seen.count < 512,
            seenFilter.insert(key, epoch: turn.snapshot.notesGeneration &+ shared.seenNames.forgets)
        else { return }
        let id = turn.snapshot.policy.identities[identity].id
        seen.append(SeenNames.Note(identity: id, name: name.domainName, isAudited: verdict.outcome == .audited))
    }

    /// Sends the held replies that the feed has released, and deals with those whose time is up.
    mutating func releaseHolds(turn: Turn, listeners: inout Listeners) {
        while let hold = holds.popReleased(upTo: shared.learning.released) {
            if shared.learning.hub.isRejected(hold.sequence) {
                counters.holdRejections += 1
                giveUp(hold, turn: turn, listeners: &listeners)
            } else {
                send(hold.reply, of: hold, outcome: hold.outcome, turn: turn, listeners: &listeners)
            }
        }
        while let hold = holds.popExpired(now: turn.now) {
            counters.holdTimeouts += 1
            giveUp(hold, turn: turn, listeners: &listeners)
        }
    }

    /// Deals with every held reply as if its time were up.
    mutating func endHolds(turn: Turn, listeners: inout Listeners) {
        while let hold = holds.popExpired(now: .distantFuture) {
            counters.holdTimeouts += 1
            giveUp(hold, turn: turn, listeners: &listeners)
        }
    }

    /// Does with a held reply whose mapping could not be confirmed what the operator wants.
    private mutating func giveUp(_ hold: HoldTable.Hold, turn: Turn, listeners: inout Listeners) {
        if hold.failure.isEmpty {
            send(hold.reply, of: hold, outcome: hold.outcome, turn: turn, listeners: &listeners)
        } else {
            send(hold.failure, of: hold, outcome: .unacknowledged, turn: turn, listeners: &listeners)
        }
    }

    /// Sends `reply`, with which the wait of `hold` and its query end.
    private mutating func send(
        _ reply: [UInt8], of hold: HoldTable.Hold, outcome: QueryOutcome, turn: Turn, listeners: inout Listeners
    ) {
        let waited = max(0, turn.now.nanoseconds(since: hold.since))
        durations.holds.add(waited)
        var times = FlowTimes(hold: waited)
        if hold.since > hold.origin.arrived { times.upstream = hold.since.nanoseconds(since: hold.origin.arrived) }
        endLate(outcome, of: hold.origin, reply: reply.span, times: times, turn: turn)
        listeners.reply(to: hold.sender) { output in
            output.copy(reply.span, at: 0)
            return reply.count
        }
    }
}
