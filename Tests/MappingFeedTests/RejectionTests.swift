import DNSWire
import Testing

@testable import MappingFeed

@Suite(.timeLimit(.minutes(5)))
struct RejectionTests {
    @Test func `a rejected change is known as such before it is released`() async throws {
        let harness = try await HubHarness()
        let subscriber = try await RawSubscriber(harness.socket)
        _ = try await subscriber.snapshot(Subscription(acknowledges: true))
        harness.publish(1...3)
        #expect(try await subscriber.changes(3) == [1, 2, 3])
        subscriber.send(.nack(FeedRejection(sequence: 2, error: "no room")))
        for await (rejection, event) in harness.rejections {
            #expect(rejection == FeedRejection(sequence: 2, error: "no room"))
            #expect(event == .upsert(upsert(2, sequence: 2)))
            break
        }
        #expect((0...4).map { harness.hub.isRejected($0) } == [false, false, true, false, false])
        #expect(harness.hub.released == 0, "a rejection is no acknowledgement")
        subscriber.send(.ack(3))
        await harness.released(3)
        #expect(harness.hub.isRejected(2))
        #expect(harness.hub.counters.nacks == 1)
        await harness.hub.shutdown()
    }

    @Test func `a line of a snapshot is rejected by the snapshot's number, which stands for no event`() async throws {
        let harness = try await HubHarness()
        harness.publish(1...3)
        let subscriber = try await RawSubscriber(harness.socket)
        _ = try await subscriber.snapshot(Subscription(acknowledges: true))
        subscriber.send(.nack(FeedRejection(sequence: 3, error: "no room")))
        for await (rejection, event) in harness.rejections {
            #expect(rejection.sequence == 3)
            #expect(event == nil)
            break
        }
        await harness.hub.shutdown()
    }

    @Test func `the oldest rejections are forgotten`() {
        let rejected = RejectedSequences(limit: 3)
        #expect(!rejected.contains(0))
        for number: UInt64 in [5, 9, 5, 7, 8] { rejected.insert(number) }
        #expect([5, 7, 8, 9, 10].map { rejected.contains($0) } == [false, true, true, true, false])
    }
}
