/// How long a server takes to answer, from its own answers: a smoothed time and its variation (RFC 6298, section 2).
struct RoundTrip {
    /// The smoothed time in nanoseconds; meaningless without a sample.
    private(set) var smoothed: Int64 = 0
    /// The smoothed distance of samples from it, in nanoseconds.
    private var variation: Int64 = 0
    /// Whether there was a sample yet.
    private(set) var isKnown = false

    /// The least patience in nanoseconds: below it a second question costs more than it can win.
    static let leastPatience: Int64 = 20_000_000
    /// The most patience in nanoseconds, also with a server that nothing is known of.
    static let mostPatience: Int64 = 400_000_000

    /// Nanoseconds after which an answer is later than usual: the smoothed time and four times its variation, at least
    /// 20 ms, at most 400 ms.
    var patience: Int64 {
        guard isKnown else { return RoundTrip.mostPatience }
        return min(max(smoothed + 4 * variation, RoundTrip.leastPatience), RoundTrip.mostPatience)
    }

    /// Takes a sample in nanoseconds; what is beyond a minute counts as a minute.
    mutating func add(_ sample: Int64) {
        let sample = min(max(sample, 0), 60_000_000_000)
        guard isKnown else {
            smoothed = sample
            variation = sample / 2
            isKnown = true
            return
        }
        variation += (abs(smoothed - sample) - variation) / 4
        smoothed += (sample - smoothed) / 8
    }
}
