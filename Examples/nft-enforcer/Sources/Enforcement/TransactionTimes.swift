/// How long the last transactions took.
struct TransactionTimes: Sendable {
    /// The times of the last transactions, in microseconds; a ring.
    private var recent: [Int] = []
    /// Transactions so far.
    private var count = 0

    /// How many times are kept.
    private static let limit = 10_000

    /// Adds a time.
    mutating func add(_ time: Duration) {
        if recent.count < TransactionTimes.limit {
            recent.append(time.microseconds)
        } else {
            recent[count % TransactionTimes.limit] = time.microseconds
        }
        count += 1
    }

    /// The count, the median and the 99th percentile as text; nil if there were no transactions.
    var summary: String? {
        guard !recent.isEmpty else { return nil }
        let sorted = recent.sorted()
        let (median, high) = (sorted[sorted.count / 2], sorted[sorted.count * 99 / 100])
        return "\(count) transactions, p50 \(median) us, p99 \(high) us"
    }
}

extension Duration {
    /// Whole microseconds.
    var microseconds: Int {
        let (seconds, attoseconds) = components
        return Int(seconds) * 1_000_000 + Int(attoseconds / 1_000_000_000_000)
    }
}
