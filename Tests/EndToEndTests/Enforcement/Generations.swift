import Synchronization

/// Which addresses the names have now, and which they have had.
final class Generations: Sendable {
    /// When each generation but the last was replaced: from then on nobody gets its addresses from the nameserver.
    private let replaced = Mutex<[ContinuousClock.Instant]>([])

    /// After this time no address of a replaced generation may be open: the longest TTL of an answer in the cache
    /// (5 s), the second by which TTLs are rounded, the time for which an answer may wait for the enforcer (5 s), the
    /// grace (1 s), the kernel's rounding (1 s), and some for a machine that is busy.
    private static let end = Duration.seconds(16)

    /// The number of the generation that the nameserver has.
    var current: Int { replaced.withLock { $0.count } }

    /// The nameserver has the next generation.
    func advance() { replaced.withLock { $0.append(.now) } }

    /// A generation whose addresses have to be closed by now; nil if there is none yet.
    func closed() -> Int? {
        let now = ContinuousClock.now
        return replaced.withLock { $0.prefix { $0 + Generations.end < now }.indices.randomElement() }
    }
}
