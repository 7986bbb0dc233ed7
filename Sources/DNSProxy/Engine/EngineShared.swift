import DNSWire
import FQDNCache
import FQDNPolicy
import Synchronization

/// What all workers share: three things that change, each behind its own locks (the snapshot, the cache, the
/// mappings with their feed), and settings that do not.
final class EngineShared: Sendable {
    /// The policy and the local records in force.
    let snapshots: PublishedCell<EngineSnapshot>
    /// Policies that workers have used and that are not in force any more.
    private let retired = Mutex<[EngineSnapshot]>([])
    /// What was answered.
    let cache: AnswerCache
    /// What was learned, and how it leaves.
    let learning: Learning
    /// What was asked for, by whom.
    let seenNames = SeenNames()
    /// The secrets of server cookies.
    let cookies = PublishedCell(CookieSecrets())
    /// Which upstreams answer for which names.
    let routes: PublishedCell<RouteTable>
    /// What is kept of finished queries.
    let flows: RecentFlows
    /// What is known of their servers.
    let board: UpstreamBoard
    /// Which worker has which question with upstreams.
    let directory = ExchangeDirectory()
    /// How workers hand each other work, by their numbers.
    let mailboxes: [Mailbox]
    /// Upstreams over connections.
    let streams: StreamUpstreams
    /// How long answers are kept.
    let ttlPolicy: TTLPolicy
    /// Seconds that an expired answer may be served.
    let serveStale: UInt32
    /// Whether popular answers are renewed before they expire.
    let prefetches: Bool
    /// How a denied query is answered.
    let denyResponse: EngineConfiguration.DenyResponse
    /// Whether every name with addresses is learned.
    let learnsEverything: Bool
    /// Networks whose queries are taken.
    let allowQueriesFrom: [IPPrefix]
    /// How much clients may take.
    let limits: EngineConfiguration.Limits
    /// Where the daemon listens.
    let listen: [SocketAddress]
    /// How many responses each client may have in a second; nil for any number.
    let responseLimiter: ResponseLimiter?

    /// What workers share under `configuration`.
    init(
        configuration: EngineConfiguration, routes: PublishedCell<RouteTable>,
        snapshots: PublishedCell<EngineSnapshot>, cache: AnswerCache, learning: Learning, streams: StreamUpstreams,
        board: UpstreamBoard, mailboxes: [Mailbox]
    ) {
        self.snapshots = snapshots
        self.cache = cache
        self.learning = learning
        self.streams = streams
        self.routes = routes
        self.board = board
        self.mailboxes = mailboxes
        flows = RecentFlows(
            capacity: configuration.flows.recent, rate: configuration.flows.rate,
            watchedRate: configuration.flows.watchedRate, workers: mailboxes.count)
        ttlPolicy = TTLPolicy(
            minTTL: configuration.cache.minTTL, maxTTL: configuration.cache.maxTTL,
            negativeMaxTTL: configuration.cache.negativeMaxTTL)
        serveStale = configuration.cache.serveStale
        prefetches = configuration.cache.prefetch
        denyResponse = configuration.denyResponse
        learnsEverything = configuration.learning.scope == .all
        allowQueriesFrom = configuration.allowQueriesFrom
        limits = configuration.limits
        listen = configuration.listen
        responseLimiter = configuration.limits.responsesPerSecond.map {
            ResponseLimiter(perSecond: $0, ipv6PrefixLength: configuration.limits.ipv6PrefixLength)
        }
    }

    /// Takes what a worker has used before there was something newer: to free a large policy takes milliseconds.
    func retire(_ snapshot: EngineSnapshot) { retired.withLock { $0.append(snapshot) } }

    /// What workers have retired, for somebody who frees it.
    func takeRetired() -> [EngineSnapshot] {
        retired.withLock { retired in
            defer { retired = [] }
            return retired
        }
    }

    /// Whether queries of `client` are taken at all.
    func takesQueries(from client: IPAddress) -> Bool {
        for prefix in allowQueriesFrom where prefix.contains(client) { return true }
        return false
    }
}
