import DNSWire
import Glibc
import Testing

@testable import MappingFeed

@Suite(.timeLimit(.minutes(5)))
struct FeedRestartTests {
    /// A hub on a copy of what `dead` has on the disk at this moment, as if that had been killed.
    private func revive(_ dead: HubHarness, limits: JournalLimits = JournalLimits()) async throws -> HubHarness {
        try dead.folder.copy("journal", to: "copy")
        let socket = dead.folder.file("second.sock")
        return try await HubHarness(journal: "copy", folderOf: dead, limits: limits) { $0.socketPath = socket }
    }

    /// A subscriber of `harness` that goes on behind `sequence`.
    private func resume(_ harness: HubHarness, _ instance: String, _ sequence: UInt64) async throws -> RawSubscriber {
        let subscriber = try await RawSubscriber(harness.socket)
        _ = await subscriber.next()
        let position = FeedPosition(instance: instance, sequence: sequence)
        subscriber.send(.subscribe(Subscription(acknowledges: true, resume: position)))
        return subscriber
    }

    @Test func `after a kill a subscriber gets exactly what it missed, byte for byte`() async throws {
        let first = try await HubHarness()
        _ = first.hub.publish(FeedIdentity(id: 1, name: "api", namespace: "production"))
        first.publish(1...300)
        await first.released(301)
        let second = try await revive(first)
        #expect(second.hub.instance == first.hub.instance)
        let written = try #require(first.folder.read("journal/journal.jsonl")).split(separator: "\n").dropFirst()
        for place: UInt64 in [0, 1, 150, 300] {
            let subscriber = try await resume(second, first.hub.instance, place)
            for line in written.dropFirst(Int(place)) {
                let sent = await subscriber.next()
                #expect(sent == String(line))
            }
        }
        #expect(second.hub.counters.resumes == 4)
        let subscriber = try await resume(second, first.hub.instance, 301)
        second.publish(302...302)
        #expect(try await subscriber.changes(1) == [302])
        await first.hub.shutdown()
        await second.hub.shutdown()
    }

    @Test func `what was not kept gets a snapshot after a kill`() async throws {
        let first = try await HubHarness()
        first.publish(1...2000)
        await first.released(2000)
        // The journal closes a batch of 64 KiB, and keeps the last one whatever the limit.
        let second = try await revive(first, limits: JournalLimits(recentEvents: 10))
        let subscriber = try await resume(second, first.hub.instance, 5)
        #expect(try await subscriber.event() == .snapshotBegin(SnapshotMark(sequence: 2000, count: 0)))
        let late = try await resume(second, first.hub.instance, 1999)
        #expect(try await late.changes(1) == [2000])
        await first.hub.shutdown()
        await second.hub.shutdown()
    }

    @Test func `who was sent more than the journal has does not resume on other changes of the same numbers`()
        async throws
    {
        let first = try await HubHarness()
        first.publish(1...5)
        await first.released(5)
        try first.folder.copy("journal", to: "copy")
        // As it is when the disk was full and the daemon was killed before there was room.
        try first.folder.write("copy/lock", "")
        let socket = first.folder.file("second.sock")
        let second = try await HubHarness(journal: "copy", folderOf: first) { $0.socketPath = socket }
        #expect(second.hub.instance != first.hub.instance)
        second.publish(6...9)
        await second.released(9)
        let subscriber = try await resume(second, first.hub.instance, 8)
        #expect(try await subscriber.event() == .snapshotBegin(SnapshotMark(sequence: 9, count: 0)))
        await first.hub.shutdown()
        await second.hub.shutdown()
    }

    @Test func `after a compaction what the new file has can be resumed`() async throws {
        let first = try await HubHarness(limits: JournalLimits(minimumBytes: 20_000, ratio: 1))
        var next: UInt64 = 1
        while first.hub.counters.compactions < 2 {
            first.publish(next...(next + 19))
            await first.released(next + 19)
            next += 20
        }
        // Nothing is renamed while it is copied.
        await first.hub.suspendCompaction()
        first.publish(next...(next + 9))
        await first.released(next + 9)
        let second = try await revive(first)
        let subscriber = try await resume(second, first.hub.instance, next - 1)
        #expect(try await subscriber.changes(10) == Array(next...(next + 9)))
        await first.hub.shutdown()
        await second.hub.shutdown()
    }

    @Test func `identities are known after a kill, and only what differs is published`() async throws {
        let first = try await HubHarness()
        let old = (1...4).map { FeedIdentity(id: $0, name: "id\($0)", namespace: "a", labels: ["app": "x"]) }
        #expect(first.hub.announce(old) == 4)
        #expect(first.hub.announce(old) == 0)
        first.publish(1...3)
        await first.released(7)
        let second = try await revive(first)
        var new = Array(old.dropFirst())
        new[0].labels = ["app": "y"]
        #expect(second.hub.announce(new) == 8)
        #expect(second.hub.withdrawIdentities(except: Set(new.map(\.id))) == 9)
        let subscriber = try await resume(second, first.hub.instance, 7)
        let (changed, gone) = (try await subscriber.event(), try await subscriber.event())
        new[0].sequence = 8
        #expect(changed == .identity(new[0]))
        guard case .identity(let removed) = gone else {
            Issue.record("\(String(describing: gone))")
            return
        }
        #expect(removed.id == 1)
        #expect(removed.isRemoved)
        await first.hub.shutdown()
        await second.hub.shutdown()
    }

    @Test(arguments: [false, true])
    func `an identity precedes its first mapping, in a snapshot, on the wire and in the journal`(
        compacts: Bool
    ) async throws {
        let harness = try await HubHarness(
            chunk: 3, limits: compacts ? JournalLimits(minimumBytes: 2000, ratio: 1) : JournalLimits())
        // More identities than fit one chunk of a listing, and a limit on the queue that they are exempt from.
        var known: Set<UInt64> = []
        for round: UInt64 in 0..<5 {
            harness.hub.announce((0..<300).map { FeedIdentity(id: round * 300 + $0, name: "n", namespace: "s") })
            for number: UInt64 in 0..<20 { harness.publish(round * 20 + number, of: round * 300 + number * 13) }
        }
        let subscriber = try await RawSubscriber(harness.socket)
        _ = await subscriber.next()
        subscriber.send(.subscribe(Subscription()))
        while let event = try await subscriber.event() {
            if case .identity(let identity) = event { known.insert(identity.id) }
            if case .upsert(let upsert) = event { #expect(known.contains(upsert.identity)) }
            if case .snapshotEnd(let mark) = event {
                #expect(mark.count == UInt64(1500 + harness.table.mappings.withLock { $0.count }))
                break
            }
        }
        #expect(known.count == 1500)
        if compacts { try await harness.until { harness.hub.counters.compactions > 0 } }
        await harness.hub.shutdown()
        var restored: Set<UInt64> = []
        let journal = try Journal(directory: harness.folder.file("journal")) { event in
            if case .identity(let identity) = event { restored.insert(identity.id) }
            if case .upsert(let upsert) = event { #expect(restored.contains(upsert.identity)) }
        }
        let identities = journal.restoration.identities.identities.count
        #expect(identities == 1500)
    }

    @Test func `identities are announced whole, however short the queue`() async throws {
        let group = StuckLoop()
        let harness = try await HubHarness(hasSocket: false, loop: group.loop) { $0.queueLimit = 3 }
        await group.hold()
        #expect(harness.hub.announce((1...10).map { FeedIdentity(id: $0, name: "n", namespace: "s") }) == 10)
        #expect(harness.publish(1...1) == 0)
        group.letGo()
        await harness.released(10)
        await harness.hub.shutdown()
        group.end()
    }

    @Test func `a change is in the journal before a subscriber can know of it`() async throws {
        let group = StuckLoop()
        // A compaction would begin another file.
        let harness = try await HubHarness(limits: JournalLimits(minimumBytes: 1 << 30), loop: group.loop)
        let subscriber = try await RawSubscriber(harness.socket)
        _ = try await subscriber.snapshot(Subscription())
        let path = harness.folder.file("journal/journal.jsonl")
        // Written at once, and so many that this takes longer than to read the first of them.
        await group.hold()
        harness.publish(1...20_000)
        group.letGo()
        #expect(try await subscriber.changes(1) == [1])
        let size = try File(path, O_RDONLY).size()
        #expect(try await subscriber.changes(19_999).last == 20_000)
        #expect(try size == File(path, O_RDONLY).size())
        await harness.hub.shutdown()
        group.end()
    }
}
