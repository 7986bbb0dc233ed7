import DNSWire
import FQDNCache
import Testing

@Suite struct MappingTableModelTests {
    @Test(arguments: 1...200)
    func `table, plain model and reader of the feed agree after every step, whatever happens`(seed: UInt64) throws {
        let run = try MappingModelRun(seed: seed)
        for step in 0..<80 {
            try run.step()
            try #require(run.complaints.isEmpty, "seed \(seed), step \(step)")
        }
    }

    @Test func `every kind of event comes up often enough to be tested`() throws {
        var seen: [String: Int] = [:]
        for seed in 1...48 as ClosedRange<UInt64> {
            let run = try MappingModelRun(seed: seed)
            for _ in 0..<80 { try run.step() }
            for kind in run.seen { seen[kind, default: 0] += 1 }
        }
        for kind in [
            "learned", "kept", "unconfirmed", "expired", "removed", "restarted", "refused", "backwards", "name limit",
            "identity limit", "address limit", "left out", "republished", "kept though over",
            "kept not enough to tell", "other rules", "several names for an address", "answer known", "answer awaited",
            "gathered", "rejected",
        ] {
            #expect(seen[kind, default: 0] >= 3, "\(kind)")
        }
    }

    @Test(arguments: 1...20)
    func `a snapshot and a journal that overlaps it give what a plain reader of all events has`(seed: UInt64) throws {
        // Limits that do not matter: a journal that starts before its snapshot brings back what was gone in between.
        let run = try MappingModelRun(seed: seed, limits: MappingLimits())
        var snapshot = MappingTable()
        var start = 0
        for step in 0..<120 {
            try run.step()
            if step == 40 { start = run.log.events.count }
            if step == 70 {
                snapshot = MappingTable()
                for (key, entry) in run.model.entries {
                    snapshot.restore(
                        Mapping(
                            identity: key.identity, client: entry.client, name: key.name, chain: entry.chain,
                            addresses: Array(entry.addresses.values), ruleSet: entry.ruleSet, learnedAt: run.now))
                }
            }
        }
        #expect(run.complaints.isEmpty)
        #expect(run.log.replay(from: start, into: snapshot, now: run.now))
        #expect(MappingModel(of: snapshot).unnumbered == run.model.unnumbered)
        #expect(snapshot.revocations == 0)
        #expect(snapshot.statistics.addresses == run.model.addressCount)
    }

    @Test func `agree when many learn at once`() async throws {
        let limits = MappingLimits(addressesPerName: 3, namesPerIdentity: 14, names: 30)
        let table = MappingTable(limits: limits, shardBits: 2)
        let names = try (0..<20).map { try DomainName("n\($0).example") }
        let feed = Feed()
        let now = Moment(seconds: 10)
        await withTaskGroup(of: Void.self) { group in
            for worker in 1...4 {
                group.addTask {
                    var dice = Dice(UInt64(worker))
                    for _ in 0..<1_500 {
                        let addresses = [IPAddress(ipv4: UInt32.random(in: 1...5, using: &dice))]
                        let identity = UInt64.random(in: 1...3, using: &dice)
                        let expires = now.adding(seconds: Int64.random(in: 1...500, using: &dice))
                        if dice.percent(3) {
                            let byte = UInt8.random(in: 48..<58, using: &dice)
                            _ = table.remove(
                                where: { _, name, _ in name[2] == byte }, reason: .flushed, publish: feed.publish)
                        } else if dice.percent(10) {
                            _ = table.keep(
                                identity: identity, addresses: addresses, until: expires, now: now,
                                publish: feed.publish)
                        } else {
                            _ = table.learn(
                                identity: identity, client: IPAddress(ipv4: 1),
                                name: NameBuffer(names[Int.random(in: 0..<20, using: &dice)]), chain: [],
                                addresses: addresses.map { LearnedAddress(address: $0, ttl: 1, expires: expires) },
                                ruleSet: 1, now: now, standing: feed.standing, publish: feed.publish)
                        }
                    }
                }
            }
        }
        var model = MappingModel()
        for (index, change) in feed.changes.enumerated() {
            let complaint = model.apply(
                change, sequence: UInt64(index + 1), now: now, standing: feed.standing)
            #expect(complaint == nil)
        }
        #expect(MappingModel(of: table) == model)
        let statistics = table.statistics
        #expect(statistics.identities == Set(model.entries.keys.map(\.identity)).count)
        #expect(statistics.names <= limits.names + 4)
        for identity in 1...3 as ClosedRange<UInt64> {
            #expect(model.nameCount(of: identity) <= limits.namesPerIdentity + 4)
        }
    }
}
