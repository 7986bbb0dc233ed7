import DNSWire
import FQDNCache
import Testing

@Suite struct MappingTableTests {
    let now = Moment(seconds: 100)
    let feed = Feed()

    /// An address that lives for some seconds from the start of the tests.
    private func address(_ number: UInt32, _ seconds: Int64, source: MappingSource = .answer) -> LearnedAddress {
        LearnedAddress(
            address: IPAddress(ipv4: 0xC000_0200 + number), ttl: 30, expires: now.adding(seconds: seconds),
            source: source)
    }

    /// Learns for identity 1, name a.example, unless told otherwise.
    private func learn(
        _ table: MappingTable, _ addresses: [LearnedAddress], identity: UInt64 = 1, chain: [DomainName] = [],
        ruleSet: UInt32 = 7, at moment: Moment? = nil
    ) throws -> LearnOutcome {
        try learn(
            table, "a.example", addresses, identity: identity, chain: chain, ruleSet: ruleSet, at: moment)
    }

    /// Learns for identity 1 unless told otherwise.
    private func learn(
        _ table: MappingTable, _ name: String, _ addresses: [LearnedAddress], identity: UInt64 = 1,
        chain: [DomainName] = [], ruleSet: UInt32 = 7, at moment: Moment? = nil
    ) throws -> LearnOutcome {
        table.learn(
            identity: identity, client: IPAddress(ipv4: 1), name: NameBuffer(try DomainName(name)), chain: chain,
            addresses: addresses, ruleSet: ruleSet, now: moment ?? now, standing: feed.standing, publish: feed.publish)
    }

    @Test func `publishes an answer once, and again only what lives longer or is new`() throws {
        let table = MappingTable()
        #expect(
            try learn(table, [address(1, 60), address(2, 60)]) == LearnOutcome(sequence: 1, changed: true))
        #expect(try learn(table, [address(2, 60)]) == LearnOutcome(sequence: 1))
        #expect(try learn(table, [address(2, 59), address(1, 1)]) == LearnOutcome(sequence: 1))
        #expect(feed.changes.count == 1)

        let outcome = try learn(table, [address(1, 60), address(2, 90), address(3, 60, source: .hint)])
        #expect(outcome == LearnOutcome(sequence: 2, changed: true))
        #expect(feed.changes[1].kind == .upsert)
        #expect(feed.changes[1].addresses == [address(2, 90), address(3, 60, source: .hint)])
        #expect(try learn(table, [address(1, 60)]) == LearnOutcome(sequence: 1))
        #expect(try learn(table, [address(1, 60), address(3, 60)]) == LearnOutcome(sequence: 2))
        #expect(table.statistics.addresses == 3)
    }

    @Test func `keeps identities and names apart`() throws {
        let table = MappingTable()
        _ = try learn(table, [address(1, 60)])
        #expect(try learn(table, [address(1, 60)], identity: 2).changed)
        #expect(try learn(table, "b.example", [address(1, 60)]).changed)
        #expect(table.mapping(identity: 2, name: try DomainName("b.example")) == nil)
        #expect(table.statistics.identities == 2)
        #expect(table.statistics.names == 3)
        let ip = IPAddress(ipv4: 0xC000_0201)
        #expect(
            Set(table.names(identity: 1, address: ip)) == [try DomainName("a.example"), try DomainName("b.example")])
        #expect(table.names(identity: 3, address: ip).isEmpty)
    }

    @Test func `remembers the chain, the client and the rules`() throws {
        let table = MappingTable()
        let chain = [try DomainName("c.example"), DomainName.root, try DomainName("d.e.example")]
        let addresses = [
            address(1, 60),
            LearnedAddress(
                address: try #require(IPAddress("2001:db8::1")), ttl: .max, expires: .distantFuture, source: .hint),
        ]
        _ = try learn(table, addresses, chain: chain)
        let expected = Mapping(
            identity: 1, client: IPAddress(ipv4: 1), name: try DomainName("a.example"), chain: chain,
            addresses: addresses.map { MappedAddress($0, sequence: 1) }, ruleSet: 7, learnedAt: now)
        #expect(table.mapping(identity: 1, name: expected.name) == expected)
        #expect(feed.changes[0].chain == chain)
    }

    @Test func `other rules publish every address again that is not over`() throws {
        let table = MappingTable()
        _ = try learn(table, [address(1, 10), address(2, 60)])
        let outcome = try learn(table, [address(3, 60)], ruleSet: 8, at: now.adding(seconds: 10))
        #expect(outcome == LearnOutcome(sequence: 2, changed: true))
        #expect(feed.changes[1].ruleSet == 8)
        #expect(feed.changes[1].addresses == [address(2, 60), address(3, 60)])
        #expect(try learn(table, [address(2, 60)], ruleSet: 8).sequence == 2)
    }

    @Test func `nothing to learn is nothing to wait for`() throws {
        let table = MappingTable()
        #expect(try learn(table, []) == LearnOutcome())
        #expect(try learn(table, [address(1, 0), address(2, -5)]) == LearnOutcome())
        #expect(table.statistics == MappingStatistics())
        #expect(feed.changes.isEmpty)
    }

    @Test func `the same address twice in an answer counts once, with its later expiry`() throws {
        let table = MappingTable()
        _ = try learn(table, [address(1, 60), address(1, 90), address(1, 30)])
        #expect(feed.changes[0].addresses == [address(1, 90)])
    }

    @Test func `a feed that refuses leaves the table as it was`() throws {
        let table = MappingTable(limits: MappingLimits(addressesPerName: 2, names: 1), shardBits: 0)
        _ = try learn(table, [address(1, 60)])
        let before = table.mapping(identity: 1, name: try DomainName("a.example"))
        feed.refuses = true
        #expect(try learn(table, [address(1, 90)]).refused)
        #expect(try learn(table, [address(2, 90), address(3, 90)]).refused)
        #expect(try learn(table, "b.example", [address(2, 90)]).refused)
        #expect(table.expire(now: now.adding(seconds: 1_000), budget: 10, publish: feed.publish).refused)
        #expect(table.remove(where: { _, _, _ in true }, reason: .flushed, publish: feed.publish).refused)
        #expect(table.mapping(identity: 1, name: try DomainName("a.example")) == before)
        #expect(table.statistics.names == 1)
        feed.refuses = false
        #expect(table.expire(now: now.adding(seconds: 1_000), budget: 10, publish: feed.publish).expired == 1)
    }

    @Test func `at the limit of addresses an answer that fits is known whole, and the earliest of the others go`()
        throws
    {
        let table = MappingTable(limits: MappingLimits(addressesPerName: 3))
        _ = try learn(table, [address(1, 30), address(2, 10), address(3, 20)])
        // Shorter than all that is known, and yet it stays.
        #expect(try learn(table, [address(4, 5), address(1, 1)]) == LearnOutcome(sequence: 3, changed: true))
        #expect(feed.changes[1].kind == .delete(.limit))
        #expect(feed.changes[1].addresses == [address(2, 10)])
        #expect(feed.changes[2].addresses == [address(4, 5)])
        #expect(table.revocations == 1)
        #expect(table.statistics.evictedAddresses == 1)

        let whole = [address(5, 4), address(6, 3), address(7, 2)]
        #expect(try learn(table, whole) == LearnOutcome(sequence: 5, changed: true))
        #expect(Set(feed.changes[3].addresses) == [address(1, 30), address(3, 20), address(4, 5)])
        #expect(table.mapping(identity: 1, name: try DomainName("a.example"))?.addresses.map(\.learned) == whole)
        #expect(try learn(table, whole) == LearnOutcome(sequence: 5))
    }

    @Test func `an answer above the limit keeps its latest to expire, what was known before what comes first`() throws {
        let table = MappingTable(limits: MappingLimits(addressesPerName: 3))
        _ = try learn(table, [address(1, 9), address(2, 99)])
        let answer = [address(5, 9), address(6, 5), address(4, 9), address(1, 9), address(7, 10)]
        #expect(try learn(table, answer) == LearnOutcome(sequence: 3, changed: true, leftOut: 2))
        #expect(feed.changes[1].addresses == [address(2, 99)])
        #expect(feed.changes[2].addresses == [address(5, 9), address(7, 10)])
        #expect(try learn(table, answer) == LearnOutcome(sequence: 3, leftOut: 2))
        #expect(try learn(table, answer.reversed()) == LearnOutcome(sequence: 3, leftOut: 2))
        #expect(feed.changes.count == 3)
    }

    @Test func `an answer above the limit, seen again, moves nothing`() throws {
        let table = MappingTable(limits: MappingLimits(addressesPerName: 50))
        let many = (0..<120).map { address($0, 60) }
        #expect(try learn(table, many) == LearnOutcome(sequence: 1, changed: true, leftOut: 70))
        #expect(try learn(table, many) == LearnOutcome(sequence: 1, leftOut: 70))
        #expect(feed.changes.count == 1)
    }

    @Test func `above the limit of names the one whose last address expires first goes`() throws {
        let table = MappingTable(limits: MappingLimits(names: 3), shardBits: 0)
        _ = try learn(table, "a.example", [address(1, 50)])
        _ = try learn(table, "b.example", [address(2, 5), address(3, 70)], identity: 2)
        _ = try learn(table, "c.example", [address(4, 40)])
        _ = try learn(table, "c.example", [address(4, 60)])
        #expect(try learn(table, "d.example", [address(5, 60)]).sequence == 6)
        #expect(feed.changes[4].name == (try DomainName("a.example")))
        #expect(feed.changes[4].kind == .delete(.limit))
        _ = try learn(table, "e.example", [address(5, 65)])
        _ = try learn(table, "f.example", [address(5, 65)])
        let gone = feed.changes.filter { $0.kind == .delete(.limit) }.map { "\($0.name)" }
        #expect(Set(gone) == ["a.example.", "c.example.", "d.example."])
        #expect(table.statistics.names == 3)
        #expect(table.statistics.evictedNames == 3)
        #expect(table.revocations == 3)
    }

    @Test func `the limits of names count all shards together`() throws {
        // A shard with nothing to give up may exceed them by one.
        let table = MappingTable(limits: MappingLimits(names: 500), shardBits: 5)
        for index in 0..<2_000 {
            _ = try learn(table, "n\(index).example", [address(1, 60)], identity: UInt64(index % 4))
        }
        #expect((500...532).contains(table.statistics.names))
        let narrow = MappingTable(limits: MappingLimits(namesPerIdentity: 100), shardBits: 5)
        for index in 0..<1_000 {
            _ = try learn(narrow, "n\(index).example", [address(1, 60)], identity: UInt64(index % 2))
        }
        #expect((200...264).contains(narrow.statistics.names))
    }

    @Test func `an identity at its limit displaces only its own names`() throws {
        let table = MappingTable(limits: MappingLimits(namesPerIdentity: 2), shardBits: 0)
        _ = try learn(table, "z.example", [address(1, 1)], identity: 2)
        for name in ["a", "b", "c"] { _ = try learn(table, "\(name).example", [address(1, 50)]) }
        #expect(feed.changes.filter { $0.kind == .delete(.limit) }.map(\.identity) == [1])
        #expect(table.mapping(identity: 2, name: try DomainName("z.example")) != nil)
        #expect(table.statistics.names == 3)
    }

    @Test func `expiry takes exactly what is over, in as many rounds as it is given`() throws {
        let table = MappingTable()
        for index in 0..<300 {
            _ = try learn(table, "n\(index).example", [address(1, Int64(10 + index % 3 * 10)), address(2, 100)])
        }
        _ = try learn(table, "n0.example", [address(1, 25)])
        feed.forget()
        #expect(table.expire(now: now.adding(seconds: 9), budget: .max, publish: feed.publish).expired == 0)
        #expect(feed.changes.isEmpty)
        var outcome = ExpiryOutcome()
        var rounds = 0
        repeat {
            outcome = table.expire(now: now.adding(seconds: 20), budget: 30, publish: feed.publish)
            #expect(outcome.expired <= 30)
            rounds += 1
        } while (outcome.next ?? .distantFuture) <= now.adding(seconds: 20)
        #expect(feed.changes.count == 199)
        #expect(rounds >= 199 / 30)
        #expect(feed.changes.allSatisfy { $0.kind == .delete(.expired) && $0.addresses.count == 1 })
        #expect(outcome.next == now.adding(seconds: 25))
        #expect(table.revocations == 0)
        #expect(table.expire(now: now.adding(seconds: 100), budget: .max, publish: feed.publish).expired == 401)
        #expect(table.statistics == MappingStatistics())
        #expect(table.expire(now: .distantFuture, budget: .max, publish: feed.publish) == ExpiryOutcome())
    }

    @Test func `removal by name says why, and revokes`() throws {
        let table = MappingTable()
        for name in ["a.x", "b.x", "c.y"] { _ = try learn(table, name, [address(1, 60), address(2, 60)]) }
        let outcome = table.remove(
            where: { identity, name, chain in identity == 1 && chain.isEmpty && name[3] == UInt8(ascii: "x") },
            reason: .policy, publish: feed.publish)
        #expect(outcome.removed == 2 && !outcome.refused)
        #expect(feed.changes.suffix(2).allSatisfy { $0.kind == .delete(.policy) && $0.addresses.count == 2 })
        #expect(table.revocations == 2)
        #expect(try learn(table, "a.x", [address(1, 60)]).changed)
    }

    @Test(arguments: [1, 15, 16, 17, 100]) func `removal goes through every place, in however many steps`(count: Int)
        throws
    {
        let table = MappingTable(shardBits: 0)
        for number in 0..<count { _ = try learn(table, "n\(number).x", [address(1, 60)]) }
        let odd = table.remove(
            where: { _, name, _ in name[Int(name[0])] & 1 == 1 }, reason: .policy, publish: feed.publish)
        #expect(odd.removed == count / 2 && table.statistics.names == count - count / 2)
        #expect(table.remove(where: { _, _, _ in true }, reason: .flushed, publish: feed.publish).removed > 0)
        #expect(table.statistics == MappingStatistics())
    }

    @Test(arguments: [1, 7, 10_000]) func `lists every mapping once, or those of one identity`(page: Int) throws {
        let table = MappingTable()
        for index in 0..<200 {
            _ = try learn(table, "n\(index).example", [address(1, 60)], identity: UInt64(index % 4))
        }
        for identity in [nil, UInt64(3)] {
            var listed: [Mapping] = []
            var cursor: MappingCursor? = MappingCursor()
            while let from = cursor {
                var count = 0
                cursor = table.list(from: MappingCursor(rawValue: from.rawValue), limit: page, identity: identity) {
                    listed.append($0)
                    count += 1
                }
                #expect(count <= page)
            }
            #expect(listed.count == (identity == nil ? 200 : 50))
            #expect(Set(listed.map(\.name)).count == listed.count)
        }
        #expect(table.list(from: MappingCursor(rawValue: .max), limit: 1) { _ in } == nil)
    }
}
