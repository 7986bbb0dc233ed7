/// What the page shows of this moment, once a second.
struct PageState: Codable, Sendable {
    /// The last second.
    var sample: PageSample
    /// The last few seconds.
    var figures: Figures
    /// Since the start.
    var totals: Totals
    /// The name of the machine.
    var host: String
    /// The daemon's version.
    var version: String
    /// When it started: UTC seconds since the epoch.
    var started: Double
    /// What is missing before it is ready; empty when it is.
    var notReady: [String]
    /// The policy in force, without the places of its documents.
    var policy: Policy
    /// The servers that questions are forwarded to.
    var upstreams: [AdminUpstream]
    /// The subscribers of the feed.
    var subscribers: [AdminSubscriber]
    /// The mapping table.
    var mappings: AdminMappingTotals
    /// Bytes of the answers in the cache.
    var cacheBytes: Int
    /// Bytes that the cache may occupy.
    var cacheCapacity: Int
    /// What was denied lately.
    var denials: AdminDenials

    /// Figures over `PageTicker.window` seconds.
    struct Figures: Codable, Sendable {
        /// Queries a second.
        var queries: Double
        /// Those that were denied.
        var denied: Double
        /// Those that failed.
        var failed: Double
        /// Which part of the answers came from the cache; nil when there were none.
        var cacheShare: Double?
        /// Seconds within which half of all responses left; nil when there were none.
        var median: Double?
        /// Seconds within which 99 of 100 responses left; nil when there were none.
        var p99: Double?
    }

    /// Counters since the start.
    struct Totals: Codable, Sendable {
        /// Queries received.
        var queries: UInt64
        /// Those answered from the cache.
        var cache: UInt64
        /// Those that were denied.
        var denied: UInt64
        /// Those that failed.
        var failed: UInt64
        /// Those that wait for an upstream or the feed.
        var waiting: Int
    }

    /// The policy in force.
    struct Policy: Codable, Sendable {
        /// `default`, `always`, `never` or `audit`.
        var enforcement: String
        /// Number of the snapshot.
        var generation: UInt64
        /// Policy documents.
        var policies: Int
        /// Identities, `reserved:unknown` not counted.
        var identities: Int
        /// When it came into force: UTC seconds since the epoch.
        var loaded: Double
        /// Errors of the last reload, which then changed nothing.
        var errors: Int
    }
}
