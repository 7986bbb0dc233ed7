import DNSWire
import Glibc
import NIOCore
import NIOPosix
import Testing

@testable import MappingFeed

@Suite(.timeLimit(.minutes(5)))
struct FeedHubTests {
    @Test func `without journal and socket everything is released at once`() async throws {
        let harness = try await HubHarness(hasJournal: false, hasSocket: false)
        #expect(harness.publish(1...3) == 3)
        #expect(harness.hub.released == 3)
        await harness.hub.shutdown()
        #expect(harness.publish(4...4) == 0)
    }

    @Test func `without subscribers what is journalled is released`() async throws {
        let harness = try await HubHarness(hasSocket: false)
        harness.publish(1...5)
        await harness.released(5)
        #expect(harness.folder.read("journal/journal.jsonl")?.split(separator: "\n").count == 6)
        await harness.hub.shutdown()
    }

    @Test(arguments: [true, false])
    func `what is published without waking waits for whoever wakes, and leaves in order`(
        byAnotherChange: Bool
    ) async throws {
        let loop = MultiThreadedEventLoopGroup.singleton.next()
        let harness = try await HubHarness(hasSocket: false, loop: loop) { $0.tick = .hours(1) }
        for number in 1...3 { #expect(harness.hub.publish(upsert(UInt64(number)), wakes: false) == UInt64(number)) }
        // Whatever was asked of the loop before is done by now.
        for _ in 0..<3 { try await loop.submit {}.get() }
        #expect(harness.hub.counters.queued == 3 && harness.hub.released == 0)
        if byAnotherChange { harness.publish(4...4) } else { harness.hub.wake() }
        await harness.released(byAnotherChange ? 4 : 3)
        let lines = try #require(harness.folder.read("journal/journal.jsonl")).split(separator: "\n").dropFirst()
        let sequences = lines.compactMap { $0.firstMatch(of: /"seq":(\d+)/).flatMap { UInt64($0.1) } }
        #expect(sequences == Array(1...(byAnotherChange ? 4 : 3)))
        await harness.hub.shutdown()
    }

    @Test func `a subscriber gets the snapshot and then every change, in order`() async throws {
        let harness = try await HubHarness(chunk: 7)
        harness.publish(1...50)
        let subscriber = try await RawSubscriber(harness.socket)
        let (names, sequence) = try await subscriber.snapshot(Subscription())
        #expect(names.count == 50)
        #expect(sequence == 50)
        harness.publish(51...60)
        #expect(try await subscriber.changes(10) == Array(51...60))
        #expect(harness.hub.acknowledgingSubscribers == 0)
        await harness.hub.shutdown()
        #expect(await subscriber.rest() == [#"{"event":"error","reason":"the daemon stops"}"#])
    }

    @Test func `nothing is released that a slow acknowledging subscriber has not confirmed`() async throws {
        let harness = try await HubHarness()
        harness.publish(1...10)
        await harness.released(10)
        let slow = try await RawSubscriber(harness.socket)
        let fast = try await RawSubscriber(harness.socket)
        _ = try await slow.snapshot(Subscription(acknowledges: true))
        #expect(harness.hub.released == 0, "who joins has confirmed nothing")
        #expect(harness.hub.joins == 1)
        _ = try await fast.snapshot(Subscription(acknowledges: true))
        #expect(harness.hub.joins == 2)
        #expect(harness.hub.acknowledgingSubscribers == 2)
        slow.send(.ack(10))
        fast.send(.ack(10))
        await harness.released(10)
        harness.publish(11...13)
        #expect(try await slow.changes(3) == [11, 12, 13])
        #expect(try await fast.changes(3) == [11, 12, 13])
        fast.send(.ack(13))
        try await harness.until { harness.hub.counters.acks == 3 }
        #expect(harness.hub.released == 10)
        slow.send(.ack(12))
        await harness.released(12)
        slow.send(.ack(11))
        try await harness.until { harness.hub.counters.acks == 5 }
        #expect(harness.hub.released == 12, "an acknowledgement is cumulative and never taken back")
        try await slow.close()
        await harness.released(13)
        #expect(harness.hub.acknowledgingSubscribers == 1)
        await harness.hub.shutdown()
    }

    @Test func `a subscriber that comes back gets exactly what it missed`() async throws {
        let harness = try await HubHarness()
        harness.publish(1...10)
        await harness.released(10)
        let position = FeedPosition(instance: harness.hub.instance, sequence: 7)
        let subscriber = try await RawSubscriber(harness.socket)
        _ = await subscriber.next()
        subscriber.send(.subscribe(Subscription(acknowledges: true, resume: position)))
        #expect(try await subscriber.changes(3) == [8, 9, 10])
        #expect(harness.hub.released == 7)
        subscriber.send(.ack(10))
        await harness.released(10)
        #expect(harness.hub.counters.resumes == 1)
        await harness.hub.shutdown()
    }

    @Test(arguments: [
        (FeedPosition(instance: "of somebody else", sequence: 9), 65_536),
        (FeedPosition(instance: "", sequence: 11), 65_536),
        (FeedPosition(instance: "", sequence: .max), 65_536),
        (FeedPosition(instance: "", sequence: 1), 2),
    ])
    func `what cannot be resumed gets a snapshot`(position: FeedPosition, recentEvents: Int) async throws {
        let harness = try await HubHarness { $0.recentEvents = recentEvents }
        for number in UInt64(1)...10 {
            harness.publish(number...number)
            await harness.released(number)
        }
        let resume = FeedPosition(
            instance: position.instance.isEmpty ? harness.hub.instance : position.instance, sequence: position.sequence)
        let subscriber = try await RawSubscriber(harness.socket)
        #expect(try await subscriber.snapshot(Subscription(resume: resume)).sequence == 10)
        await harness.hub.shutdown()
    }

    @Test func `after a restart everything is there, and a subscriber that had it all misses nothing`() async throws {
        let first = try await HubHarness()
        first.publish(1...20)
        await first.released(20)
        let instance = first.hub.instance
        await first.hub.shutdown()
        #expect(!first.folder.names.contains("feed.sock"))
        let second = try await HubHarness(folderOf: first)
        #expect(second.hub.instance == instance)
        #expect(second.hub.lastSequence == 20)
        #expect(second.hub.released == 20)
        let new = try await RawSubscriber(second.socket)
        #expect(try await new.snapshot(Subscription()).names.count == 20)
        let old = try await RawSubscriber(second.socket)
        _ = await old.next()
        old.send(.subscribe(Subscription(resume: FeedPosition(instance: instance, sequence: 20))))
        try await second.until { second.hub.counters.resumes == 1 }
        second.publish(21...21)
        #expect(try await old.changes(1) == [21])
        await second.hub.shutdown()
    }

    @Test func `changes during a snapshot follow it`() async throws {
        let harness = try await HubHarness(chunk: 1)
        harness.publish(1...200)
        let subscriber = try await RawSubscriber(harness.socket, reads: true)
        _ = await subscriber.next()
        subscriber.send(.subscribe(Subscription(acknowledges: true)))
        harness.publish(201...300)
        var mirror: Set<DomainName> = []
        var last: UInt64 = 0
        while last < 300, let event = try await subscriber.event() {
            if case .upsert(let upsert) = event { mirror.insert(upsert.name) }
            if case .snapshotEnd(let mark) = event { last = mark.sequence }
            if event.isChange, last > 0, let sequence = event.sequence {
                #expect(sequence == last + 1)
                last = sequence
            }
        }
        #expect(mirror == Set(harness.table.mappings.withLock { $0.keys }))
        await harness.hub.shutdown()
    }

    @Test func `a full queue refuses, and says so`() async throws {
        let group = StuckLoop()
        let harness = try await HubHarness(hasSocket: false, loop: group.loop) { $0.queueLimit = 3 }
        await group.hold()
        #expect(harness.publish(1...3) == 3)
        #expect(harness.publish(4...5) == 0)
        #expect(harness.hub.counters.refused == 2)
        #expect(harness.hub.counters.queued == 3)
        group.letGo()
        await harness.released(3)
        #expect(harness.publish(6...6) == 4, "a refused change takes no number")
        await harness.released(4)
        await harness.hub.shutdown()
        group.end()
    }

    @Test func `a long journal is compacted while it is written`() async throws {
        let harness = try await HubHarness(limits: JournalLimits(minimumBytes: 4000, ratio: 2))
        var next: UInt64 = 1
        while harness.hub.counters.compactions < 3 {
            harness.publish(next...(next + 19))
            await harness.released(next + 19)
            next += 20
        }
        await harness.hub.shutdown()
        #expect(harness.hub.counters.journalErrors == 0)
        var restored: Set<DomainName> = []
        let journal = try Journal(directory: harness.folder.file("journal")) { event in
            if case .upsert(let upsert) = event { restored.insert(upsert.name) }
        }
        #expect(restored == Set(harness.table.mappings.withLock { $0.keys }))
        let last = journal.restoration.lastSequence
        #expect(last == next - 1)
    }

    @Test func `live connections are passed on`() async throws {
        let harness = try await HubHarness()
        let subscriber = try await RawSubscriber(harness.socket)
        _ = try await subscriber.snapshot(Subscription())
        let use = AddressesInUse(identity: 5, addresses: [IPAddress(ipv4: 0x0102_0304)])
        subscriber.send(.inUse(use))
        for await reported in harness.inUse {
            #expect(reported == use)
            break
        }
        await harness.hub.shutdown()
    }
}
