import BasicContainers
import DNSWire
import FQDNCache
import FQDNPolicy
public import Logging
import MappingFeed
import NIOCore
import NIOPosix
public import ServiceLifecycle
import Synchronization

/// The daemon without its command line: loads the documents, restores the journal, binds the sockets, and answers.
///
/// What can be wrong at start is found in `init`, before anything is served.
public final class Engine: Service, Sendable {
    /// What it was told.
    let configuration: EngineConfiguration
    /// Where it logs.
    let logger: Logger
    /// What the workers share.
    let shared: EngineShared
    /// What each worker shows.
    let workers: [WorkerStatus]
    /// How the documents are read.
    let loader: DocumentLoader
    /// What happened to the documents so far.
    let reloads = Mutex(ReloadState())
    /// Reads them one reload at a time.
    let reloader = Reloader()
    /// Since when it has existed, in seconds since the epoch.
    let started = SystemClock.wallSeconds()
    /// Whether all listeners are bound.
    let isListening = Atomic<Bool>(false)
    /// What was denied lately; nil until somebody wants to know.
    let denialTally = Mutex<DenialTally?>(nil)
    /// Connections of clients.
    let streams: StreamListener
    /// Writes flows to a file; nil when that is not wanted.
    let exporter: FlowExporter?
    /// Runs connections, the feed and the admin API.
    private let group: MultiThreadedEventLoopGroup
    /// Takes connections, from when it starts.
    private let streamSockets: Mutex<RigidArray<StreamSocket>>
    /// Who started the daemon and wants to know how it does.
    let manager = ServiceManager()
    /// The threads of the workers, until they start.
    private let threads: Mutex<[WorkerThread]>
    /// How many workers have ended.
    private let ended: AsyncStream<Void>

    /// The version of the daemon.
    public static let version = "0.1.0"
    /// Nanoseconds that what is in flight may take when the daemon stops.
    private static let stopLimit = Duration.seconds(5)

    /// Prepares everything that can fail.
    /// - Throws: `EngineError.documents` with everything that is wrong with any document, or `EngineError.system` for
    ///   a port in use, a folder that is missing, a journal that another daemon holds.
    public init(configuration: EngineConfiguration, logger: Logger) throws(EngineError) {
        System.raiseFileLimit()
        self.configuration = configuration
        self.logger = logger
        loader = DocumentLoader(configuration)
        let (loaded, problems) = loader.load(generation: 1)
        guard let loaded else { throw .documents(problems) }
        Engine.log(problems, to: logger)
        let routes = try Engine.routes(configuration, logger: logger)
        group = MultiThreadedEventLoopGroup(numberOfThreads: 2)
        let (ended, end) = AsyncStream<Void>.makeStream()
        self.ended = ended
        do {
            let snapshots = PublishedCell(loaded)
            let statuses = try (0..<Engine.workerCount(configuration)).map { _ in try WorkerStatus() }
            let learning = try Engine.learning(
                configuration, statuses: statuses, loop: group.next(), logger: logger)
            let cell = PublishedCell(RouteTable(routes))
            let board = UpstreamBoard(logger: logger)
            let shared = EngineShared(
                configuration: configuration, routes: cell, snapshots: snapshots,
                cache: try AnswerCache(capacity: configuration.cache.size), learning: learning,
                streams: StreamUpstreams(
                    group: group, trust: try StreamTrust(servers: routes.flatMap(\.servers)), routes: cell, board: board
                ),
                board: board,
                mailboxes: statuses.map(\.mailbox))
            let streams = StreamListener(group: group, shared: shared)
            var sockets = try ListeningSockets(
                configuration.listen, workers: statuses.count, inherited: try InheritedSockets.passed())
            var threads: [WorkerThread] = []
            for (number, status) in statuses.enumerated() {
                let worker = try Worker(
                    number, shared: shared, sockets: sockets.datagrams.removeLast(), streams: streams, status: status)
                threads.append(WorkerThread(worker) { end.yield() })
            }
            streamSockets = Mutex(sockets.streams)
            exporter = try Engine.exporter(configuration, shared: shared, logger: logger)
            self.shared = shared
            self.streams = streams
            workers = statuses
            self.threads = Mutex(threads)
        } catch {
            throw .system("\(error)")
        }
        reloads.withLock { $0.loaded(problems, at: started) }
        shared.learning.hub.announce(loaded.policy.identities.map { FeedIdentity($0) })
    }

    /// Serves until a graceful shutdown: then takes no more queries, answers what is in flight, and flushes the
    /// journal.
    /// - Throws: `EngineError.system` when something cannot listen.
    public func run() async throws {
        do {
            try await shared.learning.hub.start()
            while let socket = streamSockets.withLock({ $0.isEmpty ? nil : $0.removeLast() }) {
                try await streams.listen(socket)
            }
            for (index, thread) in threads.withLock({ $0 }).enumerated() { try thread.start(name: "worker-\(index)") }
        } catch {
            throw EngineError.system("\(error)")
        }
        isListening.store(true, ordering: .releasing)
        logger.info(
            "answering",
            metadata: [
                "on": "\(configuration.listen.map(\.description).joined(separator: ", "))",
                "workers": "\(workers.count)",
            ])
        manager.notify(.ready)
        let admin = AdminServer(configuration.admin, backend: self, eventLoopGroup: group, logger: logger)
        try await withThrowingTaskGroup(of: Void.self) { tasks in
            tasks.addTask {
                try await admin.run()
                try? await gracefulShutdown()
            }
            tasks.addTask { try? await gracefulShutdown() }
            tasks.addTask { await self.expireMappings() }
            tasks.addTask { await self.shared.learning.takeReports() }
            tasks.addTask { await self.watchDocuments() }
            tasks.addTask { await self.rotateCookies() }
            tasks.addTask { await self.watchWorkers() }
            if let exporter { tasks.addTask { await exporter.run() } }
            if configuration.upstreams.isEmpty { tasks.addTask { await self.watchResolvConf() } }
            // Whatever ends first ends the daemon: a shutdown, or an admin server that cannot listen.
            do {
                try await tasks.next()
            } catch {
                tasks.cancelAll()
                await self.stop()
                throw EngineError.system("\(error)")
            }
            await self.stop()
            tasks.cancelAll()
        }
        try? await group.shutdownGracefully()
    }

    /// Stops in the order that loses nothing.
    private func stop() async {
        logger.info("stopping")
        manager.notify(.stopping)
        await streams.stopListening()
        for worker in workers { worker.mailbox.post(.stop) }
        await withTaskGroup(of: Void.self) { tasks in
            tasks.addTask {
                var count = 0
                for await _ in self.ended {
                    count += 1
                    if count == self.workers.count { return }
                }
            }
            tasks.addTask { try? await Task.sleep(for: Engine.stopLimit) }
            await tasks.next()
            tasks.cancelAll()
        }
        await shared.learning.hub.shutdown()
        await shared.streams.close()
        await streams.closeConnections()
        logger.info("stopped")
    }

    /// Removes mappings whose time is over, once a second; the work is what expires, never what is there.
    ///
    /// After the start and after a reload it also goes through all of them, a second time for what a worker has
    /// learned meanwhile under the policy before, and again while the feed has no room.
    private func expireMappings() async {
        var revised: UInt64 = 0
        while !Task.isCancelled {
            let learning = shared.learning
            let generation = shared.snapshots.generation
            if revised != generation, !reviseMappings().refused {
                revised = generation
                let identities = shared.snapshots.load().policy.identities
                learning.hub.withdrawIdentities(except: Set(identities.map(\.id.rawValue)))
                let known = Set(identities.map(\.id))
                shared.seenNames.forget { !known.contains($0) }
            }
            let outcome = learning.table.expire(now: SystemClock.now(), budget: 10_000, publish: learning.publish)
            let hasMore = outcome.next.map { $0 <= SystemClock.now() } ?? false
            try? await Task.sleep(for: hasMore && !outcome.refused ? .milliseconds(10) : .seconds(1))
        }
    }

    /// Workers that `configuration` asks for, or one for each core that this process may use.
    private static func workerCount(_ configuration: EngineConfiguration) -> Int {
        min(max(configuration.workers ?? System.coreCount, 1), 256)
    }
}
