internal import BasicContainers
public import DNSWire
internal import Synchronization

/// Responses by question, within a fixed amount of memory, shared by all workers.
///
/// Split into shards by the hash of the name, each behind its own lock. An answer is one run of bytes; a lookup copies
/// it out and counts its TTLs down, and neither allocates nor throws nor touches a reference count.
public final class AnswerCache: Sendable {
    /// The shards; their number is a power of two.
    let shards: RigidArray<Mutex<AnswerShard>>
    /// Bits of a name's hash that are not used to choose the shard.
    private let shardShift: UInt64

    /// The smallest capacity, in bytes; less is taken as this.
    public static let minimumCapacity = 65_536
    /// The largest capacity, in bytes; more is taken as this.
    public static let maximumCapacity = 1 << 40
    /// Bytes of a shard, as long as there are no more than `maximumShards`.
    private static let shardCapacity = 1 << 20
    /// Most shards that a cache is split into.
    private static let maximumShards = 1024

    /// An empty cache that occupies at most `capacity` bytes, its index included; the memory is taken as it is used.
    public convenience init(capacity: Int) throws(CacheError) {
        let capacity = min(max(capacity, AnswerCache.minimumCapacity), AnswerCache.maximumCapacity)
        let wanted = min(max(capacity / AnswerCache.shardCapacity, 1), AnswerCache.maximumShards)
        try self.init(capacity: capacity, shardBits: Int.bitWidth - 1 - wanted.leadingZeroBitCount)
    }

    /// An empty cache of 2^`shardBits` shards.
    init(capacity: Int, shardBits: Int) throws(CacheError) {
        let count = 1 << shardBits
        var shards = RigidArray<Mutex<AnswerShard>>(capacity: count)
        for number in 0..<count {
            guard let shard = AnswerShard(byteCount: capacity / count, number: number, of: count) else {
                throw .memoryUnavailable(bytes: capacity / count)
            }
            shards.append(Mutex(shard))
        }
        self.shards = shards
        shardShift = UInt64(64 - shardBits)
    }

    /// The number of the shard that holds a name.
    @inline(__always)
    private func shardNumber(_ nameHash: UInt64) -> Int { Int(nameHash >> shardShift) }

    /// Copies the response to a question into `output` and counts every TTL in it down to `now`; nil if there is none.
    ///
    /// Tries the exact key, then the NXDOMAIN that covers every type of the name; a fresh one before a stale one, and a
    /// stale one only with `allowStale`. A message longer than `output` is found all the same and cut: compare the
    /// hit's `length`. The question section is that of the query that was stored: the caller writes the client's own
    /// over it.
    public func lookup(
        _ name: borrowing NameBuffer, _ key: AnswerKey, now: Moment, allowStale: Bool = false,
        into output: inout MutableSpan<UInt8>
    ) -> AnswerHit? {
        shards[shardNumber(name.hash)].withLock {
            $0.lookup(name, key, now: now, allowStale: allowStale, into: &output)
        }
    }

    /// Stores a response and returns the serial of this insertion; nil, counted as rejected, if it was not stored.
    ///
    /// That is so if it has no lifetime, is malformed (`ttlOffsets` outside of `image`), is larger than a tenth of a
    /// shard, or is a failure while a good answer can still be served, if only stale. The TTLs in `image` must already
    /// be those of `TTLPolicy`. An NXDOMAIN that covers every type goes under `AnswerKey.everyType`; anything good that
    /// is later stored for the name removes it. A message whose question has the name in canonical form saves its copy.
    @discardableResult
    public func insert(
        _ name: borrowing NameBuffer, _ key: AnswerKey, image: Span<UInt8>, ttlOffsets: Span<UInt16>,
        _ stored: StoredAnswer, now: Moment
    ) -> UInt64? {
        shards[shardNumber(name.hash)].withLock {
            $0.insert(name, key, image: image, ttlOffsets: ttlOffsets, stored, now: now)
        }
    }

    /// Claims the refresh (prefetch, or the retry behind a stale answer) of what `lookup` finds, for `seconds` from
    /// `now` or until it is replaced; false if somebody else's claim is running or there is nothing to refresh: no
    /// answer, or one in the first half of its life, which was renewed since the caller has looked.
    public func claimRefresh(_ name: borrowing NameBuffer, _ key: AnswerKey, now: Moment, seconds: UInt32) -> Bool {
        shards[shardNumber(name.hash)].withLock { $0.claimRefresh(name, key, now: now, seconds: seconds) }
    }

    /// Drops what there is for a question, the NXDOMAIN that covers every type of the name included; for when a newer
    /// response says something else and may not be kept.
    public func remove(_ name: borrowing NameBuffer, _ key: AnswerKey) {
        shards[shardNumber(name.hash)].withLock { $0.remove(name, key) }
    }

    /// Drops everything, gives the memory back, and returns how many answers there were.
    @discardableResult
    public func removeAll() -> Int {
        var removed = 0
        for number in shards.indices { removed += shards[number].withLock { $0.removeAll() } }
        return removed
    }

    /// Drops every answer for whose canonical name the predicate holds and returns how many; locks a shard at a time.
    @discardableResult
    public func remove(where isUnwanted: (_ name: Span<UInt8>) -> Bool) -> Int {
        var removed = 0
        for number in shards.indices { removed += shards[number].withLock { $0.remove(where: isUnwanted) } }
        return removed
    }

    /// Calls `body` for up to about `limit` answers from `cursor` on, and returns where to go on; nil at the end.
    ///
    /// Start with `AnswerCursor()`. An answer that comes, goes or is moved between two calls may be seen or not, or
    /// twice; all others are seen, and only once unless the index of their shard has grown in between. No lock is held
    /// while `body` runs.
    public func list(
        from cursor: AnswerCursor, limit: Int, now: Moment, _ body: (AnswerListing) -> Void
    ) -> AnswerCursor? {
        var cursor = cursor
        var listed: [AnswerListing] = []
        while cursor.shard < shards.count, listed.count < max(limit, 1) {
            let wanted = max(limit, 1) - listed.count
            cursor = shards[cursor.shard].withLock { shard in
                shard.list(from: cursor, limit: wanted, now: now) { listed.append($0) }
            }
        }
        for answer in listed { body(answer) }
        return cursor.shard < shards.count ? cursor : nil
    }

    /// What the cache holds and has done, added up over the shards.
    public var statistics: AnswerStatistics {
        var total = AnswerStatistics()
        for number in shards.indices { total += shards[number].withLock { $0.statistics } }
        return total
    }
}
