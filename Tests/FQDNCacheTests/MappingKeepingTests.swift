import DNSWire
import FQDNCache
import Testing

@Suite struct MappingKeepingTests {
    @Test func `a live connection extends its address under every name that has it, one upsert each`() throws {
        let stage = MappingStage()
        try stage.learn("a.example", [stage.address(1, 10), stage.address(2, 10)], chain: ["c.example"])
        try stage.learn("b.example", [stage.address(1, 12), stage.address(3, 10)])
        try stage.learn("c.example", [stage.address(4, 10)])
        try stage.learn("a.example", [stage.address(1, 10)], identity: 2)
        stage.feed.forget()
        let outcome = stage.keep([1, 3, 1, 99], until: 60)
        #expect(outcome.extended == 3 && !outcome.refused)
        let changes = stage.feed.changes.sorted { $0.name < $1.name }
        #expect(changes.map { "\($0.name)" } == ["a.example.", "b.example."])
        #expect(changes.allSatisfy { $0.kind == .upsert && $0.identity == 1 && $0.ruleSet == 7 })
        #expect(changes[0].addresses == [stage.address(1, 60, source: .connection)])
        #expect(changes[0].chain == [try DomainName("c.example")])
        #expect(
            Set(changes[1].addresses)
                == [stage.address(1, 60, source: .connection), stage.address(3, 60, source: .connection)])
        let known = try #require(try stage.mapping("b.example"))
        #expect(Set(known.addresses.map(\.learned)) == Set(changes[1].addresses))
        #expect(known.addresses.allSatisfy { $0.sequence == 5 || $0.sequence == 6 })
        #expect(try stage.mapping("c.example")?.addresses.map(\.learned) == [stage.address(4, 10)])
        #expect(stage.table.revocations == 0)

        #expect(stage.expire(after: 30).expired == 3)
        #expect(stage.expire(after: 59).expired == 0)
        #expect(stage.expire(after: 60).expired == 3)
        #expect(stage.table.statistics.names == 0)
    }

    @Test func `only what ends within half of the wanted time is extended, so that reports publish little`() throws {
        let stage = MappingStage()
        try stage.learn("a.example", [stage.address(1, 10)])
        var published = 0
        for second in 0..<600 as Range<Int64> {
            let outcome = stage.keep([1], until: second + 60, after: second)
            published += outcome.extended
            #expect(stage.expire(after: second).expired == 0)
        }
        #expect(published == 20)
        #expect(stage.feed.changes.count == 21)
        for (end, extended) in [(20, 0), (21, 1)] as [(Int64, Int)] {
            let stage = MappingStage()
            try stage.learn("a.example", [stage.address(1, 10)])
            #expect(stage.keep([1], until: end).extended == extended)
        }
    }

    @Test(arguments: [0, -1, -60] as [Int64]) func `a report that wants nothing in the future does nothing`(end: Int64)
        throws
    {
        let stage = MappingStage()
        try stage.learn("a.example", [stage.address(1, 10)])
        #expect(stage.keep([1], until: end) == KeepOutcome())
        #expect(
            stage.table.keep(
                identity: 1, addresses: [stage.ip(1)], until: Moment(nanoseconds: .min), now: .distantFuture,
                publish: stage.feed.publish) == KeepOutcome())
        #expect(stage.feed.changes.count == 1)
    }

    @Test func `a report opens nothing that is not mapped, or not mapped any more`() throws {
        let stage = MappingStage()
        #expect(stage.keep([1], until: 60) == KeepOutcome())
        try stage.learn("a.example", [stage.address(1, 10)])
        #expect(stage.keep([2], until: 60) == KeepOutcome())
        #expect(stage.keep([1], identity: 2, until: 60) == KeepOutcome())
        #expect(stage.expire(after: 10).expired == 1)
        #expect(stage.keep([1], until: 60, after: 10) == KeepOutcome())
        #expect(stage.feed.changes.count == 2)
        #expect(stage.table.statistics == MappingStatistics())
    }

    @Test func `an address that is over but still here is kept: expiry was late, not the connection`() throws {
        let stage = MappingStage()
        try stage.learn("a.example", [stage.address(1, 10), stage.address(2, 10)])
        #expect(stage.keep([1], until: 80, after: 20).extended == 1)
        #expect(stage.expire(after: 20).expired == 1)
        #expect(stage.feed.changes.last?.addresses == [stage.address(2, 10)])
        #expect(try stage.mapping("a.example")?.addresses.map(\.learned) == [stage.address(1, 80, source: .connection)])
    }

    @Test func `a later answer extends what a connection kept, and an earlier end changes nothing`() throws {
        let stage = MappingStage()
        try stage.learn("a.example", [stage.address(1, 10)])
        #expect(stage.keep([1], until: 60).extended == 1)
        #expect(try stage.learn("a.example", [stage.address(1, 30)]) == LearnOutcome(sequence: 2))
        #expect(try stage.learn("a.example", [stage.address(1, 90)]) == LearnOutcome(sequence: 3, changed: true))
        #expect(try stage.mapping("a.example")?.addresses.map(\.learned) == [stage.address(1, 90)])
    }

    @Test func `a feed that refuses ends the report, and what was extended until then stays`() throws {
        let stage = MappingStage()
        for index in 0..<50 { try stage.learn("n\(index).example", [stage.address(1, 10)]) }
        stage.feed.refuses = true
        #expect(stage.keep([1], until: 60).refused)
        stage.feed.refuses = false
        var room = 20
        let outcome = stage.table.keep(
            identity: 1, addresses: [stage.ip(1)], until: stage.now.adding(seconds: 60), now: stage.now
        ) { change in
            room -= 1
            return room >= 0 ? stage.feed.publish(change) : 0
        }
        #expect(outcome.extended == 20 && outcome.refused)
        #expect(stage.keep([1], until: 60).extended == 30)
        #expect(stage.keep([1], until: 60) == KeepOutcome())
    }

    @Test func `many addresses of one name are kept with one event`() throws {
        let stage = MappingStage()
        try stage.learn("a.example", (0..<1_000).map { stage.address($0, 10) })
        #expect(stage.keep(Array(0..<1_500), until: 60).extended == 1_000)
        #expect(stage.feed.changes.count == 2)
        #expect(stage.expire(after: 59).expired == 0)
    }

    @Test func `what an enforcer could not put in force is published again by the next answer, and awaited`() throws {
        let stage = MappingStage()
        try stage.learn("a.example", [stage.address(1, 60), stage.address(2, 60)])
        let before = stage.table.revocations
        #expect(try stage.unconfirm("a.example", [2, 3, 2]) == 1)
        #expect(stage.table.revocations == before + 1)
        #expect(stage.feed.changes.count == 1)
        let known = try #require(try stage.mapping("a.example")).addresses
        #expect(known.map(\.isConfirmable) == [true, false])
        #expect(try stage.learn("a.example", [stage.address(1, 60)]) == LearnOutcome(sequence: 1))
        #expect(try stage.learn("a.example", [stage.address(2, 20)]) == LearnOutcome(sequence: 2, changed: true))
        // Nothing lives shorter for it.
        #expect(stage.feed.changes[1].addresses == [stage.address(2, 60)])
        #expect(try stage.learn("a.example", [stage.address(2, 60)]) == LearnOutcome(sequence: 2))
    }

    @Test func `as long as the feed refuses, what is not in force stays so`() throws {
        let stage = MappingStage()
        try stage.learn("a.example", [stage.address(1, 60)])
        try stage.unconfirm("a.example", [1])
        stage.feed.refuses = true
        #expect(try stage.learn("a.example", [stage.address(1, 60)]).refused)
        stage.feed.refuses = false
        #expect(try stage.mapping("a.example")?.addresses.first?.sequence == MappedAddress.unconfirmed)
        #expect(try stage.learn("a.example", [stage.address(1, 60)]).sequence == 2)
    }

    @Test func `saying that nothing known is not in force revokes nothing`() throws {
        let stage = MappingStage()
        try stage.learn("a.example", [stage.address(1, 60)])
        #expect(try stage.unconfirm("b.example", [1]) == 0)
        #expect(try stage.unconfirm("a.example", [2]) == 0)
        #expect(try stage.unconfirm("a.example", []) == 0)
        #expect(stage.table.revocations == 0)
    }

    @Test func `a report that extends what is not in force publishes it, and it can be awaited again`() throws {
        let stage = MappingStage()
        try stage.learn("a.example", [stage.address(1, 60)])
        try stage.unconfirm("a.example", [1])
        // Long enough as it is: nothing is published, so nothing is confirmed.
        #expect(stage.keep([1], until: 60) == KeepOutcome())
        #expect(try stage.mapping("a.example")?.addresses.first?.isConfirmable == false)
        #expect(stage.keep([1], until: 200).extended == 1)
        #expect(try stage.learn("a.example", [stage.address(1, 60)]) == LearnOutcome(sequence: 2))
    }
}
