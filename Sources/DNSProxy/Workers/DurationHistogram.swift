/// How long something took, counted in a few fixed ranges: plain data.
public struct DurationHistogram: Sendable {
    /// Up to how many nanoseconds each range but the last reaches: 50 µs to 5 s in steps of about 2.
    static let bounds: [16 of Int64] = [
        50_000, 100_000, 250_000, 500_000, 1_000_000, 2_500_000, 5_000_000, 10_000_000, 25_000_000, 50_000_000,
        100_000_000, 250_000_000, 500_000_000, 1_000_000_000, 2_500_000_000, 5_000_000_000,
    ]

    /// How many took how long, by range; the last one has what took longer than all bounds.
    public private(set) var counts = InlineArray<17, UInt64>(repeating: 0)
    /// The sum in nanoseconds.
    public private(set) var nanoseconds: UInt64 = 0

    /// Nothing counted yet.
    public init() {}

    /// How many were counted.
    public var count: UInt64 {
        var sum: UInt64 = 0
        for index in counts.indices { sum += counts[index] }
        return sum
    }

    /// Counts `number` things that took `nanoseconds` each; less than nothing counts as nothing, more than an hour as an
    /// hour.
    mutating func add(_ nanoseconds: Int64, count number: UInt64 = 1) {
        let told = min(max(nanoseconds, 0), 3_600_000_000_000)
        var range = 0
        while range < DurationHistogram.bounds.count, told > DurationHistogram.bounds[range] { range += 1 }
        counts[range] += number
        self.nanoseconds &+= UInt64(told) &* number
    }

    /// The sums of both.
    static func + (left: DurationHistogram, right: DurationHistogram) -> DurationHistogram {
        var sum = left
        for range in sum.counts.indices { sum.counts[range] += right.counts[range] }
        sum.nanoseconds &+= right.nanoseconds
        return sum
    }
}

/// How long the queries of one worker took: plain data.
public struct WorkerDurations: Sendable {
    /// From the turn in which a query was received to its reply.
    public var requests = DurationHistogram()
    /// From a question's way to an upstream to its answer.
    public var upstreams = DurationHistogram()
    /// From a finished reply to its way to the client, of replies that waited for the feed.
    public var holds = DurationHistogram()

    /// Nothing counted yet.
    public init() {}

    /// The sums of both.
    public static func + (left: WorkerDurations, right: WorkerDurations) -> WorkerDurations {
        var sum = left
        sum.requests = left.requests + right.requests
        sum.upstreams = left.upstreams + right.upstreams
        sum.holds = left.holds + right.holds
        return sum
    }
}
