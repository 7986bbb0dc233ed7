import Glibc
import NIOCore
import Testing

@testable import MappingFeed

@Suite(.timeLimit(.minutes(5)))
struct HostileSubscriberTests {
    /// A subscriber's first lines.
    private static let subscribe = #"{"event":"subscribe"}"#
    private static let acknowledging = #"{"event":"subscribe","acknowledge":true}"#

    /// What no subscriber may send, as lines, and the reason that it is disconnected for.
    private static let nonsense: [([String], FeedDisconnectReason)] = [
        (["garbage", ""], .badMessage),
        (["", ""], .badMessage),
        (["\u{0}\u{1}\u{2}", ""], .badMessage),
        ([#"{"event":"subscribe""#, ""], .badMessage),
        ([#"{"event":"dance"}"#, ""], .badMessage),
        ([#"{"event":"ack","seq":1}"#, ""], .unexpectedMessage),
        ([#"{"event":"nack","seq":0,"error":""}"#, ""], .unexpectedMessage),
        ([subscribe, #"{"event":"nack","seq":0,"error":""}"#, ""], .unexpectedMessage),
        ([acknowledging, #"{"event":"nack","seq":99,"error":""}"#, ""], .ackFromFuture),
        ([#"{"event":"subscribe","identities":[[]]}"#, ""], .badMessage),
        ([subscribe, subscribe, ""], .unexpectedMessage),
        ([subscribe, #"{"event":"ack","seq":0}"#, ""], .unexpectedMessage),
        ([acknowledging, #"{"event":"ack","seq":99}"#, ""], .ackFromFuture),
        ([String(repeating: "x", count: 70_000)], .lineTooLong),
        ([#"{"event":"pong","x":""# + String(repeating: "x", count: 70_000) + "\"}", ""], .lineTooLong),
    ]

    @Test(arguments: nonsense)
    func `who sends nonsense is told so and disconnected, alone`(
        lines: [String], reason: FeedDisconnectReason
    ) async throws {
        let harness = try await HubHarness()
        let good = try await RawSubscriber(harness.socket)
        _ = try await good.snapshot(Subscription(acknowledges: true))
        let bad = try await RawSubscriber(harness.socket)
        bad.send(lines.joined(separator: "\n"))
        let last = try #require(await bad.rest().last)
        guard case .error(let words) = try FeedEvent.decode(Array(last.utf8).span) else {
            Issue.record("no reason given: \(last)")
            return
        }
        #expect(!words.isEmpty)
        #expect(harness.hub.counters.disconnects == [reason: 1])
        #expect(harness.hub.acknowledgingSubscribers == 1)
        harness.publish(1...1)
        #expect(try await good.changes(1) == [1])
        good.send(.ack(1))
        await harness.released(1)
        await harness.hub.shutdown()
    }

    @Test func `who never subscribes is disconnected`() async throws {
        let harness = try await HubHarness { $0.subscribeTimeout = .milliseconds(20) }
        let idle = try await RawSubscriber(harness.socket)
        #expect(await idle.rest().last == #"{"event":"error","reason":"no subscribe line in time"}"#)
        #expect(harness.hub.counters.disconnects == [.neverSubscribed: 1])
        await harness.hub.shutdown()
    }

    @Test func `who does not read is told that it lags, and holds nobody back`() async throws {
        let harness = try await HubHarness {
            $0.subscriberQueueBytes = 64 << 10
            $0.subscriberBufferBytes = 16 << 10
            $0.closeTimeout = .seconds(30)
        }
        let stuck = try await RawSubscriber(harness.socket, reads: false)
        stuck.send(.subscribe(Subscription(acknowledges: true)))
        try await harness.until { harness.hub.acknowledgingSubscribers == 1 }
        let good = try await RawSubscriber(harness.socket)
        _ = try await good.snapshot(Subscription(acknowledges: true))
        var next: UInt64 = 1
        while harness.hub.counters.lagging == 0 {
            harness.publish(next...(next + 99))
            #expect(try await good.changes(100).last == next + 99)
            good.send(.ack(next + 99))
            next += 100
        }
        await harness.released(next - 1)
        #expect(harness.hub.acknowledgingSubscribers == 1)
        try await stuck.read()
        let last = try #require(await stuck.rest().last)
        #expect(last.hasPrefix(#"{"event":"lagging","seq":"#))
        await harness.hub.shutdown()
    }

    @Test func `who does not even read why is closed all the same`() async throws {
        let harness = try await HubHarness {
            $0.subscriberQueueBytes = 64 << 10
            $0.closeTimeout = .milliseconds(1)
        }
        let stuck = try await RawSubscriber(harness.socket, reads: false)
        stuck.send(.subscribe(Subscription()))
        try await harness.until { harness.hub.counters.subscribers == 1 }
        var next: UInt64 = 1
        while harness.hub.counters.lagging == 0 {
            harness.publish(next...(next + 99))
            await harness.released(next + 99)
            next += 100
        }
        await harness.hub.shutdown()
        #expect(harness.hub.counters.subscribers == 0)
    }

    @Test func `a ping is sent in silence, and who does not answer is disconnected`() async throws {
        let harness = try await HubHarness {
            $0.pingInterval = .milliseconds(5)
            $0.pongTimeout = .milliseconds(20)
        }
        let silent = try await RawSubscriber(harness.socket)
        silent.send(.subscribe(Subscription(acknowledges: true)))
        let lines = await silent.rest()
        #expect(lines.contains(#"{"event":"ping","seq":0}"#))
        #expect(lines.last == #"{"event":"error","reason":"no answer to a ping in time"}"#)
        #expect(harness.hub.counters.disconnects == [.noPong: 1])
        #expect(harness.hub.acknowledgingSubscribers == 0)
        await harness.hub.shutdown()
    }

    @Test func `a client answers pings by itself`() async throws {
        let harness = try await HubHarness { $0.pingInterval = .milliseconds(5) }
        let client = try await FeedClient.connect(to: harness.socket, subscription: Subscription(acknowledges: true))
        var pings: UInt64 = 0
        for try await event in client.events {
            if case .ping = event { pings += 1 }
            if pings == 3 { break }
        }
        try await harness.until { harness.hub.counters.pongs >= 3 }
        await client.close()
        await harness.hub.shutdown()
    }

    @Test func `one connection too many is told so`() async throws {
        let harness = try await HubHarness { $0.maxSubscribers = 3 }
        var subscribers: [RawSubscriber] = []
        for _ in 1...3 {
            let subscriber = try await RawSubscriber(harness.socket)
            _ = await subscriber.next()
            subscribers.append(subscriber)
        }
        for _ in 1...100 {
            let more = try await RawSubscriber(harness.socket)
            #expect(await more.rest() == [#"{"event":"error","reason":"too many subscribers"}"#])
        }
        #expect(harness.hub.counters.disconnects == [.tooMany: 100])
        subscribers[0].send(.subscribe(Subscription()))
        #expect(try await subscribers[0].event() == .snapshotBegin(SnapshotMark(sequence: 0, count: 0)))
        await harness.hub.shutdown()
    }

    @Test func `half a line, byte by byte, is a line in the end`() async throws {
        let harness = try await HubHarness()
        let subscriber = try await RawSubscriber(harness.socket)
        _ = await subscriber.next()
        for byte in SubscriberMessage.subscribe(Subscription(acknowledges: true)).line {
            subscriber.send(String(UnicodeScalar(byte)))
        }
        #expect(try await subscriber.event() == .snapshotBegin(SnapshotMark(sequence: 0, count: 0)))
        await harness.hub.shutdown()
    }
}
