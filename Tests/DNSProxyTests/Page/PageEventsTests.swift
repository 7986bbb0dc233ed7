import NIOCore
import Testing

@testable import DNSProxy

/// Who hears of what, and who is dropped.
@Suite struct PageEventsTests {
    /// A sample that is told by its time.
    private static func sample(_ at: Double) -> PageSample {
        PageSample(at: at, from: WorkerCounters(), to: WorkerCounters(), seconds: 1)
    }

    /// What a page shows of a daemon that has done nothing.
    private static func state(_ at: Double) -> PageState {
        PageState(
            sample: sample(at), figures: PageState.Figures(queries: 0, denied: 0, failed: 0),
            totals: PageState.Totals(queries: 0, cache: 0, denied: 0, failed: 0, waiting: 0), host: "node",
            version: "1",
            started: 0, notReady: [],
            policy: PageState.Policy(
                enforcement: "default", generation: 1, policies: 0, identities: 0, loaded: 0, errors: 0),
            upstreams: [], subscribers: [], mappings: AdminMappingTotals(identities: 0, names: 0, addresses: 0),
            cacheBytes: 0, cacheCapacity: 0, denials: AdminDenials(since: nil, isComplete: true, names: []))
    }

    /// What `stream` tells until its end.
    private static func text(_ stream: AsyncStream<ByteBuffer>) async -> [String] {
        var events: [String] = []
        for await event in stream { events.append(String(buffer: event)) }
        return events
    }

    @Test func `a viewer is told of the last five minutes, then of each second`() async throws {
        let events = PageEvents()
        for second in 1...400 { events.note(PageEventsTests.sample(Double(second))) }
        let stream = try #require(events.join())
        events.tell(PageEventsTests.state(401))
        events.close()
        let told = await PageEventsTests.text(stream)
        #expect(told.count == 2)
        #expect(told[0].hasPrefix("event: history\ndata: [{\"at\":101,") && told[0].hasSuffix("}]\n\n"))
        #expect(told[0].matches(of: /"at":/).count == PageEvents.historyLimit)
        #expect(told[1].hasPrefix("event: state\ndata: {") && told[1].contains("\"at\":401"))
        // An event is two lines and an empty one.
        #expect(told.allSatisfy { $0.split(separator: "\n", omittingEmptySubsequences: false).count == 4 })
    }

    @Test func `a viewer that does not read is dropped, and nobody else`() async throws {
        let events = PageEvents()
        let silent = try #require(events.join())
        let busy = try #require(events.join())
        var reader = busy.makeAsyncIterator()
        #expect(await reader.next() != nil)
        for second in 1...20 {
            events.tell(PageEventsTests.state(Double(second)))
            #expect(await reader.next().map { String(buffer: $0).contains("\"at\":\(second),") } == true)
        }
        #expect(events.viewerCount == 1)
        // What waited for it is bounded, the history included.
        #expect(await PageEventsTests.text(silent).count == PageEvents.unreadLimit)
    }

    @Test func `there is room for sixteen, and for another one when one has left`() throws {
        let events = PageEvents()
        var streams = try (0..<PageEvents.viewerLimit).map { _ in try #require(events.join()) }
        #expect(PageEvents.viewerLimit == 16 && events.join() == nil)
        streams.removeLast()
        #expect(events.viewerCount == 15)
        #expect(events.join() != nil)
        withExtendedLifetime(streams) {}
    }

    @Test func `nobody joins a daemon that stops`() async throws {
        let events = PageEvents()
        let stream = try #require(events.join())
        events.close()
        #expect(await PageEventsTests.text(stream).count == 1)
        #expect(events.join() == nil && events.viewerCount == 0)
    }
}
