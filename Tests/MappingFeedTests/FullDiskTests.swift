import Glibc
import Testing

@testable import MappingFeed

/// A small file system in memory is a full disk that a test can make: a write is cut short, and the next one fails.
@Suite(.enabled(if: geteuid() == 0, "needs root, to mount a file system"), .timeLimit(.minutes(5)))
struct FullDiskTests {
    /// Where the journal is.
    private let folder: TemporaryFolder

    /// Bytes that there are while the disk is full, and afterwards.
    private static let (few, enough) = (1 << 20, 64 << 20)

    /// Mounts the disk.
    init() throws { folder = try TemporaryFolder(room: FullDiskTests.few) }

    /// Makes room on the disk.
    private func makeRoom() throws { try folder.resize(to: FullDiskTests.enough) }

    /// The lines of upserts with these sequence numbers.
    private func lines(_ numbers: ClosedRange<UInt64>) -> [UInt8] {
        var bytes: [UInt8] = []
        for number in numbers { FeedEvent.upsert(upsert(number, sequence: number)).encode(into: &bytes) }
        return bytes
    }

    @Test func `what does not fit is not half there, and fits later`() throws {
        var journal = try Journal(directory: folder.path) { _ in }
        try journal.append(lines(1...2).span)
        let before = journal.bytes
        let many = lines(3...10_000)
        #expect(many.count > FullDiskTests.few)
        do {
            try journal.append(many.span)
            Issue.record("more than there is room for was taken")
        } catch {
            #expect(error.isDiskFull)
            #expect("\(error)".contains("no room on the disk"))
        }
        let after = journal.bytes
        #expect(after == before)
        #expect(folder.read("journal.jsonl")?.utf8.count == before)
        try journal.append(lines(3...3).span)
        try makeRoom()
        try journal.append(lines(4...4).span)
        _ = consume journal
        var restored: [UInt64] = []
        _ = try Journal(directory: folder.path) { restored.append($0.sequence ?? 0) }
        #expect(restored == [1, 2, 3, 4])
    }

    @Test func `a journal that begins anew is opened on a full disk, and has everything when there is room`() throws {
        var journal = try Journal(directory: folder.path) { _ in }
        var last: UInt64 = 0
        // The kernel has room for what fits behind it in its last page.
        while last < 500 || journal.bytes % 4_096 < 4_000 {
            last += 1
            try journal.append(lines(last...last).span)
        }
        let before = journal.instance
        _ = consume journal
        // As a process leaves it that was killed while something waited for room.
        try folder.write("lock", "")
        #expect(throws: JournalError.self) {
            try folder.write("filler", String(repeating: "x", count: FullDiskTests.enough))
        }
        var restored: [UInt64] = []
        journal = try Journal(directory: folder.path) { restored.append($0.sequence ?? 0) }
        #expect(restored == Array(1...last))
        #expect(journal.openingError?.isDiskFull == true)
        #expect(journal.instance != before)
        // Its snapshot is one of numbers that the file does not know: whoever opens it next must not go on with the old ones.
        journal.confirmWhole()
        _ = consume journal
        // And again, as a daemon does that is restarted until somebody makes room. Nothing is there to be set aside.
        restored = []
        journal = try Journal(directory: folder.path) { restored.append($0.sequence ?? 0) }
        #expect(restored == Array(1...last) && journal.restoration.problems.isEmpty)
        #expect(journal.openingError?.isDiskFull == true)
        let instance = journal.instance
        #expect(instance != before)
        #expect(throws: JournalError.self) { try journal.append(lines((last + 1)...(last + 1)).span) }
        try makeRoom()
        try journal.append(lines((last + 1)...(last + 1)).span)
        journal.confirmWhole()
        _ = consume journal
        restored = []
        journal = try Journal(directory: folder.path) { restored.append($0.sequence ?? 0) }
        #expect(restored == Array(1...(last + 1)))
        #expect(journal.instance == instance && journal.openingError == nil)
    }

    @Test func `a hub serves on when the disk is full, releases nothing, and recovers when there is room`() async throws
    {
        let harness = try await HubHarness(in: folder, limits: JournalLimits(minimumBytes: 1 << 30))
        let subscriber = try await RawSubscriber(harness.socket)
        _ = try await subscriber.snapshot(Subscription())
        var last: UInt64 = 0
        while harness.hub.counters.journalErrors == 0 {
            last = harness.publish((last + 1)...(last + 500))
            #expect(try await subscriber.changes(500).last == last)
        }
        #expect(harness.hub.released < last)
        try makeRoom()
        await harness.released(last)
        await harness.hub.shutdown()
        var restored: UInt64 = 0
        _ = try Journal(directory: folder.file("journal")) { restored = max(restored, $0.sequence ?? 0) }
        #expect(restored == last)
    }

    @Test func `what is given up last is released by the snapshot that has it, though nothing follows`() async throws {
        let group = StuckLoop()
        let harness = try await HubHarness(
            hasSocket: false, in: folder, limits: JournalLimits(minimumBytes: 1 << 30), loop: group.loop
        ) {
            $0.journalBacklogBytes = 0
            $0.compactionRetry = .milliseconds(5)
        }
        // At once, so that all of it is given up.
        await group.hold()
        let last = harness.publish(1...10_000)
        group.letGo()
        try await harness.until { harness.hub.counters.journalErrors > 0 }
        try makeRoom()
        await harness.released(last)
        await harness.hub.shutdown()
        group.end()
        let sequence = try Journal(directory: folder.file("journal")) { _ in }.restoration.lastSequence
        #expect(sequence == last)
    }

    @Test func `when too much waits for the disk, a snapshot makes the journal whole`() async throws {
        let harness = try await HubHarness(hasSocket: false, in: folder, limits: JournalLimits(minimumBytes: 1 << 30)) {
            $0.journalBacklogBytes = 0
            $0.compactionRetry = .milliseconds(5)
        }
        var last: UInt64 = 0
        while harness.hub.counters.journalErrors == 0 {
            last = harness.publish((last + 1)...(last + 500))
            try await harness.until { harness.hub.counters.queued == 0 }
        }
        // The snapshot takes its place beside the journal before that goes.
        try makeRoom()
        try await harness.until { harness.hub.counters.compactions > 0 }
        await harness.released(last)
        await harness.hub.shutdown()
        var restored: [String: Double] = [:]
        let journal = try Journal(directory: folder.file("journal")) { event in
            if case .upsert(let upsert) = event { restored["\(upsert.name)"] = 1 }
        }
        #expect(restored.count == harness.table.mappings.withLock { $0.count })
        let sequence = journal.restoration.lastSequence
        #expect(sequence == last)
    }
}
