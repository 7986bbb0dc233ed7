import DNSWire
import FQDNCache
import FQDNPolicy

// The path of a query that the cache can answer, from its first byte to the finished reply. Nothing on it allocates,
// blocks, throws or counts a reference; what leaves it is handed to `Pipeline.handle` as an `Outcome`.

extension Pipeline {
    /// Where the hit path leads.
    enum Outcome {
        /// `output` holds a reply.
        case reply(Ending)
        /// Likewise, and the answer is popular and about to expire.
        case popular(Ending)
        /// Nothing is said.
        case silence
        /// The client may ask, but the cache has no answer.
        case miss
        /// `output` holds a cached answer whose addresses this identity has not been taught to the enforcers yet.
        case unlearned(AnswerHit)
    }

    /// Answers the query in `message` if that takes nothing but memory.
    mutating func answer(
        _ message: Span<UInt8>, client: IPAddress, transport: QueryTransport, turn: Turn,
        into output: inout MutableSpan<UInt8>
    ) -> Outcome {
        // 1. Is it a query at all? The name is canonicalised and hashed here, once.
        let judgement = query.decode(message, name: &name)
        prepareOptions(client: client, transport: transport)
        switch judgement {
        case .accept:
            break
        case .ignore:
            return .silence
        case .respond(let code, let echoesQuestion):
            count(rejected: code)
            let end = echoesQuestion ? query.question.end : Header.length
            let length = Reply.empty(
                &output, code: code, query: query, options: options,
                question: message.extracting(Header.length..<end), limit: Reply.limit(query, transport: transport),
                error: code == .notImplemented || code == .refused ? .notSupported : .none)
            return .reply(Ending(length, .rejected, extendedCode: code.extendedPart))
        }
        let question = message.extracting(Header.length..<query.question.end)
        let limit = Reply.limit(query, transport: transport)
        let type = query.question.type

        // 2. Who asks, and may they? Recent verdicts are remembered until the world changes.
        let identity = turn.snapshot.policy.identityIndex(of: client)
        let key = DecisionMemory.key(name, identity: identity, transport: transport)
        let verdict: Verdict
        var isNew = false
        if let remembered = decisions.verdict(key, name: name, identity: identity, epoch: turn.epoch) {
            verdict = remembered
        } else {
            verdict = turn.snapshot.policy.verdict(identity: identity, name: name, transport: transport)
            decisions.store(key, name: name, identity: identity, epoch: turn.epoch, verdict: verdict)
            isNew = true
        }
        switch verdict.outcome {
        case .allowed:
            counters.allowed += 1
            isAudited = false
        case .audited:
            counters.audited += 1
            isAudited = true
        case .denied, .prohibited:
            return deny(verdict, question: question, limit: limit, into: &output)
        }
        if type == .any {
            let length = Reply.minimalAny(&output, query: query, options: options, question: question, limit: limit)
            return .reply(Ending(length, .local))
        }

        // 3. Is the answer known? It is copied out with its TTLs counted down.
        guard let hit = turn.shared.cache.lookup(name, answerKey, now: turn.now, into: &output) else {
            counters.cacheMisses += 1
            return .miss
        }
        let isFailure = hit.kind == .failure
        if !isFailure { counters.cacheHits += 1 }
        if isNew, hit.kind.isPositive { noteSeen(key, identity, verdict, turn: turn) }

        // 4. Have the enforcers confirmed its addresses for this identity? A reply that is cut carries none.
        let isLearned = verdict.isSelected || turn.snapshot.policy.matchesAliases || turn.shared.learnsEverything
        if hit.carriesAddresses, isLearned, hit.length <= output.count {
            guard acknowledged.contains(serial: hit.serial, identity: identity, epoch: turn.epoch) else {
                return .unlearned(hit)
            }
        }

        // 5. Make it this client's own.
        let length = Reply.finish(
            &output, length: hit.length, query: query, options: options, question: question, limit: limit,
            error: isFailure ? .cachedError : .none)
        // That a failure is remembered saves the upstream a question and the client nothing.
        let ending = Ending(length, isFailure ? .failed : .hit)
        return turn.shared.prefetches && hit.isWorthRenewing ? .popular(ending) : .reply(ending)
    }

    /// The cache's key for the question at hand.
    @inline(__always)
    var answerKey: AnswerKey {
        var options: AnswerOptions = []
        if query.edns?.dnssecOK == true { options.insert(.dnssecOK) }
        if query.header.flags.contains(.checkingDisabled) { options.insert(.checkingDisabled) }
        return AnswerKey(type: query.question.type, recordClass: query.question.recordClass, options: options)
    }

    /// Counts a query that is answered with `code` because of what it is.
    private mutating func count(rejected code: ResponseCode) {
        switch code {
        case .notImplemented: counters.rejectedOpcode += 1
        case .badVersion: counters.rejectedVersion += 1
        case .refused: counters.rejectedUnsupported += 1
        default: counters.rejectedMalformed += 1
        }
    }

    /// Answers a query that the policy does not allow, as the operator wants it answered.
    private mutating func deny(
        _ verdict: Verdict, question: Span<UInt8>, limit: Int, into output: inout MutableSpan<UInt8>
    ) -> Outcome {
        guard verdict.outcome == .denied else {
            counters.prohibited += 1
            let length = Reply.empty(
                &output, code: .refused, query: query, options: options, question: question, limit: limit,
                error: .prohibited)
            return .reply(Ending(length, .prohibited))
        }
        counters.denied += 1
        let length: Int
        switch shared.denyResponse {
        case .refused:
            length = Reply.empty(
                &output, code: .refused, query: query, options: options, question: question, limit: limit,
                error: .blocked)
        case .nameError:
            length = Reply.deniedName(&output, query: query, options: options, question: question, limit: limit)
        }
        return .reply(Ending(length, .denied))
    }
}

extension AnswerHit {
    /// Whether the answer is asked for often enough, and so near its end, that it should be renewed now: asked for
    /// before, at least 10 s of lifetime, and less than a tenth of it left.
    @inline(__always)
    var isWorthRenewing: Bool {
        hits > 2 && lifetime >= 10 && UInt64(remaining) * 10 <= UInt64(lifetime)
    }
}
