import DNSWire
import FQDNCache
import FQDNPolicy
import Glibc
import MappingFeed
import Synchronization

extension Engine: AdminBackend {
    public func status() async -> AdminStatus {
        let snapshot = shared.snapshots.load()
        let state = reloads.withLock { $0 }
        let answers = shared.cache.statistics
        let hub = shared.learning.hub
        return AdminStatus(
            version: Engine.version, pid: getpid(), started: started, notReady: notReady(),
            listen: configuration.listen.map(\.description), workers: workers.count,
            policy: AdminStatus.Policy(
                enforcement: configuration.enforcement.rawValue, generation: snapshot.generation,
                policies: snapshot.policy.policyCount, rules: snapshot.policy.ruleCount,
                identities: snapshot.policy.identities.count - 1, loaded: state.loadedAt,
                problems: state.errors.map(\.description)),
            answers: AdminStatus.Answers(
                entries: answers.entries, bytes: answers.bytesUsed, capacity: answers.capacity, hits: answers.hits,
                misses: answers.misses),
            mappings: mappingTotals,
            feed: AdminStatus.Feed(
                socket: configuration.feed.socket, journal: configuration.feed.journal, instance: hub.instance,
                sequence: hub.lastSequence, released: hub.released,
                subscribers: await hub.subscribers.map { AdminSubscriber($0) },
                acknowledging: hub.acknowledgingSubscribers),
            upstreams: upstreamStates,
            counters: counters(of: workers.map(\.latest)).reduce(WorkerCounters(), +).byName)
    }

    public func metrics() async -> AdminMetrics {
        let snapshot = shared.snapshots.load()
        let state = reloads.withLock { $0 }
        let hub = shared.learning.hub
        // What one worker shows is looked at once, so that its figures add up.
        let shown = workers.map(\.latest)
        var feed = AdminMetrics.Feed()
        feed.sequence = hub.lastSequence
        feed.released = hub.released
        feed.acknowledging = hub.acknowledgingSubscribers
        feed.lag = await hub.subscribers.map(\.eventsBehind).max() ?? 0
        feed.counters = hub.counters
        var policy = AdminMetrics.Policy()
        policy.generation = snapshot.generation
        policy.policies = snapshot.policy.policyCount
        policy.rules = snapshot.policy.ruleCount
        policy.identities = snapshot.policy.identities.count - 1
        policy.reloads = state.succeeded
        policy.failedReloads = state.failed
        var metrics = AdminMetrics(
            version: Engine.version, started: started, isReady: notReady().isEmpty,
            workers: counters(of: shown), durations: shown.map(\.durations).reduce(WorkerDurations(), +),
            waiting: waiting(of: shown),
            connections: streams.connectionCount, answers: shared.cache.statistics, mappings: mappingTotals, feed: feed,
            upstreams: upstreamStates, policy: policy)
        metrics.upstreamLabels = configuration.metrics.upstreamLabels
        metrics.flows = flowTotals
        return metrics
    }

    /// What was noted of finished queries.
    private var flowTotals: AdminMetrics.Flows {
        var totals = AdminMetrics.Flows()
        (totals.noted, totals.leftOut, totals.overtaken) = shared.flows.totals
        totals.readers = shared.flows.watcherCount
        if let exporter { (totals.exported, totals.unwritten) = exporter.counts }
        return totals
    }

    /// What waits, over all workers.
    private func waiting(of workers: [WorkerStatus.Shown]) -> AdminMetrics.Waiting {
        workers.reduce(into: AdminMetrics.Waiting()) { sum, worker in
            sum.exchanges += worker.waiting.exchanges
            sum.upstream += worker.waiting.clients
            sum.feed += worker.waiting.holds
            sum.worker += worker.waiting.letters
        }
    }

    /// What each worker has counted; the first one's with what came over connections and reached no worker.
    private func counters(of workers: [WorkerStatus.Shown]) -> [WorkerCounters] {
        var counters = workers.map(\.counters)
        guard let first = counters.first else { return [] }
        counters[0] = first + streams.counters
        counters[0].upstreamMismatches += shared.streams.strayMessages
        return counters
    }

    public func notReady() -> [String] {
        let routes = shared.routes.load()
        return Readiness(
            isListening: isListening.load(ordering: .acquiring),
            hasLocalRecords: !shared.snapshots.load().zones.configuredApexes.isEmpty,
            servers: Set(routes.places.joined()).map { shared.board.state($0) },
            cachedAnswers: shared.cache.statistics.entries, serveStale: shared.serveStale
        ).missing(now: SystemClock.now())
    }

    public func mappings(
        _ filter: MappingFilter, _ body: ([AdminMapping]) async throws -> Void
    ) async throws {
        var next: MappingCursor? = MappingCursor()
        while let cursor = next {
            var chunk: [AdminMapping] = []
            let policy = shared.snapshots.load().policy
            let clock = WallClock()
            next = shared.learning.table.list(from: cursor, limit: 500) { mapping in
                guard filter.identities?.contains(mapping.identity) ?? true, filter.names.selects(mapping.name) else {
                    return
                }
                chunk.append(AdminMapping(mapping, policy: policy, clock: clock))
            }
            if !chunk.isEmpty { try await body(chunk) }
        }
    }

    public func answers(_ names: NameFilter, _ body: ([AdminAnswer]) async throws -> Void) async throws {
        var next: AnswerCursor? = AnswerCursor()
        while let cursor = next {
            var chunk: [AdminAnswer] = []
            next = shared.cache.list(from: cursor, limit: 500, now: SystemClock.now()) { answer in
                if names.selects(answer.name) { chunk.append(AdminAnswer(answer)) }
            }
            if !chunk.isEmpty { try await body(chunk) }
        }
    }

    public func removeAnswers(_ names: NameFilter) async -> Int {
        guard !names.isAll else { return shared.cache.removeAll() }
        var name = NameBuffer()
        return shared.cache.remove { bytes in
            var cursor = MessageCursor(offset: 0)
            cursor.readName(bytes, into: &name)
            return names.selects(name)
        }
    }

    public func removeMappings(_ names: NameFilter) async -> Int {
        var name = NameBuffer()
        let learning = shared.learning
        return learning.table.remove(
            where: { _, bytes, _ in
                var cursor = MessageCursor(offset: 0)
                cursor.readName(bytes, into: &name)
                return names.selects(name)
            }, reason: .flushed, publish: learning.publish
        ).removed
    }

    public func explain(_ query: ExplainedQuery) async -> AdminExplanation {
        let policy = shared.snapshots.load().policy
        let explanation = policy.explain(client: query.client, name: query.name, transport: query.transport)
        let identity = policy.identities[policy.identityIndex(of: query.client)]
        let isAnswered = [.allowed, .audited].contains(explanation.outcome)
        return AdminExplanation(
            client: "\(query.client)", identity: identity.id.rawValue, identityName: identity.title,
            name: "\(query.name)", type: "\(query.type)", transport: query.transport.rawValue,
            verdict: explanation.outcome.rawValue,
            learned: isAnswered && shared.learnsEverything || !explanation.learned.isEmpty, details: explanation)
    }

    public func identities() async -> [AdminIdentity] {
        let policy = shared.snapshots.load().policy
        return policy.identities.enumerated().map { index, identity in
            let listing = policy.listing(identity: index)
            return AdminIdentity(
                id: identity.id.rawValue, names: identity.names, namespace: identity.namespace, labels: identity.labels,
                addresses: identity.prefixes.map(\.description), policies: listing.policies,
                isRestricted: listing.isRestricted, rules: listing.ruleCount)
        }
    }

    public func rules(of identities: Set<UInt64>?, _ body: ([AdminRule]) async throws -> Void) async throws {
        let policy = shared.snapshots.load().policy
        for (index, identity) in policy.identities.enumerated()
        where identities?.contains(identity.id.rawValue) ?? true {
            let listing = policy.listing(identity: index)
            var next: Int? = 0
            while let start = next {
                let chunk = policy.listRules(identity: index, from: start, limit: 500)
                next = chunk.next
                if !chunk.rules.isEmpty { try await body(chunk.rules.map { AdminRule($0, of: listing) }) }
            }
        }
    }

    public func suggestion(for identity: UInt64) async -> AdminSuggestion? {
        let policy = shared.snapshots.load().policy
        guard let index = policy.identityIndex(of: IdentityID(rawValue: identity)) else { return nil }
        let identity = policy.identities[index]
        let seen = shared.seenNames.names(of: identity.id)
        let suggestion = PolicySuggestion(
            identity: identity, names: seen.names.map { SeenName($0.name) }, suffixes: .system())
        return AdminSuggestion(
            identity: identity.id.rawValue, identityName: identity.title, names: seen.names.count,
            audited: seen.names.count { $0.isAudited }, isComplete: seen.isComplete, document: suggestion.text)
    }

    /// How much is learned.
    private var mappingTotals: AdminMappingTotals {
        let statistics = shared.learning.table.statistics
        return AdminMappingTotals(
            identities: statistics.identities, names: statistics.names, addresses: statistics.addresses)
    }

    /// The upstreams with what is known of them.
    private var upstreamStates: [AdminUpstream] {
        let table = shared.routes.load()
        return zip(table.routes, table.places).flatMap { route, places in
            places.map { server in
                let state = shared.board.state(server)
                return AdminUpstream(
                    server: "\(table.servers[server])", domains: route.domains.map(\.description), isUp: state.isUp,
                    roundTrip: state.roundTrip.map { Double($0) / 1e9 }, keepsCase: state.keepsCase,
                    knowsEDNS: state.knowsEDNS, problem: state.problem)
            }
        }
    }
}

extension AdminMapping {
    /// A mapping of the table, for people.
    init(_ mapping: Mapping, policy: PolicySnapshot, clock: WallClock) {
        let index = policy.identityIndex(of: IdentityID(rawValue: mapping.identity))
        let lookedUp = clock.seconds(at: mapping.learnedAt)
        self.init(
            identity: mapping.identity, identityName: index.map { policy.identities[$0].title } ?? "",
            client: mapping.client, name: mapping.name,
            addresses: mapping.addresses.map { address in
                AdminMapping.Address(
                    ip: address.learned.address, ttl: address.learned.ttl, lookedUp: lookedUp,
                    expires: clock.seconds(at: address.learned.expires),
                    source: MappingFeed.MappingSource(address.learned.source))
            })
    }
}

extension MappingFeed.MappingSource {
    /// A source of the table, in the feed's terms.
    init(_ source: FQDNCache.MappingSource) {
        self =
            switch source {
            case .answer: .answer
            case .hint: .hint
            case .restore: .restore
            case .connection: .connection
            }
    }
}

extension AdminAnswer {
    /// Records of an answer that are shown.
    private static let shownRecords = 4

    /// A cached answer, for people.
    init(_ answer: AnswerListing) {
        self.init(
            name: "\(answer.name)", type: answer.key.type == AnswerKey.everyType ? "ANY" : "\(answer.key.type)",
            rcode: "\(ResponseCode(rawValue: UInt16(answer.responseCode)))", ttl: answer.remaining,
            hits: answer.hits, size: answer.size, state: answer.isStale ? .stale : .fresh,
            data: AdminAnswer.data(of: answer.image.span))
    }

    /// The data of the first records of the message.
    private static func data(of message: Span<UInt8>) -> [String] {
        guard let header = Header(message) else { return [] }
        var name = NameBuffer()
        var cursor = MessageCursor()
        _ = cursor.readQuestion(message, into: &name)
        var data: [String] = []
        for _ in 0..<header.answerCount where data.count < shownRecords {
            let start = cursor.offset
            _ = cursor.readRecord(message, owner: &name)
            guard cursor.isValid, let text = RecordText.data(of: message, recordAt: start) else { break }
            data.append(text)
        }
        return data
    }
}
