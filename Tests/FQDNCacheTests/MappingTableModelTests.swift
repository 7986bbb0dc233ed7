import DNSWire
import FQDNCache
import Testing

@Suite struct MappingTableModelTests {
    /// What a reader of the feed believes.
    private struct Model: Equatable {
        /// One mapping's addresses.
        struct Entry: Equatable {
            var ruleSet: UInt32
            var addresses: [IPAddress: MappedAddress]
        }

        /// The mappings by identity and name.
        var entries: [String: Entry] = [:]

        /// Takes in a change; nil if it contradicts what was said before.
        mutating func apply(_ change: MappingChange, sequence: UInt64, now: Moment) -> String? {
            let key = "\(change.identity) \(change.name)"
            switch change.kind {
            case .upsert:
                if change.addresses.isEmpty { return "an empty upsert" }
                var entry = entries[key] ?? Entry(ruleSet: change.ruleSet, addresses: [:])
                for learned in change.addresses {
                    let known = entry.addresses[learned.address]
                    if let known, entry.ruleSet == change.ruleSet, known.learned.expires >= learned.expires {
                        return "nothing new"
                    }
                    if let known, known.learned.expires > learned.expires { return "shortened" }
                    entry.addresses[learned.address] = MappedAddress(learned, sequence: sequence)
                }
                entry.ruleSet = change.ruleSet
                entries[key] = entry
            case .delete(let reason):
                for learned in change.addresses {
                    guard let known = entries[key]?.addresses.removeValue(forKey: learned.address) else {
                        return "deleted what was not there"
                    }
                    if known.learned != learned { return "deleted with other facts" }
                    if reason == .expired, learned.expires > now { return "expired too early" }
                }
                if entries[key]?.addresses.isEmpty ?? false { entries[key] = nil }
            }
            return nil
        }

        /// What a table holds.
        init(of table: MappingTable) {
            var cursor: MappingCursor? = MappingCursor()
            while let from = cursor {
                cursor = table.list(from: from, limit: 5) { mapping in
                    entries["\(mapping.identity) \(mapping.name)"] = Entry(
                        ruleSet: mapping.ruleSet,
                        addresses: Dictionary(uniqueKeysWithValues: mapping.addresses.map { ($0.learned.address, $0) }))
                }
            }
        }

        /// Nothing.
        init() {}
    }

    @Test(arguments: 1...9) func `agree after every step, whatever happens in whatever order`(seed: UInt64) throws {
        var dice = Dice(seed)
        let limits = MappingLimits(addressesPerName: 5, namesPerIdentity: 5, names: 12)
        let table = MappingTable(limits: limits, shardBits: Int(seed % 3))
        let names = try (0..<8).map { try DomainName("n\($0).example") }
        var (model, now, sequence) = (Model(), Moment(seconds: 10), UInt64(0))
        var (refusals, limited, expired, revoked) = (0, 0, 0, 0)
        for step in 0..<1_500 {
            now = now.adding(nanoseconds: Int64.random(in: 0..<2_000_000_000, using: &dice))
            let isOpen = !dice.percent(5)
            var complaints: [String] = []
            var upserts = 0
            let publish = { (change: MappingChange) -> UInt64 in
                guard isOpen || dice.percent(50) else {
                    refusals += 1
                    return 0
                }
                sequence += 1
                if change.kind == .upsert { upserts += 1 }
                if change.kind == .delete(.limit) { limited += 1 }
                if change.kind == .delete(.expired) { expired += 1 }
                if case .delete(let reason) = change.kind, reason != .expired { revoked += 1 }
                if let complaint = model.apply(change, sequence: sequence, now: now) { complaints.append(complaint) }
                return sequence
            }
            switch Int.random(in: 0..<100, using: &dice) {
            case 0..<80:
                let wanted = (0..<Int.random(in: 0..<4, using: &dice)).map { _ in
                    LearnedAddress(
                        address: IPAddress(ipv4: UInt32.random(in: 1...8, using: &dice)), ttl: 1,
                        expires: now.adding(seconds: Int64.random(in: -2...60, using: &dice)))
                }
                let identity = UInt64.random(in: 1...3, using: &dice)
                let (name, ruleSet) = (names.randomElement(using: &dice) ?? .root, UInt32(dice.percent(90) ? 1 : 2))
                let outcome = table.learn(
                    identity: identity, client: IPAddress(ipv4: 9), name: NameBuffer(name), chain: [],
                    addresses: wanted, ruleSet: ruleSet, now: now, publish: publish)
                #expect(upserts <= 1)
                guard !outcome.refused else {
                    #expect(upserts == 0)
                    break
                }
                let entry = model.entries["\(identity) \(name)"]
                let alive = wanted.filter { $0.expires > now }
                let there = alive.filter { (entry?.addresses[$0.address]?.learned.expires ?? now) >= $0.expires }
                #expect(Set(alive.map(\.address)).subtracting(there.map(\.address)).count <= outcome.leftOut)
                #expect(there.isEmpty || entry?.ruleSet == ruleSet)
                let expected = there.compactMap { entry?.addresses[$0.address]?.sequence }.max() ?? 0
                #expect(outcome.sequence >= expected)
                #expect(outcome.leftOut > 0 || outcome.sequence == expected)
            case 80..<95:
                let budget = Int.random(in: 0..<6, using: &dice)
                let outcome = table.expire(now: now, budget: dice.percent(50) ? budget : .max, publish: publish)
                let due = model.entries.values.flatMap(\.addresses.values).filter { $0.learned.expires <= now }
                if outcome.refused || (outcome.next ?? .distantFuture) <= now { break }
                #expect(due.isEmpty)
                let first = model.entries.values.flatMap(\.addresses.values).map(\.learned.expires).min()
                #expect(first == nil || (outcome.next ?? .distantFuture) <= first ?? now)
            case 95..<97:
                let (identity, byte) = (UInt64.random(in: 1...3, using: &dice), UInt8.random(in: 48..<56, using: &dice))
                let outcome = table.remove(
                    where: { owner, name, _ in owner == identity && name[2] == byte }, reason: .flushed,
                    publish: publish)
                #expect(outcome.refused || model.entries["\(identity) n\(byte - 48).example."] == nil)
            default:
                // A restart: a table like this one from what the reader knows. Here: restoring what is there is
                // harmless.
                let (key, entry) =
                    model.entries.randomElement(using: &dice) ?? ("1 n0.example.", .init(ruleSet: 1, addresses: [:]))
                let parts = key.split(separator: " ")
                let mapping = Mapping(
                    identity: UInt64(parts[0]) ?? 0, client: IPAddress(ipv4: 9), name: try DomainName(parts[1]),
                    addresses: Array(entry.addresses.values), ruleSet: entry.ruleSet, learnedAt: now)
                #expect(table.restore(mapping))
            }
            #expect(complaints.isEmpty, "step \(step)")
            #expect(Model(of: table) == model, "step \(step)")
            let statistics = table.statistics
            #expect(statistics.names == model.entries.count)
            #expect(statistics.addresses == model.entries.values.reduce(0) { $0 + $1.addresses.count })
            #expect(statistics.names <= limits.names)
            #expect(model.entries.values.allSatisfy { $0.addresses.count <= limits.addressesPerName })
            #expect(table.revocations >= UInt64(revoked))
        }
        #expect(refusals > 10 && limited > 10 && expired > 10 && revoked > 10)
    }

    @Test func `agree when many learn at once`() async throws {
        let table = MappingTable(limits: MappingLimits(addressesPerName: 3, names: 40), shardBits: 2)
        let names = try (0..<20).map { try DomainName("n\($0).example") }
        let feed = Feed()
        let now = Moment(seconds: 10)
        await withTaskGroup(of: Void.self) { group in
            for worker in 1...4 {
                group.addTask {
                    var dice = Dice(UInt64(worker))
                    for _ in 0..<1_500 {
                        if dice.percent(3) {
                            let byte = UInt8.random(in: 48..<58, using: &dice)
                            _ = table.remove(
                                where: { _, name, _ in name[2] == byte }, reason: .flushed, publish: feed.publish)
                            continue
                        }
                        _ = table.learn(
                            identity: UInt64.random(in: 1...3, using: &dice), client: IPAddress(ipv4: 1),
                            name: NameBuffer(names[Int.random(in: 0..<20, using: &dice)]), chain: [],
                            addresses: [
                                LearnedAddress(
                                    address: IPAddress(ipv4: UInt32.random(in: 1...5, using: &dice)), ttl: 1,
                                    expires: now.adding(seconds: Int64.random(in: 1...500, using: &dice)))
                            ], ruleSet: 1, now: now, publish: feed.publish)
                    }
                }
            }
        }
        var model = Model()
        for (index, change) in feed.changes.enumerated() {
            #expect(model.apply(change, sequence: UInt64(index + 1), now: now) == nil)
        }
        #expect(Model(of: table) == model)
        #expect(table.statistics.identities == Set(model.entries.keys.map { $0.split(separator: " ")[0] }).count)
    }
}
