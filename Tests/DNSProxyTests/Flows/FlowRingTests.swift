import DNSWire
import FQDNCache
import FQDNPolicy
import Testing

@testable import DNSProxy

/// Recent flows: bounded, and never in anybody's way.
struct FlowRingTests {
    /// A ring for four flows.
    private let ring = FlowRing(capacity: 4, rate: 10, watchedRate: 100, workers: 2)

    /// Flows of the clients with these ports.
    private func flows(_ ports: ClosedRange<UInt16>) -> [FlowEntry] {
        ports.map { port in
            var entry = FlowEntry(.denied)
            entry.port = port
            return entry
        }
    }

    /// What a reader at `position` gets, as ports.
    private func read(_ position: inout FlowRing.Position, limit: Int = 10) -> (ports: [UInt16], loss: FlowRing.Loss) {
        var entries: [FlowEntry] = []
        let loss = ring.read(from: &position, limit: limit, into: &entries)
        return (entries.map(\.port), loss)
    }

    @Test func `a reader gets every flow once, in order, a few at a time`() {
        var position = ring.oldest
        #expect(read(&position).ports.isEmpty)
        ring.append(flows(1...3))
        #expect(read(&position, limit: 2).ports == [1, 2])
        ring.append(flows(4...5))
        #expect(read(&position).ports == [3, 4, 5])
        #expect(read(&position).ports.isEmpty)
        #expect(read(&position).loss == FlowRing.Loss())
    }

    @Test func `a reader that is overtaken goes on with what is there, and is told how much it missed`() {
        var slow = ring.oldest
        var fast = ring.oldest
        ring.append(flows(1...4))
        #expect(read(&fast).ports == [1, 2, 3, 4])
        ring.append(flows(5...7))
        let (ports, loss) = read(&slow)
        #expect(ports == [4, 5, 6, 7] && loss == FlowRing.Loss(overtaken: 3, leftOut: 0))
        #expect(read(&fast).ports == [5, 6, 7])
        #expect(read(&slow).loss == FlowRing.Loss())
        #expect(ring.totals.noted == 7)
    }

    @Test func `what workers left out is told to each reader once, from when it began to read`() {
        ring.append(flows(1...1), leftOut: 5)
        var first = ring.oldest
        ring.append([], leftOut: 2)
        #expect(read(&first).loss == FlowRing.Loss(overtaken: 0, leftOut: 2))
        #expect(read(&first).loss == FlowRing.Loss())
        #expect(ring.totals.leftOut == 7)
    }

    @Test func `a reader of what comes sees nothing of what was`() {
        ring.append(flows(1...9))
        var position = ring.newest
        #expect(read(&position).ports.isEmpty)
        ring.append(flows(10...10))
        #expect(read(&position).ports == [10])
    }

    @Test func `the rate is that of all workers together, and may be none`() {
        #expect(ring.interval == 200_000_000 && ring.watchedInterval == 20_000_000)
        #expect(FlowRing(capacity: 1, rate: 0, watchedRate: 1, workers: 1).interval == nil)
    }

    @Test func `a bucket lets a second's worth through at once, then as much as time brings`() {
        var bucket = TokenBucket()
        let start = Moment(seconds: 1_000)
        /// How many of 100 pass at that many milliseconds after the start.
        func passed(_ milliseconds: Int64, interval: Int64? = 100_000_000) -> Int {
            (1...100).count { _ in
                bucket.take(interval: interval, now: start.adding(nanoseconds: milliseconds * 1_000_000))
            }
        }
        #expect(passed(0) == 10)
        #expect(passed(50) == 0)
        #expect(passed(100) == 1)
        #expect(passed(450) == 3)
        #expect(passed(60_000) == 10)
        #expect(passed(60_000, interval: nil) == 0)
        // A clock that goes back brings nothing.
        #expect(passed(0) == 0)
        // One that costs more than a second's worth passes all the same, once it is paid for.
        #expect(passed(100_000, interval: 5_000_000_000) == 1)
        #expect(passed(104_000, interval: 5_000_000_000) == 0)
        #expect(passed(105_000, interval: 5_000_000_000) == 1)
    }
}
