import DNSWire
import Testing

@testable import MappingFeed

@Suite(.timeLimit(.minutes(5)))
struct FeedClientTests {
    @Test func `a client reads the whole truth, acknowledges, and sees the end`() async throws {
        let harness = try await HubHarness()
        harness.publish(1...5)
        let client = try await FeedClient.connect(to: harness.socket, subscription: Subscription(acknowledges: true))
        var seen: Set<DomainName> = []
        for try await events in client.batches {
            for event in events {
                if case .upsert(let upsert) = event { seen.insert(upsert.name) }
                if case .snapshotEnd(let mark) = event {
                    client.acknowledge(mark.sequence)
                    harness.publish(6...500)
                }
            }
            if let last = events.last, last.isChange, let sequence = last.sequence { client.acknowledge(sequence) }
            if seen.count == 500 { break }
        }
        await harness.released(500)
        #expect(seen == Set(harness.table.mappings.withLock { $0.keys }))
        await harness.hub.shutdown()
        await client.close()
    }

    @Test func `a client can print the lines as they are`() async throws {
        let harness = try await HubHarness()
        harness.publish(1...1)
        let client = try await FeedClient.connect(to: harness.socket)
        var lines: [String] = []
        for try await line in client.lines {
            lines.append(String(decoding: line, as: UTF8.self))
            if lines.count == 4 { break }
        }
        let kinds = try lines.map { try FeedEvent.decode(Array($0.utf8).span) }
        #expect(kinds.first == .hello(FeedHello(instance: harness.hub.instance, sequence: 1)))
        #expect(kinds.last == .snapshotEnd(SnapshotMark(sequence: 1, count: 1)))
        await client.close()
        await harness.hub.shutdown()
    }

    @Test func `a client that reads slowly holds the daemon back by nothing and loses nothing`() async throws {
        let harness = try await HubHarness()
        let client = try await FeedClient.connect(to: harness.socket)
        harness.publish(1...20_000)
        await harness.released(20_000)
        var last: UInt64 = 0
        var isLive = false
        for try await event in client.events {
            if case .snapshotEnd(let mark) = event {
                last = mark.sequence
                isLive = true
            } else if isLive, event.isChange {
                #expect(event.sequence == last + 1)
                last += 1
            }
            if last == 20_000 { break }
        }
        #expect(last == 20_000)
        await client.close()
        await harness.hub.shutdown()
    }

    @Test func `where nobody listens, the error says so`() async throws {
        let folder = TemporaryFolder()
        await #expect {
            _ = try await FeedClient.connect(to: folder.file("feed.sock"))
        } throws: {
            "\($0)".hasPrefix("\(folder.file("feed.sock")): nobody listens here")
        }
    }
}
