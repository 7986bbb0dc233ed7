import DNSWire
import FQDNCache
import Testing

@Suite struct MappingExpiryTests {
    @Test func `what is learned again and again leaves no work behind`() throws {
        let stage = MappingStage(shardBits: 2)
        let names = try (0..<40).map { NameBuffer(try DomainName("n\($0).example")).domainName }
        for round in 0..<2_500 {
            for name in names {
                _ = stage.table.learn(
                    identity: 1, client: stage.ip(9), name: NameBuffer(name), chain: [],
                    addresses: [stage.address(1, Int64(10 + round))], ruleSet: 7, now: stage.now,
                    standing: stage.feed.standing
                ) { _ in 1 }
            }
        }
        #expect(stage.table.timerCount <= 2 * 40 + 4 * 64)
        // Each round looks at one mapping: nothing expires, and no mapping is looked at twice.
        var rounds = 0
        var next: Moment? = stage.now
        while (next ?? .distantFuture) <= stage.now.adding(seconds: 2_508) {
            next = stage.expire(after: 2_508, budget: 1).next
            rounds += 1
        }
        #expect(rounds <= 41)
        #expect(stage.expire(after: 2_509).expired == 40)
    }

    @Test func `names that come and go leave no work behind`() throws {
        let stage = MappingStage(limits: MappingLimits(namesPerIdentity: 30, names: 40), shardBits: 0)
        // Fill the table first, so that it keeps track of who ends first, and then stay below that limit.
        for index in 0..<41 { try stage.learn("x\(index).example", [stage.address(1, 5_000)], identity: UInt64(index)) }
        for index in 0..<5_000 {
            try stage.learn("n\(index).example", [stage.address(1, Int64(10 + index % 977))])
            if index == 0 { _ = stage.table.remove(where: { id, _, _ in id > 33 }, reason: .flushed) { _ in 1 } }
        }
        #expect(stage.table.statistics.names <= 40)
        #expect(stage.table.timerCount <= 2 * 40 + 64)
        #expect(stage.table.victimCount <= 2 * 40 + 64)
    }

    @Test func `expiry looks at what is due, not at what is there`() throws {
        let stage = MappingStage(shardBits: 0)
        for index in 0..<5_000 { try stage.learn("n\(index).example", [stage.address(1, index < 10 ? 5 : 500)]) }
        var rounds = 0
        var next: Moment? = stage.now
        while (next ?? .distantFuture) <= stage.now.adding(seconds: 5) {
            next = stage.expire(after: 5, budget: 1).next
            rounds += 1
        }
        #expect(rounds == 10)
        #expect(stage.table.statistics.names == 4_990)
    }

    @Test func `a present that steps back neither loses nor repeats anything`() throws {
        let stage = MappingStage()
        try stage.learn("a.example", [stage.address(1, 20), stage.address(2, 40)])
        #expect(stage.expire(after: 30).expired == 1)
        #expect(stage.expire(after: -50).expired == 0)
        try stage.learn("a.example", [stage.address(3, -20)], after: -50)
        #expect(stage.keep([2], until: 10, after: -50).extended == 0)
        #expect(stage.expire(after: -30).expired == 0)
        #expect(stage.expire(after: -20).expired == 1)
        #expect(stage.expire(after: 39).expired == 0)
        #expect(stage.expire(after: 40).expired == 1)
        #expect(stage.table.statistics == MappingStatistics())
        #expect(stage.feed.changes.count == 5)
    }

    @Test func `names are found by address as addresses come and go`() throws {
        let stage = MappingStage(limits: MappingLimits(addressesPerName: 40))
        let six = LearnedAddress(
            address: IPAddress(high: 1, low: stage.ip(1).low), ttl: 1, expires: stage.now.adding(seconds: 90))
        for index in 0..<100 { try stage.learn("n\(index).example", [stage.address(1, 20), stage.address(2, 60)]) }
        try stage.learn("n0.example", [six])
        let all = Set(try (0..<100).map { try DomainName("n\($0).example") })
        #expect(Set(stage.table.names(identity: 1, address: stage.ip(1))) == all)
        #expect(stage.table.names(identity: 1, address: six.address) == [try DomainName("n0.example")])
        #expect(stage.table.names(identity: 2, address: stage.ip(1)).isEmpty)
        #expect(stage.expire(after: 20).expired == 100)
        #expect(stage.table.names(identity: 1, address: stage.ip(1)).isEmpty)
        #expect(Set(stage.table.names(identity: 1, address: stage.ip(2))) == all)
        try stage.learn("n5.example", (100..<140).map { stage.address($0, 90) }, after: 20)
        #expect(
            Set(stage.table.names(identity: 1, address: stage.ip(2))) == all.subtracting([try DomainName("n5.example")])
        )
        #expect(stage.table.names(identity: 1, address: stage.ip(120)) == [try DomainName("n5.example")])
        #expect(stage.table.names(identity: 1, address: six.address) == [try DomainName("n0.example")])
    }
}
