public import FQDNCache
public import MappingFeed

/// The figures of `GET /metrics`.
public struct AdminMetrics: Sendable {
    /// The daemon's version.
    public var version: String
    /// When the process started: UTC seconds since the epoch.
    public var started: Double
    /// Whether clients may be sent here.
    public var isReady: Bool
    /// What the workers have counted, one element a worker.
    public var workers: [WorkerCounters]
    /// How long queries took, over all workers.
    public var durations: WorkerDurations
    /// What waits, over all workers.
    public var waiting: Waiting
    /// Connections of clients that are open.
    public var connections: Int
    /// The answer cache.
    public var answers: AnswerStatistics
    /// The mapping table.
    public var mappings: AdminMappingTotals
    /// The feed.
    public var feed: Feed
    /// The servers that questions are forwarded to.
    public var upstreams: [AdminUpstream]
    /// Whether each of them has metrics of its own.
    public var upstreamLabels = false
    /// The policy in force.
    public var policy: Policy
    /// What is kept of finished queries.
    public var flows = Flows()

    /// Figures from all their parts.
    public init(
        version: String, started: Double, isReady: Bool, workers: [WorkerCounters], durations: WorkerDurations,
        waiting: Waiting, connections: Int, answers: AnswerStatistics, mappings: AdminMappingTotals, feed: Feed,
        upstreams: [AdminUpstream], policy: Policy
    ) {
        self.version = version
        self.started = started
        self.isReady = isReady
        self.workers = workers
        self.durations = durations
        self.waiting = waiting
        self.connections = connections
        self.answers = answers
        self.mappings = mappings
        self.feed = feed
        self.upstreams = upstreams
        self.policy = policy
    }

    /// What waits.
    public struct Waiting: Sendable {
        /// Questions that are with upstreams.
        public var exchanges = 0
        /// Queries that wait for one of them.
        public var upstream = 0
        /// Queries whose replies wait for the feed.
        public var feed = 0
        /// Queries that one worker has passed to another, which has not taken them yet.
        public var worker = 0

        /// All of them.
        public var queries: Int { upstream + feed + worker }

        /// Nothing waits.
        public init() {}
    }

    /// What the feed has done.
    public struct Feed: Sendable {
        /// The last sequence number that was assigned.
        public var sequence: UInt64 = 0
        /// The highest sequence number that is journalled and acknowledged.
        public var released: UInt64 = 0
        /// Connected subscribers that acknowledge.
        public var acknowledging: Int = 0
        /// Changes that the slowest subscriber is behind.
        public var lag: UInt64 = 0
        /// What the hub counts.
        public var counters = FeedHubCounters()

        /// Nothing done yet.
        public init() {}
    }

    /// What is kept of finished queries.
    public struct Flows: Sendable {
        /// Flows that were noted.
        public var noted: UInt64 = 0
        /// Flows that were left out because there were too many in a second.
        public var leftOut: UInt64 = 0
        /// Flows that were overwritten before a reader who follows came to read them, counted for each.
        public var overtaken: UInt64 = 0
        /// Flows that were exported.
        public var exported: UInt64 = 0
        /// Flows that could not be written.
        public var unwritten: UInt64 = 0
        /// Readers that follow, the exporter included.
        public var readers = 0

        /// Nothing noted.
        public init() {}
    }

    /// The policy in force.
    public struct Policy: Sendable {
        /// Number of the snapshot.
        public var generation: UInt64 = 0
        /// Policy documents.
        public var policies: Int = 0
        /// Rules in them.
        public var rules: Int = 0
        /// Identities, `reserved:unknown` not counted.
        public var identities: Int = 0
        /// Reloads that took effect.
        public var reloads: UInt64 = 0
        /// Reloads that changed nothing because of an error.
        public var failedReloads: UInt64 = 0

        /// Nothing loaded yet.
        public init() {}
    }
}
