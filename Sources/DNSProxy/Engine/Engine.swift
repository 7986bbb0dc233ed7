import BasicContainers
import DNSWire
import FQDNCache
import FQDNPolicy
import Logging
import MappingFeed
import NIOCore
import NIOPosix
import ServiceLifecycle
import Synchronization

/// The daemon without its command line: loads the documents, restores the journal, binds the sockets, and answers.
///
/// What can be wrong at start is found in `init`, before anything is served.
public final class Engine: Sendable {
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
    /// Cached answers about names at or below local zones that may have been kept after a reload, and when they are dropped.
    let staleAnswers = Mutex<[(due: Moment, apexes: [DomainName])]>([])
    /// Reads them one reload at a time.
    let reloader = Reloader()
    /// Since when it has existed, in seconds since the epoch.
    let started = SystemClock.wallSeconds()
    /// Whether all listeners are bound.
    let isListening = Atomic<Bool>(false)
    /// Whether it has begun to stop.
    let isStopping = Atomic<Bool>(false)
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
    /// Copies of all listening sockets, for the process that takes over, or for this one should that one fail.
    let spareSockets: [FileDescriptorBox]
    /// Where the sockets of every worker are bound, in their order.
    let socketAddresses: [SocketAddress]
    /// The daemon that this one takes over from, until it answers.
    let predecessor: Mutex<Predecessor?>
    /// Who started the daemon and wants to know how it does.
    let manager = ServiceManager()
    /// The threads of the workers, until they start.
    private let threads: Mutex<[WorkerThread]>
    /// Workers that have ended, each with the queries that it has not answered.
    private let ended: AsyncStream<[LeftQuery]>

    /// The version of the daemon.
    public static let version = "0.1.0"
    /// How long what is in flight may take when the daemon stops.
    private static let stopLimit: Int64 = 5_000
    /// The same when another process takes over, which goes on with what is not answered then.
    private static let handOverLimit: Int64 = 100

    /// Where listening sockets come from, besides new ones.
    enum Sockets {
        /// A service manager, if it passes any.
        case serviceManager
        /// The daemon with the same admin socket, if there is one; else a service manager.
        case runningDaemon
        /// These.
        case sockets([FileDescriptorBox])
    }

    /// How a daemon ends that has not failed.
    enum Ending {
        /// It was told to stop, or another process has taken over.
        case stopped
        /// Another process wanted to take over and did not; clients wait at these sockets.
        case abandoned([FileDescriptorBox])
    }

    /// Prepares everything that can fail, but for what is `prepared` already, with rights that are gone.
    /// - Throws: `EngineError.documents` with everything that is wrong with any document, or `EngineError.system` for
    ///   a port in use, a folder that is missing, a journal that another daemon holds.
    init(
        configuration: EngineConfiguration, from source: Sockets, prepared: consuming Launch.Prepared? = nil,
        logger: Logger
    ) throws(EngineError) {
        self.configuration = configuration
        self.logger = logger
        loader = DocumentLoader(configuration)
        let (loaded, problems) = loader.load(generation: 1)
        guard let loaded else { throw .documents(problems) }
        Engine.log(problems, to: logger)
        let routes = try Engine.routes(configuration, logger: logger)
        group = MultiThreadedEventLoopGroup(numberOfThreads: 2)
        let (ended, end) = AsyncStream<[LeftQuery]>.makeStream()
        self.ended = ended
        var predecessor: Predecessor?
        let bound: ListeningSockets?
        switch consume prepared {
        case .some(let prepared):
            predecessor = prepared.predecessor
            bound = .some(prepared.sockets)
        case nil:
            predecessor = try Engine.predecessor(configuration, source, logger: logger)
            bound = nil
        }
        do {
            let snapshots = PublishedCell(loaded)
            let statuses = try (0..<Engine.workerCount(configuration)).map { _ in try WorkerStatus() }
            let learning = try Engine.learning(
                configuration, statuses: statuses, loop: group.next(), predecessor: &predecessor, logger: logger)
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
            streams.reportLimit(to: logger)
            var sockets: ListeningSockets
            switch consume bound {
            case .some(let bound): sockets = bound
            case nil: sockets = try Engine.sockets(configuration, source, predecessor)
            }
            socketAddresses = sockets.addresses
            spareSockets = configuration.admin.socket == nil ? [] : try sockets.copies()
            var threads: [WorkerThread] = []
            for (number, status) in statuses.enumerated() {
                let worker = try Worker(
                    number, shared: shared, sockets: sockets.datagrams.removeLast(), streams: streams, status: status)
                threads.append(WorkerThread(worker) { end.yield($0) })
            }
            streamSockets = Mutex(sockets.streams)
            exporter = try Engine.exporter(configuration, shared: shared, logger: logger)
            self.shared = shared
            self.streams = streams
            workers = statuses
            self.threads = Mutex(threads)
            self.predecessor = Mutex(predecessor)
        } catch {
            throw .system("\(error)")
        }
        reloads.withLock { $0.loaded(problems, at: started) }
        shared.learning.hub.announce(loaded.policy.identities.map { FeedIdentity($0) })
    }

    /// Serves until a graceful shutdown, or until another process takes over: then takes no more queries, answers what is in
    /// flight, and flushes the journal.
    /// - Throws: `EngineError.system` when something cannot listen.
    func run() async throws -> Ending {
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
        // The addresses of the admin API are free when that is over.
        await succeed()
        let ending = try await serve()
        try? await group.shutdownGracefully()
        return ending
    }

    /// Does what is to be done while the workers answer, until something ends that; then stops.
    private func serve() async throws -> Ending {
        let admin = AdminServer(configuration.admin, backend: self, eventLoopGroup: group, logger: logger)
        let (serving, end) = AsyncStream<Never>.makeStream()
        // Not cancelled with the rest: it ends what it is asked to do.
        let interface = Task { try await admin.run(until: serving) }
        let successor = try await withThrowingTaskGroup(of: TakeoverChannel?.self) { tasks in
            tasks.addTask {
                try await interface.value
                try? await gracefulShutdown()
                return nil
            }
            tasks.addTask {
                try? await gracefulShutdown()
                return nil
            }
            if let offer = openOffer() { tasks.addTask { await self.accept(offer) } }
            tasks.addTask { await self.work(self.expireMappings) }
            tasks.addTask { await self.work(self.followReloads) }
            tasks.addTask { await self.work(self.shared.learning.takeReports) }
            tasks.addTask { await self.work(self.watchDocuments) }
            tasks.addTask { await self.work(self.rotateCookies) }
            tasks.addTask { await self.work(self.watchWorkers) }
            tasks.addTask { await self.work(self.settle) }
            if let exporter { tasks.addTask { await self.work(exporter.run) } }
            if configuration.upstreams.isEmpty { tasks.addTask { await self.work(self.watchResolvConf) } }
            // Whatever ends first ends the daemon: a shutdown, a successor, or an admin server that cannot listen.
            defer { tasks.cancelAll() }
            do {
                let successor = try await tasks.next() ?? nil
                end.finish()
                await self.stop(for: successor)
                return successor
            } catch {
                end.finish()
                await self.stop(for: nil)
                throw EngineError.system("\(error)")
            }
        }
        try? await interface.value
        await close()
        guard let successor, await !isTakenOver(by: successor) else { return .stopped }
        return .abandoned(spareSockets)
    }

    /// Does `work`, which ends nothing when it ends.
    private func work(_ work: @Sendable () async -> Void) async -> TakeoverChannel? {
        await work()
        try? await gracefulShutdown()
        return nil
    }

    /// Gives back what only the start has needed, that of the admin API included.
    private func settle() async {
        guard (try? await Task.sleep(for: .seconds(1))) != nil else { return }
        await BackgroundThread.run(.lowest) { ProgramPages.unmap() }
    }

    /// Takes no more queries and answers what is in flight; gives everything to `successor`, if there is one.
    private func stop(for successor: TakeoverChannel?) async {
        logger.info("stopping")
        isStopping.store(true, ordering: .relaxed)
        if successor == nil { manager.notify(.stopping) }
        await streams.stopListening()
        let limit = successor == nil ? Engine.stopLimit : Engine.handOverLimit
        let end = SystemClock.now().adding(nanoseconds: limit * 1_000_000)
        for worker in workers { worker.mailbox.post(.stop(by: end)) }
        let left = await withTaskGroup(of: [LeftQuery].self) { tasks in
            tasks.addTask {
                var left: [[LeftQuery]] = []
                for await queries in self.ended {
                    left.append(queries)
                    if left.count == self.workers.count { break }
                }
                return Array(left.joined())
            }
            // A worker that does not work any more ends nothing either.
            tasks.addTask {
                try? await Task.sleep(for: .milliseconds(limit + 500))
                return []
            }
            defer { tasks.cancelAll() }
            return await tasks.next() ?? []
        }
        if let successor { await handOver(left + takePassedOn(), to: successor) }
    }

    /// Closes what is still open.
    private func close() async {
        await shared.learning.hub.shutdown()
        await shared.streams.close()
        await streams.closeConnections()
        logger.info("stopped")
    }

    /// Removes mappings whose time is over, once a second; the work is what expires, never what is there.
    private func expireMappings() async {
        let learning = shared.learning
        while !Task.isCancelled {
            let outcome = learning.table.expire(now: SystemClock.now(), budget: 10_000, publish: learning.publish)
            let hasMore = outcome.next.map { $0 <= SystemClock.now() } ?? false
            try? await Task.sleep(for: hasMore && !outcome.refused ? .milliseconds(10) : .seconds(1))
        }
    }

    /// Brings into line, a second after the start and after a reload, what a worker has done meanwhile under the policy before, and
    /// again while the feed has no room; frees that policy.
    private func followReloads() async {
        var revised = UInt64.min
        var next: (generation: UInt64, due: Moment)?
        while !Task.isCancelled {
            BackgroundThread.free(shared.takeRetired())
            let generation = shared.snapshots.generation
            if next == nil, revised != generation { next = (generation, SystemClock.now().adding(seconds: 1)) }
            if let revision = next, SystemClock.now() >= revision.due, await revise() {
                // A policy that has come meanwhile has a second of its own.
                revised = revision.generation
                next = nil
            }
            if staleAnswers.withLock({ !$0.isEmpty }) { await BackgroundThread.run(.low) { self.forgetLateAnswers() } }
            try? await Task.sleep(for: .seconds(1))
        }
    }

    /// Workers that `configuration` asks for, or one for each core that this process may use.
    static func workerCount(_ configuration: EngineConfiguration) -> Int {
        min(max(configuration.workers ?? System.coreCount, 1), 256)
    }
}
