import DNSWire
import NIOCore
import NIOPosix
import Testing

@testable import MappingFeed

@Suite(.timeLimit(.minutes(5)))
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
        let folder = TemporaryFolder()
        let (answers, tell) = AsyncStream<Void>.makeStream()
        let server = try await ServerBootstrap(group: MultiThreadedEventLoopGroup.singleton)
            .childChannelInitializer { channel in
                channel.eventLoop.makeCompletedFuture {
                    try channel.pipeline.syncOperations.addHandler(Questioner(count: 201) { tell.yield() })
                }
            }
            .bind(unixDomainSocketPath: folder.file("feed.sock")).get()
        let client = try await FeedClient.connect(to: folder.file("feed.sock"))
        for await _ in answers { break }
        let events = try #require(await client.batches.makeAsyncIterator().next())
        #expect(events.prefix(200) == (1...200).map { .ping($0) }[...])
        await client.close()
        try await server.close()
    }

    /// A server that asks its client so many times, each time when it has the answer to the question before, and says when
    /// it has the last one: then all the others have gone where the client's reader finds them.
    final class Questioner: ChannelInboundHandler {
        typealias InboundIn = ByteBuffer
        typealias OutboundOut = ByteBuffer

        /// Questions that the reader is to find.
        private let count: UInt64
        /// Called when that is so.
        private let onEnd: () -> Void
        /// Bytes of answers so far.
        private var received = ""
        /// Questions that were asked.
        private var asked: UInt64 = 0

        /// A server that asks `count` times, and calls `onEnd` then.
        init(count: UInt64, onEnd: @escaping () -> Void) {
            self.count = count
            self.onEnd = onEnd
        }

        func channelRead(context: ChannelHandlerContext, data: NIOAny) {
            received += String(buffer: unwrapInboundIn(data))
            // The first line subscribes, and each other one answers.
            guard received.split(separator: "\n").count > asked, received.hasSuffix("\n") else { return }
            asked += 1
            if asked > count { return onEnd() }
            context.writeAndFlush(
                wrapOutboundOut(ByteBuffer(bytes: FeedEvent.ping(asked).line)), promise: nil)
        }
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
