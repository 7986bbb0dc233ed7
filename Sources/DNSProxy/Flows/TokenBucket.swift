import FQDNCache

/// Lets so many through in a second; after a quiet second, a second's worth at once. Plain data; time is a parameter.
struct TokenBucket {
    /// Nanoseconds that are saved up.
    private var credit: Int64 = 0
    /// When that was added up last; nil before the first time.
    private var updated: Moment?

    /// Nanoseconds that are saved up at most, unless a single one costs more.
    private static let fullCredit: Int64 = 1_000_000_000

    /// Whether another one may pass at `now`, when each costs `interval` nanoseconds; nil for none at all.
    mutating func take(interval: Int64?, now: Moment) -> Bool {
        guard let interval else { return false }
        let limit = max(TokenBucket.fullCredit, interval)
        if let updated {
            let (sum, overflow) = credit.addingReportingOverflow(max(0, now.nanoseconds(since: updated)))
            credit = overflow ? limit : min(sum, limit)
        } else {
            credit = limit
        }
        updated = max(updated ?? now, now)
        guard credit >= interval else { return false }
        credit -= interval
        return true
    }
}
