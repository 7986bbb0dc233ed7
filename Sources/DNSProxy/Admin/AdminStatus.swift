/// What the daemon is and how it does; the answer of `GET /v1/status`.
public struct AdminStatus: Codable, Hashable, Sendable {
    /// The daemon's version.
    public var version: String
    /// Its process number.
    public var pid: Int32
    /// When it started: UTC seconds since the epoch.
    public var started: Double
    /// What is missing before it is ready; empty when it is.
    public var notReady: [String]
    /// Where clients are answered.
    public var listen: [String]
    /// How many worker threads there are.
    public var workers: Int
    /// The policy in force.
    public var policy: Policy
    /// The answer cache.
    public var answers: Answers
    /// The mapping table.
    public var mappings: AdminMappingTotals
    /// The feed.
    public var feed: Feed
    /// The servers that questions are forwarded to.
    public var upstreams: [AdminUpstream]
    /// Everything that workers count, summed, by name; see `WorkerCounters.byName`.
    public var counters: [String: UInt64]

    /// A status from all its parts.
    public init(
        version: String, pid: Int32, started: Double, notReady: [String], listen: [String], workers: Int,
        policy: Policy, answers: Answers, mappings: AdminMappingTotals, feed: Feed, upstreams: [AdminUpstream],
        counters: [String: UInt64]
    ) {
        self.version = version
        self.pid = pid
        self.started = started
        self.notReady = notReady
        self.listen = listen
        self.workers = workers
        self.policy = policy
        self.answers = answers
        self.mappings = mappings
        self.feed = feed
        self.upstreams = upstreams
        self.counters = counters
    }

    /// The policy in force.
    public struct Policy: Codable, Hashable, Sendable {
        /// `default`, `always`, `never` or `audit`.
        public var enforcement: String
        /// Number of the snapshot, counted from 1.
        public var generation: UInt64
        /// Policy documents.
        public var policies: Int
        /// Rules in them.
        public var rules: Int
        /// Identities, `reserved:unknown` not counted.
        public var identities: Int
        /// When the snapshot came into force: UTC seconds since the epoch.
        public var loaded: Double
        /// What was wrong with the last reload, one line each; empty when it succeeded.
        public var problems: [String]

        /// The state of the policy from all its parts.
        public init(
            enforcement: String, generation: UInt64, policies: Int, rules: Int, identities: Int, loaded: Double,
            problems: [String] = []
        ) {
            self.enforcement = enforcement
            self.generation = generation
            self.policies = policies
            self.rules = rules
            self.identities = identities
            self.loaded = loaded
            self.problems = problems
        }
    }

    /// The answer cache.
    public struct Answers: Codable, Hashable, Sendable {
        /// Answers held.
        public var entries: Int
        /// Bytes of those.
        public var bytes: Int
        /// Bytes that the cache may occupy.
        public var capacity: Int
        /// Lookups that found a fresh answer.
        public var hits: UInt64
        /// Lookups that found nothing usable.
        public var misses: UInt64

        /// The state of the cache from all its parts.
        public init(entries: Int, bytes: Int, capacity: Int, hits: UInt64, misses: UInt64) {
            self.entries = entries
            self.bytes = bytes
            self.capacity = capacity
            self.hits = hits
            self.misses = misses
        }
    }

    /// The feed.
    public struct Feed: Codable, Hashable, Sendable {
        /// Path of the socket that enforcers connect to; nil for none.
        public var socket: String?
        /// Folder of the journal; nil for none.
        public var journal: String?
        /// The journal's UUID.
        public var instance: String?
        /// The last sequence number that was assigned.
        public var sequence: UInt64
        /// The highest sequence number that is journalled and acknowledged.
        public var released: UInt64
        /// The subscribers that are connected, in the order in which they came.
        public var subscribers: [AdminSubscriber]
        /// Those of them that acknowledge.
        public var acknowledging: Int

        /// The state of the feed from all its parts.
        public init(
            socket: String?, journal: String?, instance: String?, sequence: UInt64, released: UInt64,
            subscribers: [AdminSubscriber], acknowledging: Int
        ) {
            self.socket = socket
            self.journal = journal
            self.instance = instance
            self.sequence = sequence
            self.released = released
            self.subscribers = subscribers
            self.acknowledging = acknowledging
        }
    }
}

/// What the mapping table holds.
public struct AdminMappingTotals: Codable, Hashable, Sendable {
    /// Identities that have a mapping.
    public var identities: Int
    /// Names, counted once for each identity.
    public var names: Int
    /// Addresses, counted once for each name.
    public var addresses: Int

    /// The totals of a table.
    public init(identities: Int, names: Int, addresses: Int) {
        self.identities = identities
        self.names = names
        self.addresses = addresses
    }
}

/// A server that questions are forwarded to.
public struct AdminUpstream: Codable, Hashable, Sendable {
    /// How it is written in the configuration, port included.
    public var server: String
    /// The domains of its route; empty for the rest.
    public var domains: [String]
    /// Whether it answers.
    public var isUp: Bool
    /// How long it takes to answer, smoothed, in seconds; nil before its first answer.
    public var roundTrip: Double?
    /// Whether it returns questions in the case in which they were written.
    public var keepsCase: Bool
    /// Whether it knows EDNS.
    public var knowsEDNS: Bool
    /// What is wrong with connections to it; nil when nothing is.
    public var problem: String?

    /// The state of `server`.
    public init(
        server: String, domains: [String] = [], isUp: Bool, roundTrip: Double? = nil, keepsCase: Bool = true,
        knowsEDNS: Bool = true, problem: String? = nil
    ) {
        self.server = server
        self.domains = domains
        self.isUp = isUp
        self.roundTrip = roundTrip
        self.keepsCase = keepsCase
        self.knowsEDNS = knowsEDNS
        self.problem = problem
    }
}
