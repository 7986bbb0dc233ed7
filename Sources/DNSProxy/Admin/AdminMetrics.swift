public import FQDNCache
public import MappingFeed

/// The figures of `GET /metrics`.
public struct AdminMetrics: Sendable {
    /// The daemon's version.
    public var version: String
    /// When the process started: UTC seconds since the epoch.
    public var started: Double
    /// What the workers have counted, one element a worker.
    public var workers: [WorkerCounters]
    /// The answer cache.
    public var answers: AnswerStatistics
    /// The mapping table.
    public var mappings: AdminMappingTotals
    /// The feed.
    public var feed: Feed
    /// The servers that questions are forwarded to.
    public var upstreams: [AdminUpstream]
    /// The policy in force.
    public var policy: Policy

    /// Figures from all their parts.
    public init(
        version: String, started: Double, workers: [WorkerCounters], answers: AnswerStatistics,
        mappings: AdminMappingTotals, feed: Feed, upstreams: [AdminUpstream], policy: Policy
    ) {
        self.version = version
        self.started = started
        self.workers = workers
        self.answers = answers
        self.mappings = mappings
        self.feed = feed
        self.upstreams = upstreams
        self.policy = policy
    }

    /// What the feed has done.
    public struct Feed: Sendable {
        /// The last sequence number that was assigned.
        public var sequence: UInt64 = 0
        /// The highest sequence number that is journalled and acknowledged.
        public var released: UInt64 = 0
        /// Connected subscribers that acknowledge.
        public var acknowledging: Int = 0
        /// What the hub counts.
        public var counters = FeedHubCounters()

        /// Nothing done yet.
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
