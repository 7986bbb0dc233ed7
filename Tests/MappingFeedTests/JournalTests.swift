import Glibc
import Testing

@testable import MappingFeed

struct JournalTests {
    /// Where the journal is.
    private let folder = TemporaryFolder()

    /// What a journal holds: the events that opening it hands over, and what it reports.
    private func restore(_ directory: String? = nil) throws -> (events: [FeedEvent], JournalRestoration, String) {
        var events: [FeedEvent] = []
        let journal = try Journal(directory: directory ?? folder.path, now: 1000) { events.append($0) }
        return (events, journal.restoration, journal.instance)
    }

    /// The lines of upserts with these sequence numbers.
    private func lines(_ numbers: ClosedRange<UInt64>) -> [UInt8] {
        numbers.flatMap { FeedEvent.upsert(upsert($0, sequence: $0)).line }
    }

    /// The sequence numbers of events.
    private func numbers(_ events: [FeedEvent]) -> [UInt64] { events.compactMap(\.sequence) }

    @Test func `what was appended is there after a restart, under the same instance`() throws {
        var instance = ""
        do {
            var journal = try Journal(directory: folder.path) { _ in Issue.record("a new journal is empty") }
            instance = journal.instance
            try journal.append(lines(1...3).span)
            try journal.append(lines(4...4).span)
        }
        let (events, restoration, restored) = try restore()
        #expect(events == (1...4).map { .upsert(upsert($0, sequence: $0)) })
        #expect(restoration.lastSequence == 4)
        #expect(restoration.events == 4)
        #expect(restoration.problems.isEmpty)
        #expect(restored == instance)
        #expect(folder.read("journal.jsonl")?.hasPrefix(#"{"event":"hello","protocol":"dnsproxyd.mappings/1""#) == true)
    }

    @Test func `folders and files are made for the daemon and its group only`() throws {
        umask(0o022)
        _ = try restore(folder.file("a/b"))
        #expect(folder.mode("a") == 0o750)
        #expect(folder.mode("a/b") == 0o750)
        #expect(folder.mode("a/b/journal.jsonl") == 0o640)
    }

    @Test func `a second daemon is refused`() throws {
        let journal = try Journal(directory: folder.path) { _ in }
        #expect(throws: JournalError(.locked, folder.path)) { try restore() }
        try journal.synchronize()
    }

    @Test(arguments: [
        #"{"event":"upsert","seq":3,"iden"#, "garbage\n", "\0\0\0\0", "{\"event\":\"ping\",\"seq\":1\n", "\n",
    ])
    func `a torn write costs what is behind it and nothing before it`(tail: String) throws {
        var instance = ""
        do {
            var journal = try Journal(directory: folder.path) { _ in }
            instance = journal.instance
            try journal.append(lines(1...2).span)
        }
        let good = try #require(folder.read("journal.jsonl"))
        let after = String(decoding: lines(9...9), as: UTF8.self)
        try folder.write("journal.jsonl", good + tail + "\n" + after)
        let (events, restoration, renewed) = try restore()
        #expect(numbers(events) == [1, 2])
        let problem = try #require(restoration.problems.first)
        #expect(problem.line == 4)
        #expect(problem.path == folder.file("journal.jsonl"))
        #expect(problem.setAside == folder.file("journal.jsonl.corrupt-1000"))
        #expect(folder.read("journal.jsonl.corrupt-1000") == tail + "\n" + after)
        #expect(folder.read("journal.jsonl")?.hasPrefix(good) == true)
        #expect(renewed != instance, "numbers that may have been sent must not be given again under the same instance")
        let again = try restore()
        #expect(numbers(again.events) == [1, 2])
        #expect(again.1.problems.isEmpty)
        #expect(again.2 == renewed)
    }

    @Test func `a line without its newline is torn`() throws {
        do {
            var journal = try Journal(directory: folder.path) { _ in }
            try journal.append(lines(1...2).span)
        }
        try folder.write("journal.jsonl", String(try #require(folder.read("journal.jsonl")).dropLast()))
        let (events, restoration, _) = try restore()
        #expect(numbers(events) == [1])
        #expect(restoration.problems.map(\.line) == [3])
    }

    @Test func `a journal that does not begin with a greeting is set aside whole`() throws {
        try folder.write("journal.jsonl", String(decoding: lines(1...1), as: UTF8.self))
        let (events, restoration, _) = try restore()
        #expect(events.isEmpty)
        #expect(restoration.problems.map(\.line) == [1])
        #expect(folder.names.contains("journal.jsonl.corrupt-1000"))
    }

    @Test func `numbers that go back are no journal of ours`() throws {
        do {
            var journal = try Journal(directory: folder.path) { _ in }
            try journal.append(lines(1...3).span)
            try journal.append(lines(2...2).span)
        }
        let (events, restoration, _) = try restore()
        #expect(numbers(events) == [1, 2, 3])
        #expect(restoration.problems.map(\.line) == [5])
    }

    @Test(arguments: ["journal.jsonl", "snapshot.jsonl", "journal.old.jsonl"])
    func `a file of another version is refused, and nothing is touched`(name: String) throws {
        let text = #"{"event":"hello","protocol":"dnsproxyd.mappings/2","instance":"x","seq":1}"# + "\nwhatever\n"
        try folder.write(name, text)
        try folder.write("snapshot.jsonl.new", "x")
        #expect(throws: JournalError(.otherVersion("dnsproxyd.mappings/2"), folder.file(name))) { try restore() }
        #expect(folder.read(name) == text)
        #expect(folder.names == [name, "lock", "snapshot.jsonl.new"].sorted())
    }

    @Test func `a path that cannot be a folder is named, with what to do`() throws {
        try folder.write("file", "")
        #expect {
            try restore(folder.file("file"))
        } throws: {
            "\($0)".hasPrefix(folder.file("file")) && "\($0)".contains("not a directory; set feed.journal")
                && !"\($0)".contains("\n")
        }
        #expect(throws: JournalError.self) { try restore(folder.file("file/below")) }
        #expect(throws: JournalError.self) { try restore("/proc/no/journal") }
    }

    // MARK: Compaction

    /// Where a process can die during a compaction.
    enum CrashPoint: CaseIterable, Sendable {
        /// In the order in which they come.
        case newJournalTorn, journalMovedAway, rotated, snapshotTorn, snapshotWhole, snapshotInPlace, done
    }

    @Test(arguments: CrashPoint.allCases)
    func `a death at any point of a compaction loses nothing`(point: CrashPoint) throws {
        do {
            var journal = try Journal(directory: folder.path) { _ in }
            try journal.append(lines(1...3).span)
            try compact(&journal, last: 3, covered: 3)
            try journal.append(lines(4...6).span)
            try begin(point, &journal)
            if point != .journalMovedAway { try journal.append(lines(7...7).span) }
        }
        for _ in 1...2 {
            let (events, restoration, _) = try restore()
            let expected: [UInt64] = point == .journalMovedAway ? [1, 2, 3, 4, 5, 6] : [1, 2, 3, 4, 5, 6, 7]
            #expect(Set(events.map { event in named(event) }) == Set(expected.map { named(.upsert(upsert($0))) }))
            #expect(restoration.lastSequence == expected.last)
            #expect(restoration.problems.isEmpty)
            #expect(!folder.names.contains { $0.hasSuffix(".new") })
        }
        // And the next compaction works, twice, whatever was left.
        do {
            var journal = try Journal(directory: folder.path) { _ in }
            try compact(&journal, last: 7, covered: 7)
            try compact(&journal, last: 7, covered: 7)
        }
        #expect(folder.names == ["journal.jsonl", "lock", "snapshot.jsonl"])
        #expect(try restore().events.count == 7)
    }

    /// Compacts as far as `point`, in files that hold the numbers 1 to 6.
    private func begin(_ point: CrashPoint, _ journal: inout Journal) throws {
        if point == .newJournalTorn {
            try folder.write("journal.jsonl.new", #"{"event":"hel"#)
            return
        }
        if point == .journalMovedAway {
            #expect(rename(folder.file("journal.jsonl"), folder.file("journal.old.jsonl")) == 0)
            try folder.write("journal.jsonl.new", #"{"event":"hello","protocol":"dnsproxyd.mappings/1","#)
            return
        }
        let snapshot = try journal.beginCompaction(last: 6, covered: 6)
        if point == .rotated { return }
        if point == .snapshotTorn {
            let torn = [UInt8](lines(1...2).dropLast(5))
            try append(torn, to: snapshot)
            return
        }
        try fill(snapshot, 1...6)
        if point == .snapshotWhole {
            // As it was a moment earlier: whole, but not in its place.
            #expect(rename(folder.file("snapshot.jsonl"), folder.file("snapshot.jsonl.new")) == 0)
            try folder.write("snapshot.jsonl", String(decoding: first, as: UTF8.self))
        }
        if point == .done { try journal.endCompaction(snapshotBytes: 10) }
    }

    /// Appends to a snapshot that is never finished.
    private func append(_ bytes: [UInt8], to file: consuming SnapshotFile) throws {
        try file.append(bytes.span)
    }

    /// The name in an event.
    private func named(_ event: FeedEvent) -> String {
        if case .upsert(let upsert) = event { "\(upsert.name)" } else { "" }
    }

    /// A snapshot of the first three events.
    private var first: [UInt8] {
        FeedEvent.hello(FeedHello(instance: "x", sequence: 3)).line
            + FeedEvent.snapshotBegin(SnapshotMark(sequence: 3, count: 0)).line
            + (1...3).flatMap { FeedEvent.upsert(upsert($0, sequence: 3)).line }
            + FeedEvent.snapshotEnd(SnapshotMark(sequence: 3, count: 3)).line
    }

    /// Writes a snapshot of the events `numbers`.
    private func fill(_ file: consuming SnapshotFile, _ numbers: ClosedRange<UInt64>) throws {
        let sequence = file.sequence
        for number in numbers { try file.append(FeedEvent.upsert(upsert(number, sequence: sequence)).line.span) }
        _ = try file.finish(count: UInt64(numbers.count))
    }

    /// A whole compaction.
    private func compact(_ journal: inout Journal, last: UInt64, covered: UInt64) throws {
        let file = try journal.beginCompaction(last: last, covered: covered)
        try fill(file, 1...covered)
        try journal.endCompaction(snapshotBytes: 10)
    }

    @Test func `what the snapshot covers is not restored twice`() throws {
        do {
            var journal = try Journal(directory: folder.path) { _ in }
            try journal.append(lines(1...3).span)
            let file = try journal.beginCompaction(last: 3, covered: 5)
            try journal.append(lines(4...6).span)
            try fill(file, 1...5)
            try journal.endCompaction(snapshotBytes: 10)
        }
        #expect(numbers(try restore().events) == [5, 5, 5, 5, 5, 6])
    }

    @Test func `a damaged snapshot is restored as far as it goes, and then the whole journal`() throws {
        do {
            var journal = try Journal(directory: folder.path) { _ in }
            try journal.append(lines(1...3).span)
            let file = try journal.beginCompaction(last: 3, covered: 5)
            try journal.append(lines(4...6).span)
            try fill(file, 1...5)
            try journal.endCompaction(snapshotBytes: 10)
        }
        let text = try #require(folder.read("snapshot.jsonl"))
        try folder.write("snapshot.jsonl", text.split(separator: "\n").prefix(4).joined(separator: "\n") + "\n{\n")
        let (events, restoration, _) = try restore()
        #expect(numbers(events) == [5, 5, 4, 5, 6])
        #expect(restoration.problems.map(\.line) == [5])
        var journal = try Journal(directory: folder.path) { _ in }
        let isDue1 = journal.needsCompaction
        #expect(isDue1, "what could not be read makes a new snapshot due")
        try journal.append(lines(7...7).span)
    }

    @Test func `a journal is compacted when it is long for its snapshot`() throws {
        var journal = try Journal(directory: folder.path, limits: JournalLimits(minimumBytes: 2000, ratio: 4)) { _ in }
        let isDue2 = journal.needsCompaction
        #expect(!isDue2)
        try journal.append(lines(1...20).span)
        let isDue3 = journal.needsCompaction
        #expect(isDue3)
        let file = try journal.beginCompaction(last: 20, covered: 20)
        let isDue4 = journal.needsCompaction
        #expect(!isDue4)
        try fill(file, 1...20)
        try journal.endCompaction(snapshotBytes: 4000)
        try journal.append(lines(21...60).span)
        let isDue5 = journal.needsCompaction
        #expect(!isDue5, "below four times 4000")
        try journal.append(lines(61...120).span)
        let isDue6 = journal.needsCompaction
        #expect(isDue6)
    }
}
