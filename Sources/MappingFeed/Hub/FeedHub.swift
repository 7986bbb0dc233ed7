public import Logging
public import NIOCore
internal import NIOPosix
internal import Synchronization

/// Where mappings leave the daemon: numbered, journalled, and sent to every subscriber, in that order.
///
/// `publish` may be called by any thread. All else happens on the one event loop that the hub is given, and what takes
/// long (snapshots) on two threads of its own. Without a journal and without a socket the hub only counts.
public final class FeedHub: Sendable {
    /// What the loop and the publishing threads share.
    private let shared: HubShared
    /// What only the loop touches.
    private let core: NIOLoopBoundBox<HubCore>
    /// The loop.
    private let loop: any EventLoop
    /// Where snapshots are read and written.
    private let pool: NIOThreadPool
    /// Whether nobody listens and nothing is kept, so that publishing is counting.
    private let isPassive: Bool

    /// The UUID that the sequence numbers belong to.
    public let instance: String

    /// A hub that goes on where `journal` ends.
    /// - Parameters:
    ///   - loop: runs everything but `publish`.
    ///   - journal: nil keeps nothing; `released` then means acknowledged only.
    ///   - snapshot: every mapping, for new subscribers and for compaction.
    ///   - onChange: called on the loop with `released` whenever that has changed, at most once per batch, and when an enforcer
    ///     that acknowledges has joined.
    ///   - onInUse: called on the loop with what a subscriber reported.
    ///   - onReject: called on the loop with a change that an enforcer could not put in force, when `isRejected` already
    ///     says so; with the event, unless that is gone or was told by a snapshot.
    public init(
        loop: any EventLoop, configuration: FeedHubConfiguration, journal: consuming Journal?,
        snapshot: @escaping FeedSnapshotSource, logger: Logger,
        onChange: @escaping @Sendable (UInt64) -> Void = { _ in },
        onInUse: @escaping @Sendable (AddressesInUse) -> Void = { _ in },
        onReject: @escaping @Sendable (FeedRejection, FeedEvent?) -> Void = { _, _ in }
    ) {
        var journal = journal
        let last = journal?.restoration.lastSequence ?? 0
        let instance = journal?.instance ?? randomUUID()
        isPassive = journal == nil && configuration.socketPath == nil
        self.loop = loop
        self.instance = instance
        pool = NIOThreadPool(numberOfThreads: 2)
        shared = HubShared(
            last: last, limit: configuration.queueLimit, identities: journal?.restoration.identities ?? IdentityBook(),
            rejectionLimit: configuration.rejectionLimit)
        core = NIOLoopBoundBox.makeBoxSendingValue(
            HubCore(
                loop: loop, pool: pool, shared: shared, configuration: configuration, instance: instance, last: last,
                journal: journal.take(), snapshot: snapshot, logger: logger,
                handlers: HubHandlers(onChange: onChange, onInUse: onInUse, onReject: onReject)),
            eventLoop: loop)
    }

    /// Makes the socket and begins to listen; also what keeps time for the journal, so call it without a socket too.
    /// - Throws: `FeedSocketError` when the socket cannot be made.
    public func start() async throws {
        pool.start()
        let core = core
        try await loop.submit { core.value.start() }.get()
        try await loop.flatSubmit { core.value.listen() }.get()
    }

    /// Takes no more changes, writes what was published, tells the subscribers, and closes everything.
    public func shutdown() async {
        shared.queue.withLock { $0.isClosed = true }
        let core = core
        try? await loop.flatSubmit { core.value.beginShutdown() }.get()
        try? await pool.shutdownGracefully()
        try? await loop.submit { core.value.endShutdown() }.get()
    }

    /// Leaves the journal's files as they are but for what is appended, until `resumeCompaction`; returns when that is so.
    public func suspendCompaction() async {
        let core = core
        try? await loop.flatSubmit { core.value.suspendCompaction() }.get()
    }

    /// Compacts the journal again when that is due.
    public func resumeCompaction() async {
        let core = core
        try? await loop.submit { core.value.resumeCompaction() }.get()
    }

    /// Whether nothing waits because the journal cannot be written.
    public func isJournalComplete() async -> Bool {
        let core = core
        return (try? await loop.submit { core.value.journalState.isComplete }.get()) ?? true
    }

    /// Takes no more changes, writes what was published, and lets go of the journal and the socket at once, so that another
    /// process can go on with them; `shutdown` is still to be called.
    public func handOver() async {
        shared.queue.withLock { $0.isClosed = true }
        let core = core
        try? await loop.flatSubmit { core.value.handOver() }.get()
    }

    // MARK: Any thread

    /// Numbers an upsert and hands it to the loop; 0 means that the queue is full or closed and nothing was taken.
    /// - Parameter wakes: whether the loop is woken now; who has more to publish calls `wake` behind the last one instead.
    public func publish(_ upsert: MappingUpsert, wakes: Bool = true) -> UInt64 {
        enqueue(wakes: wakes) { sequence in
            var upsert = upsert
            upsert.sequence = sequence
            return .upsert(upsert)
        }
    }

    /// Numbers a delete and hands it to the loop; 0 means that the queue is full or closed and nothing was taken.
    /// - Parameter wakes: as for an upsert.
    public func publish(_ delete: MappingDelete, wakes: Bool = true) -> UInt64 {
        enqueue(wakes: wakes) { sequence in
            var delete = delete
            delete.sequence = sequence
            return .delete(delete)
        }
    }

    /// Has the loop take what was published without waking it.
    public func wake() {
        if shared.queue.withLock({ $0.takeWake() }) { drainOnLoop() }
    }

    /// Numbers an identity and hands it to the loop; 0 means that the queue is full or closed and nothing was taken.
    public func publish(_ identity: FeedIdentity) -> UInt64 {
        shared.identities.withLock { publish(identity, &$0, isLimited: true) }
    }

    /// Publishes those of `identities` that are new or differ from what was published, before a restart included;
    /// returns the number of the last of them, 0 for none.
    ///
    /// To be called before anything can be learned for them, so that every identity precedes its mappings. The queue's
    /// limit does not hold for them.
    @discardableResult
    public func announce(_ identities: some Sequence<FeedIdentity>) -> UInt64 {
        shared.identities.withLock { book in
            var last: UInt64 = 0
            for identity in identities where !book.holds(identity) {
                last = publish(identity, &book, isLimited: false)
            }
            return last
        }
    }

    /// Publishes that every identity but `kept` is gone; returns the number of the last such change, 0 for none.
    ///
    /// To be called when nothing is learned for them any more and what was learned is removed.
    @discardableResult
    public func withdrawIdentities(except kept: Set<UInt64>) -> UInt64 {
        shared.identities.withLock { book in
            var last: UInt64 = 0
            for identity in book.identities.values.sorted(by: { $0.id < $1.id }) where !kept.contains(identity.id) {
                let gone = FeedIdentity(
                    id: identity.id, name: identity.name, namespace: identity.namespace, labels: identity.labels,
                    addresses: identity.addresses, isRemoved: true)
                last = publish(gone, &book, isLimited: false)
            }
            return last
        }
    }

    /// Publishes an identity while the book of them is locked, so that the book and the queue have the same order.
    private func publish(_ identity: FeedIdentity, _ book: inout IdentityBook, isLimited: Bool) -> UInt64 {
        let sequence = enqueue(isLimited: isLimited) { sequence in
            var identity = identity
            identity.sequence = sequence
            return .identity(identity)
        }
        if sequence > 0 { book.take(identity, sequence) }
        return sequence
    }

    /// Numbers an event, and wakes the loop if it has nothing to do.
    @inline(__always)
    private func enqueue(isLimited: Bool = true, wakes: Bool = true, _ event: (UInt64) -> FeedEvent) -> UInt64 {
        var hasToWake = false
        let sequence = shared.queue.withLock { (queue) -> UInt64 in
            if isPassive, !queue.isClosed {
                let sequence = queue.skip()
                shared.released.store(sequence, ordering: .releasing)
                return sequence
            }
            let sequence = queue.push(isLimited: isLimited, event)
            hasToWake = wakes && queue.takeWake()
            return sequence
        }
        if hasToWake { drainOnLoop() }
        return sequence
    }

    /// Wakes the loop, which takes all that was published until there is nothing left.
    private func drainOnLoop() {
        let core = core
        loop.execute { core.value.drain() }
    }

    /// Everything up to this sequence number is journalled and acknowledged by every subscriber that acknowledges.
    ///
    /// It goes down when such a subscriber joins, see `joins`, and may jump up when one leaves.
    public var released: UInt64 { shared.released.load(ordering: .acquiring) }

    /// Whether an enforcer said that the change `sequence` is not in force.
    ///
    /// Known before `released` reaches the change, for an enforcer that rejects before it acknowledges; the last
    /// `FeedHubConfiguration.rejectionLimit` of them are remembered.
    public func isRejected(_ sequence: UInt64) -> Bool { shared.rejected.contains(sequence) }

    /// How many acknowledging subscribers have ever joined; whoever remembers that something was released forgets it
    /// when this has changed.
    public var joins: UInt64 { shared.joins.load(ordering: .acquiring) }

    /// Acknowledging subscribers that are there now.
    public var acknowledgingSubscribers: Int { shared.acknowledging.load(ordering: .acquiring) }

    /// The last sequence number that was assigned.
    public var lastSequence: UInt64 { shared.queue.withLock { $0.last } }

    /// Every subscriber that is there now, in the order in which they connected.
    public var subscribers: [FeedSubscriberStatus] {
        get async {
            let core = core
            return (try? await loop.submit { core.value.statuses() }.get()) ?? []
        }
    }

    /// What has happened so far.
    public var counters: FeedHubCounters {
        var counters = shared.counters.withLock { $0 }
        shared.queue.withLock { queue in
            counters.published = queue.published
            counters.refused = queue.refused
            counters.queued = queue.count
        }
        return counters
    }
}

/// Hands out every mapping in chunks: called with 0 first, then with what it returned, until it returns nil.
///
/// Each call gives a bounded number of upserts (some hundreds) to the function that it is handed; their sequence numbers
/// do not matter, and other events are ignored: the hub knows the identities by what was published of them. Calls come
/// from any thread, several listings at once. What is published while a listing goes on may be in it or not; what was
/// published before its first call must be.
public typealias FeedSnapshotSource = @Sendable (_ cursor: UInt64, _ emit: (FeedEvent) -> Void) -> UInt64?
