import Testing

@testable import DNSProxy

/// The figures of the page, and who may see it.
@Suite struct PageFiguresTests {
    @Test func `rates are differences over time, each outcome in one of them`() {
        var earlier = WorkerCounters()
        var later = WorkerCounters()
        for (index, outcome) in QueryOutcome.allCases.enumerated() {
            earlier[outcome] = 1_000
            later[outcome] = 1_000 + UInt64(1 << index)
        }
        let sample = PageSample(at: 12.3456, from: earlier, to: later, seconds: 2)
        #expect(sample.at == 12.346)
        #expect(sample.queries == Double((1 << QueryOutcome.allCases.count) - 1) / 2)
        #expect(sample.cache == 1.5 && sample.resolved == 6)
        #expect(sample.cacheShare == 1.5 / (1.5 + 6 + 8))
        // A process has just started, or nothing was asked.
        let nothing = PageSample(at: 0, from: later, to: earlier, seconds: 0)
        #expect(nothing.queries == 0 && nothing.cacheShare == nil)
    }

    @Test func `a quantile is estimated inside its range, from what is new`() throws {
        var earlier = DurationHistogram()
        earlier.add(4_000_000_000, count: 1_000)
        var later = earlier
        #expect(later.quantile(0.5, since: earlier) == nil)
        later.add(60_000, count: 90)
        later.add(2_000_000, count: 10)
        // Half of 100 are 50 of the 90 between 50 and 100 µs.
        let expected = (50.0 + 50.0 * 50.0 / 90.0) / 1e6
        let median = try #require(later.quantile(0.5, since: earlier))
        #expect(abs(median - expected) < 1e-9)
        let p99 = try #require(later.quantile(0.99, since: earlier))
        #expect(p99 > 0.001 && p99 <= 0.0025)
        later.add(60_000_000_000, count: 10_000)
        #expect(later.quantile(0.99, since: earlier) == 5)
    }

    @Test(arguments: [
        ("localhost", true), ("LocalHost:9253", true), ("127.0.0.1", true), ("127.9.9.9:80", true), ("[::1]", true),
        ("[::1]:9253", true), ("", false), ("localhost.example", false), ("example.com:9253", false),
        ("127.0.0.1.example", false), ("10.0.0.1:9253", false), ("[2001:db8::1]:9253", false), ("[", false),
        ("]", false),
        ("::1", false),
    ])
    func `a request is for this machine by a name that cannot mean another`(host: String, isHere: Bool) {
        #expect(PageGuard.isThisMachine(host) == isHere)
    }

    @Test func `the files of the page are in the program`() {
        #expect(PageFile.all.map(\.path) == ["/", "/page.css", "/page.js", "/page.svg"])
    }
}
