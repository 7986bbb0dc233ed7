/// How many queries ended in which way, a second.
struct PageSample: Codable, Equatable, Sendable {
    /// When the second ended: UTC seconds since the epoch.
    var at: Double
    /// Answered from the cache, past the answer's lifetime included.
    var cache: Double
    /// Answered by an upstream.
    var resolved: Double
    /// Answered here.
    var local: Double
    /// Refused by the policy, or because no identity owns the client.
    var denied: Double
    /// Answered because of audit; these are among the first three as well.
    var audited: Double
    /// Answered SERVFAIL.
    var failed: Double
    /// Refused because of what they are, or not answered at all.
    var rejected: Double

    /// What has happened from `earlier` to `later`, which are `seconds` apart.
    init(at: Double, from earlier: WorkerCounters, to later: WorkerCounters, seconds: Double) {
        func rate(_ count: (WorkerCounters) -> UInt64) -> Double {
            // Counters are shown worker by worker, and never go back.
            let difference = Double(count(later)) - Double(count(earlier))
            return seconds > 0 ? (max(difference, 0) / seconds * 100).rounded() / 100 : 0
        }
        self.at = (at * 1_000).rounded() / 1_000
        cache = rate { $0.ended(.cache) }
        resolved = rate { $0.ended(.resolved) }
        local = rate { $0.ended(.local) }
        denied = rate { $0.ended(.denied) }
        audited = rate { $0.audited }
        failed = rate { $0.ended(.failed) }
        rejected = rate { $0.ended(.rejected) }
    }

    /// All queries, a second.
    var queries: Double { cache + resolved + local + denied + failed + rejected }

    /// Which part of what was answered came from the cache; nil when nothing was answered.
    var cacheShare: Double? {
        let answered = cache + resolved + local
        return answered > 0 ? cache / answered : nil
    }
}
