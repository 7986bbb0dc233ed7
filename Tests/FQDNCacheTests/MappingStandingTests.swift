import DNSWire
import FQDNCache
import Testing

/// Which event a reply waits for, so that all of its addresses are in force then, whatever became of the events before.
@Suite struct MappingStandingTests {
    /// An answer with some of the addresses 1, which event 1 has published, 2, which event 2 has, and 3, which is new.
    struct Case: CustomTestStringConvertible {
        /// The addresses of the answer.
        let answer: [UInt32]
        /// The last event that the enforcers have answered for.
        let released: UInt64
        /// The events that they could not put in force.
        let rejected: Set<UInt64>
        /// The event to wait for.
        let awaited: UInt64
        /// The addresses that event 3 publishes.
        let published: [UInt32]

        /// The case in words.
        var testDescription: String { "\(answer), up to \(released), \(rejected.sorted()) rejected" }
    }

    @Test(arguments: [
        Case(answer: [1, 2], released: 2, rejected: [], awaited: 2, published: []),
        Case(answer: [1, 2], released: 1, rejected: [], awaited: 2, published: []),
        Case(answer: [1, 2], released: 0, rejected: [], awaited: 3, published: [1, 2]),
        Case(answer: [1, 2], released: 2, rejected: [1], awaited: 3, published: [1]),
        Case(answer: [1, 2], released: 1, rejected: [1], awaited: 3, published: [1, 2]),
        Case(answer: [1, 2], released: 0, rejected: [1], awaited: 3, published: [1, 2]),
        Case(answer: [1, 2], released: 2, rejected: [2], awaited: 3, published: [2]),
        Case(answer: [1, 2], released: 0, rejected: [2], awaited: 3, published: [1, 2]),
        Case(answer: [1, 2], released: 2, rejected: [1, 2], awaited: 3, published: [1, 2]),
        Case(answer: [1], released: 0, rejected: [], awaited: 1, published: []),
        Case(answer: [1], released: 0, rejected: [2], awaited: 1, published: []),
        Case(answer: [1], released: 0, rejected: [1], awaited: 3, published: [1]),
        Case(answer: [1], released: 2, rejected: [1], awaited: 3, published: [1]),
        Case(answer: [1, 3], released: 2, rejected: [], awaited: 3, published: [3]),
        Case(answer: [1, 2, 3], released: 1, rejected: [], awaited: 3, published: [2, 3]),
        Case(answer: [1, 2, 3], released: 0, rejected: [], awaited: 3, published: [1, 2, 3]),
        Case(answer: [2, 3], released: 2, rejected: [1, 2], awaited: 3, published: [2, 3]),
    ])
    func `a reply waits for one event, and all of its addresses that are not in force are of it`(_ fact: Case) throws {
        let stage = MappingStage()
        try stage.learn("a.example", [stage.address(1, 60)], answer: 1)
        try stage.learn("a.example", [stage.address(2, 60)], answer: 2)
        stage.feed.forget()
        (stage.feed.released, stage.feed.rejected) = (fact.released, fact.rejected)
        let answer = fact.answer.map { stage.address($0, 60) }
        for _ in 1...2 {
            #expect(try stage.learn("a.example", answer, answer: 5).sequence == fact.awaited)
            #expect(stage.feed.changes.flatMap(\.addresses).map(\.address) == fact.published.map(stage.ip))
        }
        stage.feed.released = 3
        #expect(try stage.learn("a.example", answer, answer: 5) == LearnOutcome(sequence: fact.awaited))
    }

    @Test func `answers that share addresses are gathered once, and not in turn`() throws {
        let stage = MappingStage()
        stage.feed.released = 0
        try stage.learn("a.example", [stage.address(1, 60), stage.address(2, 60)])
        for _ in 1...3 {
            #expect(try stage.learn("a.example", [stage.address(2, 60), stage.address(3, 60)]).sequence == 2)
            #expect(try stage.learn("a.example", [stage.address(1, 60), stage.address(2, 60)]).sequence == 2)
        }
        #expect(stage.feed.changes.map { $0.addresses.count } == [2, 3])
    }

    @Test func `an answer of the other family does not publish again what waits`() throws {
        let stage = MappingStage()
        stage.feed.released = 0
        try stage.learn("a.example", [stage.address(1, 60)])
        try stage.learn("a.example", [stage.address(2, 60)])
        #expect(stage.feed.changes.map { $0.addresses.count } == [1, 1])
    }

    @Test(arguments: [1, 2] as [UInt64])
    func `a rejection that comes while an answer is compared does not slip through`(rejected: UInt64) throws {
        // Whatever is asked first is not answered for yet; then one event is rejected and the other one confirmed.
        for asked in 0...8 {
            let stage = MappingStage()
            try stage.learn("a.example", [stage.address(1, 60)])
            try stage.learn("a.example", [stage.address(2, 60)])
            var left = asked
            let outcome = stage.table.learn(
                identity: 1, client: IPAddress(ipv4: 1), name: NameBuffer(try DomainName("a.example")), chain: [],
                addresses: [stage.address(1, 60), stage.address(2, 60)], ruleSet: 7, now: stage.now,
                standing: { sequence in
                    left -= 1
                    return sequence > 2 || left >= 0 ? .awaited : sequence == rejected ? .rejected : .inForce
                }, publish: stage.feed.publish)
            #expect(outcome.sequence == 3, "after \(asked) questions")
        }
    }

    @Test func `a rejection that an answer meets counts as a removal, once, even if the feed refuses`() throws {
        let stage = MappingStage()
        try stage.learn("a.example", [stage.address(1, 60)])
        let before = stage.table.revocations
        (stage.feed.rejected, stage.feed.refuses) = ([1], true)
        for _ in 1...3 { #expect(try stage.learn("a.example", [stage.address(1, 60)]).refused) }
        #expect(stage.table.revocations == before + 1)
        stage.feed.refuses = false
        #expect(try stage.learn("a.example", [stage.address(1, 60)]).sequence == 2)
    }

    @Test func `addresses that are left out for want of room do not have the others published again and again`() throws
    {
        let stage = MappingStage(limits: MappingLimits(addressesPerName: 2))
        stage.feed.released = 0
        let answer = (1...3).map { stage.address($0, 60) }
        for _ in 1...3 { #expect(try stage.learn("a.example", answer).sequence == 1) }
        #expect(stage.feed.changes.count == 1)
    }
}
