import Testing

@testable import DNSProxy

/// Workers that stand still are found.
@Suite struct WorkerWatchTests {
    @Test func `a worker whose turns stand still between two looks is stuck, until it moves again`() {
        var watch = WorkerWatch()
        #expect(watch.stuck(turns: [0, 0, 7]) == [])
        #expect(watch.stuck(turns: [1, 0, 9]) == [1])
        #expect(watch.stuck(turns: [1, 0, 9]) == [0, 1, 2])
        #expect(watch.stuck(turns: [2, 5, 10]) == [])
    }
}
