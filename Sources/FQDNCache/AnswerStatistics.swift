/// What an answer cache holds and has done; the counters start at zero with the process and never go back.
public struct AnswerStatistics: Hashable, Sendable {
    /// Answers held, those past their lifetime included.
    public var entries = 0
    /// Bytes of those answers with their headers.
    public var bytesUsed = 0
    /// Bytes that the cache may occupy in all, its index included.
    public var capacity = 0
    /// Lookups that found a fresh answer.
    public var hits: UInt64 = 0
    /// Lookups that found a stale answer and were allowed to use it.
    public var staleHits: UInt64 = 0
    /// Lookups that found nothing usable.
    public var misses: UInt64 = 0
    /// Answers stored, replacements included.
    public var insertions: UInt64 = 0
    /// Answers dropped while they could still be served, to make room.
    public var evictions: UInt64 = 0
    /// Answers dropped at the end of their life, when their place was needed.
    public var expirations: UInt64 = 0
    /// Answers not stored: too large, malformed, without lifetime, or a failure that would have displaced a good
    /// answer.
    public var rejected: UInt64 = 0

    /// Nothing yet.
    public init() {}

    /// Adds the figures of another shard.
    static func += (total: inout AnswerStatistics, part: AnswerStatistics) {
        total.entries += part.entries
        total.bytesUsed += part.bytesUsed
        total.capacity += part.capacity
        total.hits &+= part.hits
        total.staleHits &+= part.staleHits
        total.misses &+= part.misses
        total.insertions &+= part.insertions
        total.evictions &+= part.evictions
        total.expirations &+= part.expirations
        total.rejected &+= part.rejected
    }
}
