internal import Logging
internal import NIOCore
internal import NIOPosix
internal import Synchronization

/// The hub's state that only its event loop touches.
final class HubCore {
    /// The loop.
    let loop: any EventLoop
    /// Where snapshots are read and written.
    let pool: NIOThreadPool
    /// What publishing threads share with the loop.
    let shared: HubShared
    /// The limits.
    let configuration: FeedHubConfiguration
    /// The UUID that the sequence numbers belong to.
    let instance: String
    /// Every mapping.
    let snapshot: FeedSnapshotSource
    /// Where disconnects and journal errors are told.
    let logger: Logger
    /// What is told of what happens.
    let handlers: HubHandlers

    /// The connections, subscribed or not yet.
    var subscribers: [ObjectIdentifier: Subscriber] = [:]
    /// Connections that there ever were.
    var connections: UInt64 = 0
    /// Rejections that may still be logged before the next tick.
    var rejectionsToLog = HubCore.rejectionsLogged
    /// Rejections that are logged between two ticks at most.
    private static let rejectionsLogged = 10
    /// Connections that were told to go and are not closed yet.
    var lingering = 0
    /// What was sent last.
    var recent: RecentEvents
    /// The journal, until it is closed.
    var journal: Journal?
    /// How the journal does.
    var journalState: JournalState
    /// Ends with the compaction that is under way; nil when there is none.
    var compaction: EventLoopPromise<Void>?
    /// Whether no compaction begins.
    var isCompactionSuspended = false
    /// The listening channel.
    private var listener: (any Channel)?
    /// The listening channel's file.
    private(set) var socket: UnixSocket?
    /// What keeps the time.
    private var ticker: RepeatedTask?
    /// Changes that were taken from the queue; kept for its capacity.
    private var taken: [FeedEvent] = []
    /// Where the lines of one batch are written; kept for its room.
    private var writer = LineWriter()
    /// Whether the hub stops, told to what runs on the pool.
    let stops = StopFlag()

    /// State that goes on behind `last`.
    init(
        loop: any EventLoop, pool: NIOThreadPool, shared: HubShared, configuration: FeedHubConfiguration,
        instance: String, last: UInt64, journal: consuming Journal?, snapshot: @escaping FeedSnapshotSource,
        logger: Logger, handlers: HubHandlers
    ) {
        self.loop = loop
        self.pool = pool
        self.shared = shared
        self.configuration = configuration
        self.instance = instance
        self.snapshot = snapshot
        self.logger = logger
        self.handlers = handlers
        var journal = journal
        recent = journal?.takeRecent() ?? RecentEvents(last: last, maxEvents: 0, maxBytes: 0)
        recent.limit(events: configuration.recentEvents, bytes: configuration.recentBytes)
        self.journal = journal.take()
        journalState = JournalState(last: last)
    }

    // MARK: From the queue to the journal and the subscribers

    /// Takes what was published: encodes it once, writes it to the journal, and sends it to every subscriber. In this order,
    /// because a number that a subscriber knows must never come to mean something else: after a death in between nobody
    /// knows a change that the journal does not have.
    func drain() {
        // Out of the properties while they are used, so that not each access has to be checked.
        var taken = self.taken
        self.taken = []
        defer { self.taken = taken }
        taken.removeAll(keepingCapacity: true)
        shared.queue.withLock { $0.take(&taken) }
        guard !taken.isEmpty else { return }
        var writer = self.writer
        self.writer = LineWriter()
        var batches: [EventIndex] = []
        var batch = EventIndex(capacity: min(taken.count, HubCore.batchEvents))
        var start = 0
        for index in taken.indices {
            writer.line(taken[index])
            batch.append(taken[index], end: writer.count - start)
            // A batch is what is written to a subscriber at once, so it may not be of any size.
            if batch.length >= HubCore.batchBytes {
                batches.append(batch)
                batch = EventIndex(capacity: min(taken.count - index, HubCore.batchEvents))
                start = writer.count
            }
        }
        if batch.count > 0 { batches.append(batch) }
        var bytes = ByteBuffer(bytes: writer.bytes)
        for batch in batches {
            if let slice = bytes.readSlice(length: batch.length) { recent.append(slice, batch) }
        }
        append(writer.bytes.span, through: recent.last)
        for subscriber in subscribers.values { pump(subscriber) }
        noteClockSteps()
        writer.reset(keeping: HubCore.keptBytes)
        self.writer = writer
        updateReleased()
        compactIfNeeded()
        let bound = NIOLoopBound(self, eventLoop: loop)
        loop.execute { bound.value.drain() }
    }

    /// Bytes from which on a batch is closed.
    private static let batchBytes = 64 << 10
    /// Events that a batch is expected to have at most; an index of a batch is kept as long as that.
    private static let batchEvents = 256
    /// Bytes of scratch space that are kept between batches.
    private static let keptBytes = 1 << 20

    /// Computes `released` anew and tells of it if it has changed.
    func updateReleased() {
        var released = journalState.durable
        for subscriber in subscribers.values {
            if let confirmed = subscriber.confirmed { released = min(released, confirmed) }
        }
        guard released != shared.released.load(ordering: .relaxed) else { return }
        shared.released.store(released, ordering: .releasing)
        handlers.onChange(released)
    }

    /// Changes what was counted.
    func count(_ change: (inout FeedHubCounters) -> Void) {
        shared.counters.withLock { change(&$0) }
    }

    // MARK: Start and end

    /// Begins to keep the time.
    func start() {
        let bound = NIOLoopBound(self, eventLoop: loop)
        ticker = loop.scheduleRepeatedTask(initialDelay: configuration.tick, delay: configuration.tick) { _ in
            bound.value.tick()
        }
        count { $0.journalBytes = journal?.bytes ?? 0 }
        if let error = journal?.openingError { noteJournalError(error) }
        compactIfNeeded()
    }

    /// Begins to listen, if there is a path to listen on.
    func listen() -> EventLoopFuture<Void> {
        guard let path = configuration.socketPath else { return loop.makeSucceededVoidFuture() }
        let socket: UnixSocket
        do {
            socket = try UnixSocket(path, group: configuration.socketGroup)
        } catch {
            return loop.makeFailedFuture(error)
        }
        self.socket = socket
        let bound = NIOLoopBound(self, eventLoop: loop)
        let buffered = configuration.subscriberBufferBytes
        return ServerBootstrap(group: loop, childGroup: loop)
            .serverChannelInitializer { channel in
                channel.eventLoop.makeCompletedFuture {
                    try channel.pipeline.syncOperations.addHandler(
                        AcceptPause { if $0 { bound.value.sayThatNobodyCanConnect() } })
                }
            }
            .childChannelOption(
                .writeBufferWaterMark, value: .init(low: buffered / 4, high: buffered)
            )
            .childChannelInitializer { channel in
                channel.eventLoop.makeCompletedFuture {
                    try channel.pipeline.syncOperations.addHandler(SubscriberHandler(bound.value))
                }
            }
            .withBoundSocket(socket.descriptor)
            .map { bound.value.listener = $0 }
    }

    /// Says that no enforcer can connect.
    private func sayThatNobodyCanConnect() {
        logger.warning("no enforcer can connect: no descriptors or no memory left")
    }

    /// What is due by the clock.
    private func tick() {
        retryJournal()
        compactIfNeeded()
        let now = loop.now
        rejectionsToLog = HubCore.rejectionsLogged
        for subscriber in Array(subscribers.values) { check(subscriber, now) }
        updateReleased()
    }

    /// Writes what was published, and lets go of the journal and of the socket.
    func handOver() -> EventLoopFuture<Void> {
        let closed = stopListening()
        closeJournal(isSynchronized: false)
        updateReleased()
        return closed
    }

    /// Writes what was published, stops listening, and says goodbye to every subscriber.
    func beginShutdown() -> EventLoopFuture<Void> {
        var closed = [stopListening()]
        for subscriber in Array(subscribers.values) {
            closed.append(subscriber.channel.closeFuture)
            disconnect(subscriber, .shutdown, "the daemon stops")
        }
        updateReleased()
        return .andAllComplete(closed, on: loop)
    }

    /// Closes the journal, if it is not closed yet.
    func endShutdown() { closeJournal(isSynchronized: true) }

    /// Writes what was published, and takes no more subscribers.
    private func stopListening() -> EventLoopFuture<Void> {
        drain()
        retryJournal()
        stops.raise()
        ticker?.cancel()
        socket?.remove()
        socket = nil
        return listener?.close().recover { _ in } ?? loop.makeSucceededVoidFuture()
    }
}

/// Tells what runs on another thread that nobody waits for it any more.
final class StopFlag: Sendable {
    /// Whether it was raised.
    private let flag = Atomic(false)

    /// A flag that is not raised.
    init() {}

    /// Whether to stop.
    var isRaised: Bool { flag.load(ordering: .relaxed) }

    /// Says to stop.
    func raise() { flag.store(true, ordering: .relaxed) }
}
