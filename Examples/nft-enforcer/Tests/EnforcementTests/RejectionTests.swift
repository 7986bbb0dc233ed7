import DNSWire
import Enforcement
import Logging
import MappingFeed
import Synchronization
import Testing

/// What happens when the kernel does not take a change; the kernel is one that refuses on purpose.
@Suite(.timeLimit(.minutes(1)))
struct RejectionTests {
    @Test func `a change that the kernel refuses is rejected, and those beside it are in force`() async throws {
        let stage = try await FeedStage([identity(7, "10.0.0.1")])
        let log = FilterLog()
        let (follower, _) = try follow(stage, log) { $0.contains("192.0.2.3 ") || $0.contains("192.0.2.6 ") }
        try await stage.settled()
        stage.publish(try (1...8).map { try upsert(7, "a.", "192.0.2.\($0)") })
        try await stage.settled()
        #expect(stage.hub.counters.nacks == 2)
        let taken = log.taken.withLock { $0.joined() }
        for number in 1...8 { #expect(taken.contains("192.0.2.\(number) ") == (number != 3 && number != 6)) }
        follower.cancel()
        _ = await follower.result
        await stage.end()
    }

    @Test func `what was rejected is not acknowledged when it is named again, until the kernel takes it`() async throws
    {
        let stage = try await FeedStage([identity(7, "10.0.0.1")])
        let log = FilterLog()
        let isFull = Mutex(true)
        let (follower, _) = try follow(stage, log) { commands in
            isFull.withLock { $0 } && commands.contains("192.0.2.1 ")
        }
        try await stage.settled()
        let event = try upsert(7, "a.", "192.0.2.1")
        for count in 1...2 as ClosedRange<UInt64> {
            // The second time nothing has changed for the state.
            stage.publish([event])
            try await stage.settled()
            #expect(stage.hub.counters.nacks == count)
        }
        isFull.withLock { $0 = false }
        stage.publish([event])
        try await stage.settled()
        #expect(stage.hub.counters.nacks == 2)
        #expect(log.taken.withLock { $0.last ?? "" }.contains("192.0.2.1 "))
        follower.cancel()
        _ = await follower.result
        await stage.end()
    }

    @Test func `every event that says what the kernel refuses is rejected, not only the last`() async throws {
        let log = FilterLog()
        let stage = try await FeedStage([identity(7, "10.0.0.1")])
        let session = FeedSession(path: stage.socket)
        let gate = Mutex(false)
        let enforcer = try enforcer(session, log) { $0.contains("192.0.2.1 ") }
        let follower = Task {
            var waiting: [FeedEvent] = []
            try await session.run { event in
                guard case .events(let events) = event else { return }
                waiting += events
                let count = waiting.count { if case .upsert = $0 { true } else { false } }
                if gate.withLock({ $0 }), count < 3 { return }
                await enforcer.apply(waiting)
                waiting = []
            }
        }
        try await stage.settled()
        gate.withLock { $0 = true }
        stage.publish([
            try upsert(7, "a.", "192.0.2.1"), try upsert(7, "b.", "192.0.2.1"), try upsert(7, "c.", "192.0.2.2"),
        ])
        try await stage.settled()
        #expect(stage.hub.counters.nacks == 2)
        follower.cancel()
        _ = await follower.result
        await stage.end()
    }

    @Test func `a transaction that fails once is tried again, and nothing is rejected`() async throws {
        let stage = try await FeedStage([identity(7, "10.0.0.1")])
        let log = FilterLog()
        let (follower, _) = try follow(stage, log) { commands in
            commands.contains("192.0.2.1 ") && log.refused.withLock { $0 == 0 }
        }
        try await stage.settled()
        stage.publish([try upsert(7, "a.", "192.0.2.1")])
        try await stage.settled()
        #expect(log.refused.withLock { $0 } == 1)
        #expect(stage.hub.counters.nacks == 0)
        follower.cancel()
        _ = await follower.result
        await stage.end()
    }

    @Test func `when somebody removed the table it is written anew`() async throws {
        let stage = try await FeedStage([identity(7, "10.0.0.1"), try upsert(7, "a.", "192.0.2.1")])
        let log = FilterLog()
        let isGone = Mutex(false)
        let (follower, _) = try follow(stage, log) { commands in
            isGone.withLock { isGone in
                if commands.hasPrefix("add table") { isGone = false }
                return isGone
            }
        }
        try await stage.settled()
        isGone.withLock { $0 = true }
        stage.publish([try upsert(7, "b.", "192.0.2.2")])
        try await stage.settled()
        #expect(stage.hub.counters.nacks == 0)
        let last = log.taken.withLock { $0.last ?? "" }
        #expect(last.contains("192.0.2.1 ") && last.contains("192.0.2.2 "))
        follower.cancel()
        _ = await follower.result
        await stage.end()
    }

    /// An enforcer of `stage` over a filter that refuses what `isRefused` says.
    private func follow(
        _ stage: FeedStage, _ log: FilterLog, _ isRefused: @escaping @Sendable (String) -> Bool
    ) throws -> (Task<Void, any Error>, Enforcer) {
        let session = FeedSession(path: stage.socket)
        let enforcer = try enforcer(session, log, isRefused)
        let task = Task {
            try await session.run { event in
                if case .events(let events) = event { await enforcer.apply(events) }
            }
        }
        return (task, enforcer)
    }

    /// An enforcer over a filter that refuses what `isRefused` says.
    private func enforcer(
        _ session: FeedSession, _ log: FilterLog, _ isRefused: @escaping @Sendable (String) -> Bool
    ) throws -> Enforcer {
        try Enforcer(
            ruleset: Ruleset(table: "t", policy: .drop), nftables: Filter(log: log, isRefused: isRefused),
            session: session, logger: Logger(label: "test") { _ in SwiftLogNoOpLogHandler() })
    }

    /// What a filter was told.
    private final class FilterLog: Sendable {
        /// The transactions that it took.
        let taken = Mutex<[String]>([])
        /// How many it refused.
        let refused = Mutex(0)
    }

    /// A filter that takes everything but what it is told to refuse.
    private final class Filter: PacketFilter {
        /// What it was told.
        let log: FilterLog
        /// What it refuses.
        let isRefused: @Sendable (String) -> Bool

        /// A filter that writes to `log`.
        init(log: FilterLog, isRefused: @escaping @Sendable (String) -> Bool) {
            self.log = log
            self.isRefused = isRefused
        }

        /// Takes or refuses commands.
        func run(_ commands: String) throws(NFTablesError) {
            if isRefused(commands) {
                log.refused.withLock { $0 += 1 }
                throw NFTablesError(message: "refused")
            }
            log.taken.withLock { $0.append(commands) }
        }

        /// A table with its base chain.
        func objects(in table: String) throws(NFTablesError) -> KernelObjects? {
            var objects = KernelObjects()
            objects.chains = ["forward"]
            return objects
        }
    }
}
