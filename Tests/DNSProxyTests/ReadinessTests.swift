import FQDNCache
import Testing

@testable import DNSProxy

/// What `/ready` decides by.
@Suite struct ReadinessTests {
    /// The moment of every decision here.
    private static let now = Moment(seconds: 100_000)

    /// A server that answered and failed that many seconds ago; nil for never.
    private static func server(answered: Int64? = nil, failed: Int64? = nil) -> UpstreamBoard.State {
        var state = UpstreamBoard.State()
        state.answeredAt = answered.map { now.adding(seconds: -$0) }
        state.failedAt = failed.map { now.adding(seconds: -$0) }
        return state
    }

    /// Where everything is as it should be, with these servers.
    private static func readiness(_ servers: [UpstreamBoard.State]) -> Readiness {
        Readiness(isListening: true, hasLocalRecords: false, servers: servers, cachedAnswers: 0, serveStale: 3_600)
    }

    @Test func `nothing makes up for listeners that are not bound`() {
        var readiness = ReadinessTests.readiness([ReadinessTests.server(answered: 0)])
        readiness.isListening = false
        readiness.hasLocalRecords = true
        #expect(readiness.missing(now: ReadinessTests.now) == ["the listeners are not bound yet"])
    }

    @Test(arguments: [
        ([server()], true),
        ([server(answered: 5)], true),
        ([server(failed: 5)], false),
        ([server(answered: 9, failed: 5)], false),
        ([server(answered: 5, failed: 9)], true),
        ([server(failed: 5), server(answered: 70)], true),
        ([server(failed: 5), server()], true),
        ([server(failed: 5), server(failed: 59)], false),
        // Nobody has asked since, so nobody knows.
        ([server(failed: 60)], true),
    ])
    func `an upstream that is not known to be silent is enough`(servers: [UpstreamBoard.State], isReady: Bool) {
        let missing = ReadinessTests.readiness(servers).missing(now: ReadinessTests.now)
        #expect(missing == (isReady ? [] : ["no upstream answers"]))
    }

    @Test(arguments: [
        ([], []),
        ([server(failed: 5)], ["no upstream answers"]),
        ([server(failed: 5), server(answered: 70, failed: 9)], ["no upstream answers"]),
        ([server(failed: 5), server(answered: 5)], []),
    ])
    func `local records are enough where there is no upstream, and make up for none that is silent`(
        servers: [UpstreamBoard.State], missing: [String]
    ) {
        var readiness = ReadinessTests.readiness(servers)
        readiness.hasLocalRecords = true
        #expect(readiness.missing(now: ReadinessTests.now) == missing)
    }

    @Test(arguments: [
        (server(answered: 3_599, failed: 5), 1, UInt32(3_600), true),
        (server(answered: 3_600, failed: 5), 1, 3_600, false),
        (server(answered: 9, failed: 5), 0, 3_600, false),
        (server(answered: 9, failed: 5), 1, 0, false),
        // What is cached before the first answer of an upstream are failures.
        (server(failed: 5), 1, 3_600, false),
    ])
    func `answers past their lifetime stand in for upstreams as long as they may be served`(
        server: UpstreamBoard.State, cached: Int, serveStale: UInt32, isReady: Bool
    ) {
        var readiness = ReadinessTests.readiness([server])
        readiness.cachedAnswers = cached
        readiness.serveStale = serveStale
        #expect(readiness.missing(now: ReadinessTests.now).isEmpty == isReady)
    }

    @Test func `without upstreams and local records there is nothing to be ready for`() {
        #expect(ReadinessTests.readiness([]).missing(now: ReadinessTests.now) == ["there is no upstream"])
    }
}
