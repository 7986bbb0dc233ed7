import Synchronization

/// Which worker has which question with upstreams, so that identical questions that came to different workers share
/// one upstream query. Only misses look here; each looks at one shard, behind its own lock.
final class ExchangeDirectory: Sendable {
    /// The shards; their number is a power of two.
    private let shards: [Shard]

    /// One shard.
    private final class Shard: Sendable {
        /// Workers by the key of the question.
        let owners = Mutex<[ShortKey: Int]>([:])
    }

    /// Number of shards.
    private static let shardCount = 32

    /// An empty directory.
    init() {
        shards = (0..<ExchangeDirectory.shardCount).map { _ in Shard() }
    }

    /// The worker that has the question with `key`; when nobody has, `worker` has it from now on and nil is returned.
    func claim(_ key: UInt64, for worker: Int) -> Int? {
        shard(key).owners.withLock { owners in
            if let owner = owners[ShortKey(key)] { return owner }
            owners[ShortKey(key)] = worker
            return nil
        }
    }

    /// Notes that `worker` is done with the question with `key`.
    func release(_ key: UInt64, by worker: Int) {
        shard(key).owners.withLock { owners in
            if owners[ShortKey(key)] == worker { owners[ShortKey(key)] = nil }
        }
    }

    /// Questions that are listed.
    var count: Int { shards.reduce(0) { sum, shard in sum + shard.owners.withLock { $0.count } } }

    /// The shard of `key`.
    private func shard(_ key: UInt64) -> Shard { shards[Int(key >> 59) & (ExchangeDirectory.shardCount - 1)] }
}
