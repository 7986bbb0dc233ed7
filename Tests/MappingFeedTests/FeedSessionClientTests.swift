import DNSWire
import NIOCore
import NIOPosix
import Testing

@testable import MappingFeed

@Suite(.timeLimit(.minutes(1)))
struct FeedSessionClientTests {
    @Test func `a session outlives the daemon and resumes behind what it acknowledged`() async throws {
        let first = try await HubHarness()
        _ = first.hub.publish(FeedIdentity(id: 1, name: "api", namespace: "production"))
        first.publish(1...3)
        let session = FeedSession(path: first.socket)
        let (progress, tell) = AsyncStream<Progress>.makeStream()
        let follower = Task {
            var state = FeedState()
            try await session.run { event in
                switch event {
                case .events(let events):
                    let changes = state.apply(events)
                    if let sequence = changes.sequence { session.acknowledge(sequence) }
                    tell.yield(Progress(events: events, names: Array(state.openings).count))
                case .disconnected: tell.yield(Progress(events: [], names: -1))
                }
            }
        }
        for await step in progress where step.names == 3 { break }
        await first.released(4)
        await first.hub.shutdown()
        for await step in progress where step.names == -1 { break }

        let second = try await HubHarness(folderOf: first, table: first.table) { _ in }
        second.publish(4...5)
        var again: [FeedEvent] = []
        for await step in progress where step.names > 0 {
            again += step.events
            if step.names == 5 { break }
        }
        await second.released(6)
        #expect(session.position == FeedPosition(instance: second.hub.instance, sequence: 6))
        follower.cancel()
        _ = await follower.result
        await second.hub.shutdown()
    }

    @Test func `while nobody listens a session says so once and connects when somebody does`() async throws {
        let folder = TemporaryFolder()
        let session = FeedSession(path: folder.file("feed.sock"))
        let (events, tell) = AsyncStream<FeedSession.Event>.makeStream()
        let follower = Task { try await session.run { tell.yield($0) } }
        var complaints = 0
        var server: (any Channel)?
        for await event in events {
            switch event {
            case .disconnected:
                complaints += 1
                if server != nil { break }
                server = try await serve(folder.file("feed.sock"), "{\"event\":\"ping\",\"seq\":1}\n")
            case .events: complaints += 100
            }
            if complaints >= 2 { break }
        }
        // The second complaint is about a first line that is no greeting.
        #expect(complaints == 2)
        follower.cancel()
        _ = await follower.result
        try await server?.close()
    }

    @Test(arguments: [
        (hello(9), "dnsproxyd.mappings/9"),
        ("garbage\n", "cannot be read"), ("{\"event\":\"lagging\",\"seq\":1}\n", "no hello"),
        (hello(1) + "\u{1}\n", "cannot be read"),
    ])
    func `what is not the feed ends the connection with a reason, and the session goes on`(
        _ text: String, _ reason: String
    ) async throws {
        let folder = TemporaryFolder()
        let server = try await serve(folder.file("feed.sock"), text)
        let session = FeedSession(path: folder.file("feed.sock"))
        let (events, tell) = AsyncStream<FeedSession.Event>.makeStream()
        let follower = Task { try await session.run { tell.yield($0) } }
        for await event in events {
            guard case .disconnected(let error) = event else { continue }
            #expect("\(error)".contains(reason))
            break
        }
        #expect(session.position == nil)
        follower.cancel()
        _ = await follower.result
        try await server.close()
    }

    @Test func `what comes while a reader is busy is one batch`() async throws {
        let harness = try await HubHarness()
        let client = try await FeedClient.connect(to: harness.socket)
        let batches = client.batches.makeAsyncIterator()
        var isLive = false
        while !isLive, let events = try await batches.next() {
            isLive = events.contains { if case .snapshotEnd = $0 { true } else { false } }
        }
        harness.publish(1...200)
        await harness.released(200)
        var counts: [Int] = []
        while counts.reduce(0, +) < 200, let events = try await batches.next() {
            counts.append(events.count)
            try await Task.sleep(for: .milliseconds(20))
        }
        #expect(counts.reduce(0, +) == 200)
        #expect(counts.count <= 3)
        await client.close()
        await harness.hub.shutdown()
    }

    /// What a follower saw, and how many openings it has then; -1 for the end of a connection.
    struct Progress {
        /// The events of a batch.
        var events: [FeedEvent]
        /// The openings.
        var names: Int
    }

    /// A server that says `text` to everybody and nothing more.
    private func serve(_ path: String, _ text: String) async throws -> any Channel {
        try await ServerBootstrap(group: MultiThreadedEventLoopGroup.singleton)
            .childChannelInitializer { channel in
                channel.writeAndFlush(ByteBuffer(string: text), promise: nil)
                return channel.eventLoop.makeSucceededVoidFuture()
            }
            .bind(unixDomainSocketPath: path).get()
    }
}

/// A greeting in a version of the protocol.
private func hello(_ version: Int) -> String {
    "{\"event\":\"hello\",\"protocol\":\"dnsproxyd.mappings/\(version)\",\"instance\":\"i\",\"seq\":1}\n"
}
