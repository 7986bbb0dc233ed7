import DNSWire
import FQDNPolicy

/// What one worker has counted since it started. Plain data: the worker adds without synchronisation and shows a
/// copy once per turn of its loop.
public struct WorkerCounters: Sendable, Equatable {
    /// Queries that came as datagrams.
    public var queriesUDP: UInt64 = 0
    /// Queries that came over connections.
    public var queriesTCP: UInt64 = 0
    /// Responses sent, by response code: 0 to 15, which are those of the header, and BADVERS, the only one of EDNS that is
    /// sent.
    public var responses = InlineArray<17, UInt64>(repeating: 0)
    /// Queries by how they ended; the sum is the queries received, but for those that still wait.
    private var outcomes = InlineArray<12, UInt64>(repeating: 0)
    /// Queries that the policy allowed.
    public var allowed: UInt64 = 0
    /// Queries that the policy denied.
    public var denied: UInt64 = 0
    /// Queries that would have been denied but for audit mode.
    public var audited: UInt64 = 0
    /// Queries of clients that no identity owns and that may not ask.
    public var prohibited: UInt64 = 0
    /// Queries answered from the cache.
    public var cacheHits: UInt64 = 0
    /// Queries that the cache had no answer for.
    public var cacheMisses: UInt64 = 0
    /// Queries answered with an answer older than its TTL.
    public var staleAnswers: UInt64 = 0
    /// Queries answered from local records.
    public var localAnswers: UInt64 = 0
    /// Misses that joined an exchange already in flight.
    public var coalesced: UInt64 = 0
    /// Misses that were passed to the worker whose exchange they join.
    public var steered: UInt64 = 0
    /// Messages sent to upstreams, retries included.
    public var upstreamQueries: UInt64 = 0
    /// Attempts at an upstream that got no usable answer in time.
    public var upstreamTimeouts: UInt64 = 0
    /// Attempts that an upstream answered with an error or with garbage.
    public var upstreamErrors: UInt64 = 0
    /// Messages from upstreams that answered nothing we had asked.
    public var upstreamMismatches: UInt64 = 0
    /// Records of upstreams' answers that were left out of them: not about the question, or there twice.
    public var upstreamRecordsDropped: UInt64 = 0
    /// Exchanges that failed at every upstream.
    public var upstreamFailures: UInt64 = 0
    /// Questions put to a second upstream because the first one took longer than usual.
    public var upstreamRaces: UInt64 = 0
    /// Questions put to an upstream that is down, to see whether it still is.
    public var upstreamProbes: UInt64 = 0
    /// Answers of upstreams that changed the case of the question.
    public var upstreamCaseChanges: UInt64 = 0
    /// Questions that failed because the upstream's certificate proved nothing.
    public var upstreamUntrusted: UInt64 = 0
    /// Answers that waited for the journal or an acknowledgement.
    public var held: UInt64 = 0
    /// Answers whose wait ended with `maxDelay` instead of an acknowledgement.
    public var holdTimeouts: UInt64 = 0
    /// Answers whose mapping an enforcer could not put in force.
    public var holdRejections: UInt64 = 0
    /// Changes of mappings that the feed had no room for.
    public var feedRefusals: UInt64 = 0
    /// Addresses that an answer carried but that may never be learned.
    public var addressesDenied: UInt64 = 0
    /// Answers that were cut because they had more addresses than a name may have.
    public var answersCut: UInt64 = 0
    /// Messages that were not queries at all: too short, or responses.
    public var droppedNotQuery: UInt64 = 0
    /// Messages longer than a query may be.
    public var droppedOversized: UInt64 = 0
    /// Queries from networks outside `allowQueriesFrom`, or from port 0.
    public var droppedNotAllowed: UInt64 = 0
    /// Datagrams whose source is an address that no host has.
    public var droppedNoHost: UInt64 = 0
    /// Datagrams whose source is one of our own listeners.
    public var droppedOwnListener: UInt64 = 0
    /// Queries of clients that have had their `limits.responsesPerSecond`; others of them are answered with TC.
    public var droppedRateLimited: UInt64 = 0
    /// Datagrams that the kernel has dropped in front of listening sockets: their receive buffers were full, or clients
    /// flooded.
    public var receiveDrops: UInt64 = 0
    /// Times that a client's datagrams began to be thinned out because it flooded.
    public var floods: UInt64 = 0
    /// Replies that the kernel did not take; their queries have ended as whatever the replies say.
    public var repliesUnsent: UInt64 = 0
    /// Queries over connections that found too much waiting.
    public var droppedOverloaded: UInt64 = 0
    /// Connections that were refused because there were too many.
    public var connectionsRefused: UInt64 = 0
    /// Connections that were closed because their clients did not take their answers.
    public var connectionsSlowReader: UInt64 = 0
    /// Connections that were closed because their clients did not finish a query.
    public var connectionsSlowWriter: UInt64 = 0
    /// Times that no connection could be taken for want of descriptors or memory.
    public var acceptFailures: UInt64 = 0
    /// Queries answered FORMERR.
    public var rejectedMalformed: UInt64 = 0
    /// Queries answered NOTIMP.
    public var rejectedOpcode: UInt64 = 0
    /// Queries answered BADVERS.
    public var rejectedVersion: UInt64 = 0
    /// Zone transfers and queries of other classes than IN, answered REFUSED.
    public var rejectedUnsupported: UInt64 = 0
    /// Queries answered SERVFAIL because a table was full.
    public var overloaded: UInt64 = 0
    /// Queries answered SERVFAIL because their client had too many waiting.
    public var overloadedClient: UInt64 = 0
    /// Exchanges that no upstream of their route had room for.
    public var overloadedServer: UInt64 = 0
    /// Queries answered with TC because their client has had its `limits.responsesPerSecond`.
    public var overloadedRate: UInt64 = 0
    /// Queries that waited and were answered SERVFAIL to make room for a client with fewer of them; each is also among those
    /// of the limit that was reached.
    public var shed: UInt64 = 0

    /// Nothing counted yet.
    public init() {}

    /// Queries that ended in this way.
    @inline(__always)
    public subscript(outcome: QueryOutcome) -> UInt64 {
        get { outcomes[outcome.rawValue] }
        set { outcomes[outcome.rawValue] = newValue }
    }

    /// Counts a response with `code`; one beyond BADVERS, which nothing sends, as that.
    @inline(__always)
    mutating func count(response code: ResponseCode) {
        responses[min(Int(code.rawValue), 16)] += 1
    }

    /// Counts a query that came over `transport` in this turn as passed to another worker, which counts it as received
    /// instead.
    mutating func countSteered(over transport: QueryTransport) {
        steered += 1
        switch transport {
        case .udp: queriesUDP -= 1
        case .tcp: queriesTCP -= 1
        }
    }

    /// Counts a query that nothing is sent for, under its reason too.
    @inline(__always)
    mutating func drop(_ reason: WritableKeyPath<WorkerCounters, UInt64>) {
        self[keyPath: reason] += 1
        self[.dropped] += 1
    }

    /// The sums of both.
    public static func + (left: WorkerCounters, right: WorkerCounters) -> WorkerCounters {
        var sum = left
        for (_, path) in named { sum[keyPath: path] += right[keyPath: path] }
        for index in sum.responses.indices { sum.responses[index] += right.responses[index] }
        for outcome in QueryOutcome.allCases { sum[outcome] += right[outcome] }
        return sum
    }

    public static func == (left: WorkerCounters, right: WorkerCounters) -> Bool {
        named.allSatisfy { left[keyPath: $0.path] == right[keyPath: $0.path] }
            && left.responses.indices.allSatisfy { left.responses[$0] == right.responses[$0] }
            && QueryOutcome.allCases.allSatisfy { left[$0] == right[$0] }
    }

    /// Every counter but those of responses and outcomes, by the name that metrics and `status` show.
    static let named: [(name: String, path: any WritableKeyPath<WorkerCounters, UInt64> & Sendable)] = [
        ("queries_udp", \.queriesUDP), ("queries_tcp", \.queriesTCP), ("allowed", \.allowed), ("denied", \.denied),
        ("audited", \.audited), ("prohibited", \.prohibited), ("cache_hits", \.cacheHits),
        ("cache_misses", \.cacheMisses), ("stale_answers", \.staleAnswers), ("local_answers", \.localAnswers),
        ("coalesced", \.coalesced), ("steered", \.steered), ("upstream_queries", \.upstreamQueries),
        ("upstream_timeouts", \.upstreamTimeouts), ("upstream_errors", \.upstreamErrors),
        ("upstream_mismatches", \.upstreamMismatches),
        ("upstream_records_dropped", \.upstreamRecordsDropped), ("upstream_failures", \.upstreamFailures),
        ("upstream_races", \.upstreamRaces),
        ("upstream_probes", \.upstreamProbes), ("upstream_case_changes", \.upstreamCaseChanges),
        ("upstream_untrusted", \.upstreamUntrusted), ("held", \.held),
        ("hold_timeouts", \.holdTimeouts), ("hold_rejections", \.holdRejections), ("feed_refusals", \.feedRefusals),
        ("addresses_denied", \.addressesDenied), ("answers_cut", \.answersCut),
        ("dropped_not_query", \.droppedNotQuery), ("dropped_oversized", \.droppedOversized),
        ("dropped_not_allowed", \.droppedNotAllowed),
        ("dropped_no_host", \.droppedNoHost), ("dropped_own_listener", \.droppedOwnListener),
        ("dropped_rate_limited", \.droppedRateLimited), ("receive_drops", \.receiveDrops), ("floods", \.floods),
        ("replies_unsent", \.repliesUnsent), ("dropped_overloaded", \.droppedOverloaded),
        ("connections_refused", \.connectionsRefused), ("connections_slow_reader", \.connectionsSlowReader),
        ("connections_slow_writer", \.connectionsSlowWriter), ("accept_failures", \.acceptFailures),
        ("rejected_malformed", \.rejectedMalformed),
        ("rejected_opcode", \.rejectedOpcode), ("rejected_version", \.rejectedVersion),
        ("rejected_unsupported", \.rejectedUnsupported), ("overloaded", \.overloaded),
        ("overloaded_client", \.overloadedClient), ("overloaded_server", \.overloadedServer),
        ("overloaded_rate", \.overloadedRate), ("shed", \.shed),
    ]
}
