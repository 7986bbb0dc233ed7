import FQDNCache

/// Whether clients may be sent here: the decision behind `/ready`, apart from where its facts come from.
///
/// That a policy is in force and the journal restored is not among the facts: an engine does not exist before.
struct Readiness {
    /// Whether every listener is bound.
    var isListening: Bool
    /// Whether there are zone files; they are enough where no upstream is configured.
    var hasLocalRecords: Bool
    /// What is known of the servers of all routes.
    var servers: [UpstreamBoard.State]
    /// Answers in the cache, those past their lifetime included.
    var cachedAnswers: Int
    /// Seconds that an answer past its lifetime may be served.
    var serveStale: UInt32

    /// Seconds for which a failure says something about a server. A worker asks a server that is down every half a minute
    /// as long as there are questions; when there are none, because clients are kept away, nobody knows any more, and
    /// somebody has to try.
    static let failureLifetime: Int64 = 60

    /// What is missing `now`, one line each; empty when nothing is.
    func missing(now: Moment) -> [String] {
        guard isListening else { return ["the listeners are not bound yet"] }
        // Without an upstream local records are all that anybody is promised; beside one they are a few names of many.
        if servers.isEmpty { return hasLocalRecords ? [] : ["there is no upstream"] }
        guard !hasStaleAnswers(now: now), servers.allSatisfy({ Readiness.isSilent($0, now: now) }) else { return [] }
        return ["no upstream answers"]
    }

    /// Whether the cache can stand in for the upstreams: what one of them said less than `serveStale` ago may still be
    /// served. Before the first answer the cache has nothing but failures.
    private func hasStaleAnswers(now: Moment) -> Bool {
        guard cachedAnswers > 0, let last = servers.compactMap(\.answeredAt).max() else { return false }
        return now < last.adding(seconds: Int64(serveStale))
    }

    /// Whether a server has failed lately and not answered since. One that nobody has asked yet is not: there are no
    /// questions before the daemon is ready.
    private static func isSilent(_ server: UpstreamBoard.State, now: Moment) -> Bool {
        guard let failedAt = server.failedAt, now < failedAt.adding(seconds: failureLifetime) else { return false }
        return server.answeredAt.map { $0 < failedAt } ?? true
    }
}
