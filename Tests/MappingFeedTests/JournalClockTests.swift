import Glibc
import NIOCore
import Synchronization
import Testing

@testable import MappingFeed

/// Steps of the wall clock, which mappings live through.
@Suite(.timeLimit(.minutes(5)))
struct JournalClockTests {
    /// Where the journal is.
    private let folder = TemporaryFolder()

    /// Clocks in a boot of the machine, whose wall clock can be set.
    final class Clocks: Sendable {
        /// Seconds by which the wall clock is ahead.
        let offset = Mutex(1_700_000_000.0)

        /// The clocks, in the boot `boot`.
        func clock(_ boot: String = "one") -> JournalClock {
            JournalClock(boot: boot) { self.offset.withLock { $0 } }
        }

        /// Sets the wall clock.
        func step(_ seconds: Double) { offset.withLock { $0 += seconds } }
    }

    /// The steps that are tried: an hour forth and back, ten years likewise.
    private static let steps: [Double] = [3600, -3600, 315_360_000, -315_360_000]

    /// The expiries that a journal gives.
    private func expiries(_ clock: JournalClock) throws -> (expiries: [Double], instance: String) {
        var expiries: [Double] = []
        let journal = try Journal(directory: folder.path, clock: clock) { event in
            if case .upsert(let upsert) = event { expiries += upsert.addresses.map(\.expires) }
        }
        return (expiries, journal.instance)
    }

    @Test(arguments: steps)
    func `a mapping has as long to live after a step of the wall clock as before`(step: Double) throws {
        let clocks = Clocks()
        do {
            var journal = try Journal(directory: folder.path, clock: clocks.clock()) { _ in }
            try journal.append(line(1, expires: 1_700_000_060).span, through: 1)
        }
        clocks.step(step)
        let first = try expiries(clocks.clock())
        #expect(first.expiries == [1_700_000_060 + step])
        let again = try expiries(clocks.clock())
        #expect(again.expiries == [1_700_000_060 + step], "what was written before the step is moved once")
        #expect(again.instance == first.instance)
    }

    @Test(arguments: steps)
    func `a step while the journal is written is told from then on`(step: Double) throws {
        let clocks = Clocks()
        do {
            var journal = try Journal(directory: folder.path, clock: clocks.clock()) { _ in }
            try journal.append(line(1, expires: 1_700_000_060).span, through: 1)
            clocks.step(step)
            try journal.append(line(2, expires: 1_700_000_060 + step).span, through: 2)
            clocks.step(0.1)
            try journal.append(line(3, expires: 1_700_000_060 + step).span, through: 3)
        }
        let restored = try expiries(clocks.clock()).expiries
        for expires in restored { #expect(abs(expires - 1_700_000_060 - step) < 0.5) }
        #expect(restored.count == 3)
    }

    @Test func `a snapshot keeps its clock too`() throws {
        let clocks = Clocks()
        do {
            var journal = try Journal(directory: folder.path, clock: clocks.clock()) { _ in }
            try journal.append(line(1, expires: 1_700_000_060).span, through: 1)
            var snapshot = try journal.beginCompaction(last: 1, covered: 1)
            try snapshot.append(line(1, expires: 1_700_000_060).span)
            try journal.endCompaction(snapshotBytes: try snapshot.finish(count: 1))
        }
        clocks.step(-3600)
        #expect(try expiries(clocks.clock()).expiries == [1_699_996_460])
    }

    @Test func `after a restart of the machine times are as written, and nobody resumes`() throws {
        let clocks = Clocks()
        var instance = ""
        do {
            var journal = try Journal(directory: folder.path, clock: clocks.clock()) { _ in }
            instance = journal.instance
            try journal.append(line(1, expires: 1_700_000_060).span, through: 1)
        }
        clocks.step(900)
        let restored = try expiries(clocks.clock("two"))
        #expect(restored.expiries == [1_700_000_060])
        #expect(restored.instance != instance)
        #expect(try expiries(clocks.clock("two")).instance == restored.instance)
    }

    @Test func `who resumes after a step gets a snapshot with times of the new clock`() async throws {
        let clocks = Clocks()
        let harness = try await HubHarness(clock: clocks.clock())
        harness.publish(1...3)
        await harness.released(3)
        clocks.step(3600)
        harness.publish(4...4)
        await harness.released(4)
        for (place, resumes) in [(UInt64(2), false), (4, true)] {
            let subscriber = try await RawSubscriber(harness.socket)
            _ = await subscriber.next()
            let position = FeedPosition(instance: harness.hub.instance, sequence: place)
            subscriber.send(.subscribe(Subscription(resume: position)))
            if !resumes {
                #expect(try await subscriber.event() == .snapshotBegin(SnapshotMark(sequence: 4, count: 0)))
            } else {
                try await harness.until { harness.hub.counters.resumes == 1 }
            }
        }
        await harness.hub.shutdown()
        clocks.step(3600)
        let second = try await HubHarness(folderOf: harness, clock: clocks.clock())
        let subscriber = try await RawSubscriber(second.socket)
        _ = await subscriber.next()
        let position = FeedPosition(instance: harness.hub.instance, sequence: 3)
        subscriber.send(.subscribe(Subscription(resume: position)))
        #expect(try await subscriber.event() == .snapshotBegin(SnapshotMark(sequence: 4, count: 0)))
        await second.hub.shutdown()
    }

    @Test func `the machine's own clocks are what they are`() {
        let mark = JournalClock.system.mark
        #expect(mark.boot.count == 36)
        #expect(mark.offset > 1_600_000_000)
        #expect(mark.offset < Double(time(nil)) + 1)
    }

    /// The line of an upsert.
    private func line(_ number: UInt64, expires: Double) -> [UInt8] {
        FeedEvent.upsert(upsert(number, sequence: number, expires: expires)).line
    }
}
