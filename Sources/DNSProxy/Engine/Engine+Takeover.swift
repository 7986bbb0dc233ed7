import Logging
import MappingFeed

// As the one that takes over.
extension Engine {
    /// How long a process that was taken over from may take to end.
    private static let endLimit = Duration.seconds(10)

    /// The daemon to take over from; nil when it is not asked for, or there is none.
    /// - Throws: `EngineError.system` when it refuses.
    static func predecessor(
        _ configuration: EngineConfiguration, _ source: Sockets, logger: Logger
    ) throws(EngineError) -> Predecessor? {
        guard case .runningDaemon = source else { return nil }
        guard let path = configuration.admin.socket else {
            throw .system("taking over needs the running daemon's admin.socket, and none is configured")
        }
        guard let predecessor = try Predecessor.find(TakeoverOffer.path(besideAdminSocket: path)) else {
            logger.notice("nobody to take over from", metadata: ["socket": "\(path)"])
            return nil
        }
        logger.notice("taking over from the daemon that runs", metadata: ["sockets": "\(predecessor.socketCount)"])
        return predecessor
    }

    /// The sockets that clients of an earlier process wait at.
    private static func inherited(
        _ source: Sockets, _ predecessor: borrowing Predecessor?
    ) throws(SystemError) -> InheritedSockets {
        switch predecessor {
        case .some(let predecessor): return try predecessor.inheritedSockets()
        case nil:
            guard case .sockets(let sockets) = source else { return try InheritedSockets.passed() }
            return try InheritedSockets(copying: sockets)
        }
    }

    /// The sockets that `configuration` asks for: those that clients of an earlier process wait at, and new ones for the rest.
    static func sockets(
        _ configuration: EngineConfiguration, _ source: Sockets, _ predecessor: borrowing Predecessor?
    ) throws(SystemError) -> ListeningSockets {
        try ListeningSockets(
            configuration.listen, workers: workerCount(configuration), inherited: try inherited(source, predecessor))
    }

    /// Opens the journal in `folder`, behind the last line that `predecessor` writes to it, which has let go of everything
    /// then. Should the journal not be fit for writing, that one is not asked to, unless it is gone.
    /// - Throws: `JournalError` when the journal cannot be used.
    static func journal(
        _ folder: String, after predecessor: inout Predecessor?, _ restore: (FeedEvent) -> Void
    ) throws(JournalError) -> Journal {
        guard predecessor != nil else { return try Journal(directory: folder, restore: restore) }
        let reader = try JournalReader(directory: folder, restore: restore)
        do {
            try reader.checkRoom()
        } catch {
            // Nobody else answers then.
            if predecessor?.isThere == true { throw error }
        }
        predecessor?.letGo()
        return try reader.takeOver(restore: restore)
    }

    /// Gives the queries that the process before this one has left to the workers, tells it that they answer, and waits until
    /// it is gone.
    func succeed() async {
        guard let predecessor = predecessor.withLock({ $0.take() }) else { return }
        for (number, query) in predecessor.queries.enumerated() {
            workers[number % workers.count].mailbox.post(.left(query))
        }
        await predecessor.end().waitForEnd(within: Engine.endLimit)
    }
}

// As the one that is taken over from.
extension Engine {
    /// How long a process that was given everything may take until it answers; after that this one takes it back.
    private static let successorLimit = Duration.seconds(10)
    /// How long a process may take to say who it is.
    private static let greetingLimit = Duration.seconds(5)

    /// Where another process may take over; nil where it may not.
    func openOffer() -> TakeoverOffer? {
        guard let path = configuration.admin.socket else { return nil }
        do {
            return try TakeoverOffer(TakeoverOffer.path(besideAdminSocket: path))
        } catch {
            logger.warning("\(error); no other process can take over without loss")
            return nil
        }
    }

    /// Waits until another process wants to take over and has read what is on the disk; returns the connection to it, or nil
    /// when nobody can any more.
    ///
    /// Until then it gets copies of the sockets, which it does not use, and the journal is not compacted, so that it can
    /// be read. Should it go away, nothing has happened.
    func accept(_ offer: TakeoverOffer) async -> TakeoverChannel? {
        while let channel = await offer.next() {
            guard case .hello(let version) = await channel.next(within: Engine.greetingLimit) else { continue }
            guard version == TakeoverChannel.version else {
                channel.send(.refused("it speaks version \(TakeoverChannel.version) of the hand-over, not \(version)"))
                continue
            }
            guard await shared.learning.hub.isJournalComplete() else {
                channel.send(.refused("its journal cannot be written, and what waits for that would be lost"))
                logger.warning("another process may not take over while the journal cannot be written")
                continue
            }
            logger.notice("another process prepares to take over")
            await shared.learning.hub.suspendCompaction()
            var rest = spareSockets.map(\.rawValue)[...]
            while !rest.isEmpty {
                channel.send(.sockets, sockets: Array(rest.prefix(TakeoverChannel.socketsPerMessage)))
                rest = rest.dropFirst(TakeoverChannel.socketsPerMessage)
            }
            channel.send(.allSockets)
            if case .ready = await channel.next() {
                offer.withdraw()
                return channel
            }
            logger.warning("the process that prepared to take over is gone; nothing has changed")
            await shared.learning.hub.resumeCompaction()
        }
        return nil
    }

    /// Gives everything to the process at the other end of `channel`, when nothing is in flight here any more but `left`.
    func handOver(_ left: [LeftQuery], to channel: TakeoverChannel) async {
        await shared.learning.hub.handOver()
        for query in left { channel.send(.query(query)) }
        channel.send(.yours)
    }

    /// Takes the queries that one worker has passed on to another one which had ended.
    func takePassedOn() -> [LeftQuery] {
        var letters: [Mailbox.Letter] = []
        var left: [LeftQuery] = []
        for worker in workers {
            worker.mailbox.drain(into: &letters)
            for case .steered(let sender, let origin, let message) in letters {
                guard let query = LeftQuery(message, of: origin, sender, at: socketAddresses) else { continue }
                left.append(query)
            }
        }
        return left
    }

    /// Whether the process at the other end of `channel` says that it answers.
    func isTakenOver(by channel: TakeoverChannel) async -> Bool {
        guard case .serving = await channel.next(within: Engine.successorLimit) else {
            logger.error("the process that took over is gone before it answered: this one goes on")
            return false
        }
        logger.notice("another process has taken over")
        return true
    }
}
