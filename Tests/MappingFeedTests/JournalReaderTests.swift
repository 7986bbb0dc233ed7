import Glibc
import Testing

@testable import MappingFeed

/// A journal that one process still writes and another one is to go on with.
@Suite(.timeLimit(.minutes(5))) struct JournalReaderTests {
    /// Where the journal is.
    private let folder = TemporaryFolder()

    /// The lines of upserts with these sequence numbers.
    private func lines(_ numbers: ClosedRange<UInt64>) -> [UInt8] {
        numbers.flatMap { FeedEvent.upsert(upsert($0, sequence: $0)).line }
    }

    /// The sequence numbers that the whole journal has.
    private func numbers() throws -> [UInt64] {
        var numbers: [UInt64] = []
        let journal = try Journal(directory: folder.path) { numbers.append($0.sequence ?? 0) }
        #expect(journal.restoration.problems.isEmpty)
        return numbers
    }

    @Test func `it is read while it is written, and its end when it was let go`() throws {
        var found: [UInt64] = []
        var writer: Journal? = try Journal(directory: folder.path) { _ in }
        let instance = writer?.instance
        try writer?.append(lines(1...3).span, through: 3)
        let reader = try JournalReader(directory: folder.path) { found.append($0.sequence ?? 0) }
        #expect(found == [1, 2, 3])
        try writer?.append(lines(4...5).span, through: 5)
        writer = nil
        var journal = try reader.takeOver { found.append($0.sequence ?? 0) }
        #expect(found == [1, 2, 3, 4, 5])
        #expect(journal.instance == instance)
        let recent = journal.takeRecent()
        #expect(recent.last == 5 && recent.canResume(after: 0))
        try journal.append(lines(6...6).span, through: 6)
        _ = consume journal
        #expect(try numbers() == [1, 2, 3, 4, 5, 6])
    }

    @Test func `a line that is being written is read when it is whole`() throws {
        var found: [UInt64] = []
        var writer: Journal? = try Journal(directory: folder.path) { _ in }
        try writer?.append(lines(1...1).span, through: 1)
        let before = try #require(folder.read("journal.jsonl"))
        let second = String(decoding: lines(2...2), as: UTF8.self)
        try folder.write("journal.jsonl", before + second.prefix(40))
        let reader = try JournalReader(directory: folder.path) { found.append($0.sequence ?? 0) }
        #expect(found == [1])
        try folder.write("journal.jsonl", before + second)
        writer = nil
        _ = try reader.takeOver { found.append($0.sequence ?? 0) }
        #expect(found == [1, 2])
    }

    @Test func `as long as the other process has it, it cannot be taken over`() throws {
        var writer: Journal? = try Journal(directory: folder.path) { _ in }
        let reader = try JournalReader(directory: folder.path) { _ in }
        do {
            _ = try reader.takeOver { _ in }
            Issue.record("it was taken")
        } catch {
            #expect(error == JournalError(.locked, folder.path))
        }
        try writer?.append(lines(1...1).span, through: 1)
        writer = nil
        #expect(try numbers() == [1])
    }

    @Test func `a folder that is not there is an empty journal`() throws {
        let reader = try JournalReader(directory: folder.file("none")) { _ in Issue.record("there is nothing") }
        var journal = try reader.takeOver { _ in Issue.record("there is nothing") }
        try journal.append(lines(1...1).span, through: 1)
        #expect(folder.mode("none") == 0o750)
    }

    @Test(arguments: ["snapshot.jsonl", "journal.old.jsonl", "journal.jsonl"])
    func `what cannot be read stays where it is, and nothing is taken over`(file: String) throws {
        let hello = FeedEvent.hello(FeedHello(instance: "i", sequence: 0, clock: JournalClock.system.mark)).line
        let text = String(decoding: hello, as: UTF8.self) + "garbage\n" + String(decoding: lines(1...1), as: UTF8.self)
        try folder.write(file, text)
        do {
            _ = try JournalReader(directory: folder.path) { _ in }
            Issue.record("it was read")
        } catch {
            #expect("\(error)".contains("\(file):2: "), "\(error)")
        }
        #expect(folder.names == [file])
        #expect(folder.read(file) == text)
    }

    @Test func `whoever set the clock meanwhile has to try again`() throws {
        let clocks = JournalClockTests.Clocks()
        let clock = clocks.clock()
        var writer: Journal? = try Journal(directory: folder.path, clock: clock) { _ in }
        try writer?.append(lines(1...1).span, through: 1)
        let reader = try JournalReader(directory: folder.path, clock: clock) { _ in }
        writer = nil
        clocks.step(3_600)
        do {
            _ = try reader.takeOver { _ in }
            Issue.record("it was taken")
        } catch {
            #expect(error == JournalError(.clockWasSet, folder.path))
        }
    }

    @Test func `a hub lets go of journal and socket while its subscribers are still there`() async throws {
        let first = try await HubHarness(limits: JournalLimits(minimumBytes: 2_000, ratio: 1))
        await first.hub.suspendCompaction()
        let compactions = first.hub.counters.compactions
        let subscriber = try await RawSubscriber(first.socket)
        _ = try await subscriber.snapshot(Subscription(acknowledges: true))
        first.publish(1...200)
        subscriber.send(.ack(200))
        await first.released(200)
        #expect(first.hub.counters.compactions == compactions)
        await first.hub.handOver()
        #expect(first.hub.publish(upsert(201)) == 0, "what nobody would write was taken")
        let second = try await HubHarness(folderOf: first) { _ in }
        #expect(second.hub.instance == first.hub.instance)
        #expect(second.hub.lastSequence == 200)
        #expect(second.publish(201...201) == 201)
        await second.released(201)
        await first.hub.shutdown()
        await second.hub.shutdown()
    }

    @Test func `compaction goes on when nobody took over`() async throws {
        let harness = try await HubHarness(limits: JournalLimits(minimumBytes: 2_000, ratio: 1))
        await harness.hub.suspendCompaction()
        harness.publish(1...200)
        await harness.released(200)
        #expect(harness.hub.counters.compactions == 0)
        await harness.hub.resumeCompaction()
        try await harness.until { harness.hub.counters.compactions > 0 }
        await harness.hub.shutdown()
    }
}
