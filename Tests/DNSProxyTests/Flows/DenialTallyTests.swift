import DNSWire
import FQDNCache
import FQDNPolicy
import Testing

@testable import DNSProxy

/// What was denied most, counted from flows.
@Suite struct DenialTallyTests {
    /// A query of `identity` for `name` that ended as `outcome`, `seconds` after the beginning.
    private static func entry(
        _ name: String, _ identity: UInt64 = 1, outcome: QueryOutcome = .denied, at seconds: Int64 = 0
    ) -> FlowEntry {
        var entry = FlowEntry()
        entry.identity = IdentityID(rawValue: identity)
        entry.outcome = outcome
        entry.arrived = Moment(seconds: 1_000 + seconds)
        entry.total = 0
        var message: [UInt8] = [0, 1, 0x81, 0x85, 0, 1, 0, 0, 0, 0, 0, 0]
        for label in name.split(separator: ".") { message += [UInt8(label.utf8.count)] + label.utf8 }
        message += [0, 0, 1, 0, 1]
        entry.length = UInt16(message.count)
        for (index, byte) in message.enumerated() { entry.message[index] = byte }
        return entry
    }

    /// A ring for 100 flows.
    private let ring = FlowRing(capacity: 100, rate: 1_000, watchedRate: 1_000, workers: 1)

    /// The moment so many seconds after the beginning.
    private static func moment(_ seconds: Int64) -> Moment { Moment(seconds: 1_000 + seconds) }

    @Test func `names are counted by identity, the most denied first, whatever else happens`() {
        var tally = DenialTally(ring, now: DenialTallyTests.moment(0))
        ring.append(
            [
                DenialTallyTests.entry("b.example"), DenialTallyTests.entry("a.example"),
                DenialTallyTests.entry("a.example", 2, outcome: .prohibited), DenialTallyTests.entry("a.example"),
                DenialTallyTests.entry("a.example", outcome: .upstream),
                DenialTallyTests.entry("c.example", outcome: .failed),
            ].span, leftOut: 0)
        tally.catchUp(ring, now: DenialTallyTests.moment(1))
        let most = tally.most(10)
        #expect(most.map { "\($0.key.name) \($0.key.identity)" }.first == "a.example. 1")
        #expect(most.map(\.count.count) == [2, 1, 1])
        #expect(tally.most(1).count == 1 && tally.most(0).isEmpty)
        // Nothing is counted twice.
        tally.catchUp(ring, now: DenialTallyTests.moment(2))
        #expect(tally.most(1)[0].count.count == 2 && tally.isComplete)
    }

    @Test func `what was denied is shown for five minutes at least and ten at most`() {
        var tally = DenialTally(ring, now: DenialTallyTests.moment(0))
        ring.append([DenialTallyTests.entry("a.example")].span, leftOut: 0)
        for (second, isThere) in [(0, true), (299, true), (300, true), (599, true), (600, false)] as [(Int64, Bool)] {
            tally.catchUp(ring, now: DenialTallyTests.moment(second))
            #expect(tally.most(1).isEmpty == !isThere, "\(second)")
        }
        #expect(tally.since == DenialTallyTests.moment(300))
        // The same name in both windows is counted in both.
        ring.append([DenialTallyTests.entry("b.example", at: 610)].span, leftOut: 0)
        tally.catchUp(ring, now: DenialTallyTests.moment(610))
        ring.append([DenialTallyTests.entry("b.example", at: 905)].span, leftOut: 0)
        tally.catchUp(ring, now: DenialTallyTests.moment(905))
        #expect(tally.most(1)[0].count.count == 2)
        #expect(tally.most(1)[0].count.last == DenialTallyTests.moment(905))
    }

    @Test func `its memory is bounded, and what it has missed is no secret`() {
        var tally = DenialTally(ring, now: DenialTallyTests.moment(0))
        for number in 0..<DenialTally.capacity + 5 {
            ring.append([DenialTallyTests.entry("n\(number).example")].span, leftOut: 0)
            if number % 50 == 0 { tally.catchUp(ring, now: DenialTallyTests.moment(0)) }
            if number == DenialTally.capacity - 1 {
                tally.catchUp(ring, now: DenialTallyTests.moment(0))
                #expect(tally.isComplete)
            }
        }
        tally.catchUp(ring, now: DenialTallyTests.moment(1))
        #expect(tally.most(.max).count == DenialTally.capacity && !tally.isComplete)

        var other = DenialTally(ring, now: DenialTallyTests.moment(0))
        other.catchUp(ring, now: DenialTallyTests.moment(0))
        #expect(other.isComplete)
        ring.append([DenialTallyTests.entry("x.example")].span, leftOut: 3)
        other.catchUp(ring, now: DenialTallyTests.moment(0))
        #expect(!other.isComplete)
    }

    @Test func `a message without a name is not counted`() {
        var tally = DenialTally(ring, now: DenialTallyTests.moment(0))
        var entry = DenialTallyTests.entry("a.example")
        entry.length = 14
        ring.append([entry].span, leftOut: 0)
        tally.catchUp(ring, now: DenialTallyTests.moment(0))
        #expect(tally.most(10).isEmpty)
    }
}
