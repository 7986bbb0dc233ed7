internal import Synchronization

/// What publishing threads and the hub's loop share.
final class HubShared: Sendable {
    /// Changes on their way to the loop.
    let queue: Mutex<PublishQueue>
    /// See `FeedHub.released`; written by the loop only, but for a passive hub.
    let released: Atomic<UInt64>
    /// See `FeedHub.joins`.
    let joins = Atomic<UInt64>(0)
    /// See `FeedHub.acknowledgingSubscribers`.
    let acknowledging = Atomic<Int>(0)
    /// The identities, in the state that the queue's last number stands for; locked before the queue.
    let identities: Mutex<IdentityBook>
    /// See `FeedHub.isRejected`.
    let rejected: RejectedSequences
    /// What the loop has counted.
    let counters = Mutex(FeedHubCounters())

    /// Shares numbers that go on behind `last`.
    init(last: UInt64, limit: Int, identities: consuming IdentityBook, rejectionLimit: Int) {
        queue = Mutex(PublishQueue(last: last, limit: limit))
        released = Atomic(last)
        self.identities = Mutex(identities)
        rejected = RejectedSequences(limit: rejectionLimit)
    }
}

/// Changes that were numbered and not yet taken by the loop.
struct PublishQueue: Sendable {
    /// The last number that was given.
    private(set) var last: UInt64
    /// Changes that were numbered.
    private(set) var published: UInt64 = 0
    /// Changes that found no room.
    private(set) var refused: UInt64 = 0
    /// Whether nothing is taken any more.
    var isClosed = false
    /// Changes in the order of their numbers, which have no gap.
    private var events: [FeedEvent] = []
    /// How many changes wait at most.
    private let limit: Int
    /// Whether the loop has to be woken.
    private var isIdle = true

    /// An empty queue.
    init(last: UInt64, limit: Int) {
        self.last = last
        self.limit = limit
    }

    /// Changes that wait.
    var count: Int { events.count }

    /// Numbers an event and keeps it, or returns 0.
    /// - Parameter isLimited: whether the limit holds for this event.
    @inline(__always)
    mutating func push(isLimited: Bool, _ event: (UInt64) -> FeedEvent) -> UInt64 {
        guard !isClosed, events.count < limit || !isLimited else {
            refused += 1
            return 0
        }
        events.append(event(skip()))
        return last
    }

    /// Whether the caller has to wake the loop: something waits, and nobody has done so.
    mutating func takeWake() -> Bool {
        guard isIdle, !events.isEmpty else { return false }
        isIdle = false
        return true
    }

    /// Gives out a number without keeping an event.
    mutating func skip() -> UInt64 {
        last += 1
        published += 1
        return last
    }

    /// Exchanges all that wait for the empty `taken`; if nothing waits, the loop has to be woken for what comes next.
    mutating func take(_ taken: inout [FeedEvent]) {
        guard !events.isEmpty else {
            isIdle = true
            return
        }
        swap(&events, &taken)
    }
}

/// What a hub tells the daemon, on its loop.
struct HubHandlers: Sendable {
    /// Told of a new `released`.
    let onChange: @Sendable (UInt64) -> Void
    /// Told of connections that live.
    let onInUse: @Sendable (AddressesInUse) -> Void
    /// Told of changes that are not in force.
    let onReject: @Sendable (FeedRejection, FeedEvent?) -> Void
}
