import DNSWire
import FQDNCache
import Testing

@Suite struct MappingRestoringTests {
    @Test func `restores without publishing, and answers with the numbers of the journal`() throws {
        let stage = MappingStage()
        let event = try stage.event(
            "a.example", [stage.address(1, 60), stage.address(2, -9, source: .restore)], sequence: 41,
            chain: ["b.example"])
        #expect(stage.table.restore(event))
        #expect(try stage.mapping("a.example") == event)
        let lookedUp = stage.table.learn(
            identity: 1, client: stage.ip(9), name: NameBuffer(event.name), chain: [],
            addresses: [stage.address(1, 60)], ruleSet: 41, now: stage.now,
            standing: stage.feed.standing, publish: stage.feed.publish)
        #expect(lookedUp == LearnOutcome(sequence: 41))
        #expect(stage.feed.changes.isEmpty)
        #expect(stage.expire(after: 0).expired == 1)
        #expect(stage.feed.changes[0].addresses == [stage.address(2, -9, source: .restore)])
        #expect(stage.table.names(identity: 1, address: stage.ip(1)) == [event.name])
    }

    @Test func `a later event replaces what it speaks of, and leaves other addresses`() throws {
        let stage = MappingStage()
        try stage.table.restore(
            stage.event("a.example", [stage.address(1, 60), stage.address(2, 60)], sequence: 1, chain: ["b.example"]))
        // Even an earlier end counts: the later event knows better, as after a step of the wall clock.
        try stage.table.restore(stage.event("a.example", [stage.address(2, 30), stage.address(3, 70)], sequence: 9))
        let known = try #require(try stage.mapping("a.example"))
        #expect(known.chain.isEmpty && known.ruleSet == 9 && known.client == IPAddress(ipv4: 9))
        let expected: [(LearnedAddress, UInt64)] = [
            (stage.address(1, 60), 1), (stage.address(2, 30), 9), (stage.address(3, 70), 9),
        ]
        #expect(Set(known.addresses) == Set(expected.map { MappedAddress($0.0, sequence: $0.1) }))
        #expect(stage.table.statistics.addresses == 3)
    }

    @Test func `forgetting takes out what was deleted, publishes nothing and revokes nothing`() throws {
        let stage = MappingStage()
        let event = try stage.event("a.example", [1, 2, 3].map { stage.address($0, 60) }, sequence: 1)
        stage.table.restore(event)
        try stage.forget("a.example", [2, 2, 7])
        #expect(try stage.mapping("a.example")?.addresses.map(\.learned.address) == [stage.ip(1), stage.ip(3)])
        try stage.forget("b.example", [1])
        try stage.forget("a.example", [])
        #expect(stage.table.statistics.addresses == 2)
        try stage.forget("a.example", [3, 1])
        #expect(stage.table.statistics == MappingStatistics())
        #expect([1, 2, 3].allSatisfy { stage.table.names(identity: 1, address: stage.ip($0)).isEmpty })
        #expect(stage.feed.changes.isEmpty && stage.table.revocations == 0)
        #expect(stage.expire(after: 1_000) == ExpiryOutcome())
    }

    @Test func `limits hold while replaying, and tell what they kept out`() throws {
        let stage = MappingStage(limits: MappingLimits(addressesPerName: 2, namesPerIdentity: 2), shardBits: 0)
        #expect(
            try stage.table.restore(
                stage.event("a.example", [stage.address(1, 60), stage.address(2, 50)], sequence: 1)))
        // What an event says comes before what was there, and of that the earliest to end goes.
        #expect(try !stage.table.restore(stage.event("a.example", [stage.address(3, 10)], sequence: 2)))
        #expect(
            try stage.mapping("a.example")?.addresses.map(\.learned) == [stage.address(1, 60), stage.address(3, 10)])
        // A running table may be above its limit by a name for each shard, and so may this one.
        for (name, fits) in [("b.example", true), ("c.example", true), ("d.example", false), ("a.example", true)] {
            #expect(try stage.table.restore(stage.event(name, [stage.address(1, 60)], sequence: 3)) == fits)
        }
        try stage.forget("c.example", [1])
        #expect(try stage.table.restore(stage.event("d.example", [stage.address(1, 60)], sequence: 4)))
        #expect(stage.table.statistics.names == 3 && stage.table.statistics.evictedAddresses == 0)
    }

    @Test func `a full table fits again, however its names fall into the shards`() throws {
        let (limits, stage) = (MappingLimits(names: 2_000), MappingStage(limits: MappingLimits(names: 2_000)))
        for index in 0..<2_500 { try stage.learn("n\(index).example", [stage.address(UInt32(index), 60)]) }
        let again = MappingTable(limits: limits, shardBits: 3)
        var leftOut = 0
        var cursor: MappingCursor? = MappingCursor()
        while let from = cursor {
            cursor = stage.table.list(from: from, limit: 100) { if !again.restore($0) { leftOut += 1 } }
        }
        #expect(leftOut == 0)
        #expect(again.statistics.names == stage.table.statistics.names)
    }
}
