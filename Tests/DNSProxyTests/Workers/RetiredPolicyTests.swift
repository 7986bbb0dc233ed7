import BasicContainers
import FQDNCache
import FQDNPolicy
import Glibc
import Logging
import NIOPosix
import Synchronization
import Testing

@testable import DNSProxy

/// What becomes of a policy that is not in force any more.
@Suite(.timeLimit(.minutes(2))) struct RetiredPolicyTests {
    /// Nobody has a connection here.
    private struct NoConnections: StreamReplies {
        func send(_ message: [UInt8], to connection: ConnectionID) {}
    }

    /// A worker on a thread of its own, without sockets, that makes a turn when it is told to.
    private struct LonelyWorker {
        /// What it shares with others.
        let shared: EngineShared
        /// What it shows.
        private let status: WorkerStatus
        /// What it says when it has ended.
        private let ended: AsyncStream<[LeftQuery]>

        /// A worker that has begun to work, and waits.
        init(_ snapshot: EngineSnapshot) async throws {
            var configuration = EngineConfiguration()
            configuration.feed.socket = nil
            configuration.feed.journal = nil
            status = try WorkerStatus()
            let logger = Logger(label: "test") { _ in SwiftLogNoOpLogHandler() }
            let group = MultiThreadedEventLoopGroup.singleton
            let routes = PublishedCell(RouteTable([]))
            let board = UpstreamBoard(logger: logger)
            var nobody: Predecessor?
            shared = EngineShared(
                configuration: configuration, routes: routes, snapshots: PublishedCell(snapshot),
                cache: try AnswerCache(capacity: configuration.cache.size),
                learning: try Engine.learning(
                    configuration, statuses: [status], loop: group.next(), predecessor: &nobody, logger: logger),
                streams: StreamUpstreams(
                    group: group, trust: try StreamTrust(servers: []), routes: routes, board: board),
                board: board, mailboxes: [status.mailbox])
            let (ended, end) = AsyncStream<[LeftQuery]>.makeStream()
            self.ended = ended
            let worker = try Worker(
                0, shared: shared, sockets: RigidArray(capacity: 0), streams: NoConnections(), status: status)
            try WorkerThread(worker) {
                end.yield($0)
                end.finish()
            }.start(name: "worker-0")
            await turn()
        }

        /// Has it make a turn, and returns when that is over.
        func turn() async {
            let before = status.latest.turns
            status.mailbox.wake()
            while status.latest.turns == before { await Task.yield() }
        }

        /// Ends it.
        func stop() async {
            status.mailbox.post(.stop(by: SystemClock.now()))
            for await _ in ended {}
        }
    }

    /// A policy of nobody.
    private static func snapshot(_ generation: UInt64) throws -> EngineSnapshot {
        let policy = try #require(
            PolicyCompiler.compile(policies: [], identities: [], generation: generation).snapshot)
        return EngineSnapshot(generation: generation, policy: policy, zones: LocalZones([]))
    }

    @Test func `a policy is freed by whoever clears up, when the worker has another one, and not before`() async throws
    {
        weak var first: EngineSnapshot?
        let worker = try await {
            let snapshot = try RetiredPolicyTests.snapshot(1)
            first = snapshot
            return try await LonelyWorker(snapshot)
        }()
        let second = try RetiredPolicyTests.snapshot(2)
        worker.shared.snapshots.publish { _ in second }
        // The worker has not looked since.
        #expect(worker.shared.takeRetired().isEmpty)
        #expect(first != nil)
        // It has the other one now, and has freed nothing itself.
        await worker.turn()
        #expect(first != nil)
        BackgroundThread.free(worker.shared.takeRetired())
        while first != nil { await Task.yield() }
        await worker.stop()
    }
}
