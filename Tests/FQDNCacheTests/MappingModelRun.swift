import DNSWire
import FQDNCache

/// One random history of a mapping table, checked against a plain model after every step.
final class MappingModelRun {
    /// Chance.
    private var dice: Dice
    /// The table's limits.
    private let limits: MappingLimits
    /// The table's shards, as a power of two.
    private let shardBits: Int
    /// The table.
    private var table: MappingTable
    /// What it should hold: what was published, and what was noted about it.
    private(set) var model = MappingModel()
    /// Answers that were learned: number n has the serial n + 1.
    private var answers: [(key: MappingModel.Key, addresses: [LearnedAddress])] = []
    /// What was published.
    private(set) var log = MappingLog()
    /// The present, which may step back.
    private(set) var now = Moment(seconds: 1_000)
    /// The number of the last event.
    private var sequence: UInt64 = 0
    /// The number of the last event that the enforcers have answered for.
    private var released: UInt64 = 0
    /// The events that one of them could not put in force.
    private var rejected: Set<UInt64> = []
    /// Removals that were no plain expiry, and addresses that were not in force, since the last restart.
    private var revoked: UInt64 = 0
    /// What went wrong.
    private(set) var complaints: [String] = []
    /// What happened at least once.
    private(set) var seen: Set<String> = []
    /// The names of this history.
    private let names: [DomainName]

    /// Starts a history with small limits that it runs into, unless others are given.
    init(seed: UInt64, limits: MappingLimits? = nil) throws {
        dice = Dice(seed)
        let small = [
            MappingLimits(addressesPerName: 5, namesPerIdentity: 4, names: 9),
            MappingLimits(addressesPerName: 3, namesPerIdentity: 100, names: 6),
            MappingLimits(addressesPerName: 4, namesPerIdentity: 3, names: 100),
        ]
        self.limits = limits ?? small[Int(seed % 3)]
        shardBits = Int(seed / 3 % 4)
        table = MappingTable(limits: self.limits, shardBits: shardBits)
        names = try (0..<8).map { try DomainName("n\($0).example") }
    }

    /// Something happens.
    func step() throws {
        if dice.percent(3) {
            now = now.adding(seconds: -Int64.random(in: 1...20, using: &dice))
            seen.insert("backwards")
        } else {
            now = now.adding(nanoseconds: Int64.random(in: 0..<4_000_000_000, using: &dice))
        }
        switch Int.random(in: 0..<100, using: &dice) {
        case 0..<58: learn()
        case 58..<64: answer()
        case 64..<74: keep()
        case 74..<80: unconfirm()
        case 80..<92: expire()
        case 92..<96: remove()
        default: restart()
        }
        compare()
    }

    /// Notes that something is not as it should be.
    private func check(_ isRight: Bool, _ complaint: String) {
        if !isRight { complaints.append(complaint) }
    }

    /// Some identity.
    private func identity() -> UInt64 { .random(in: 1...3, using: &dice) }

    /// Some addresses, each perhaps twice, of both families.
    private func addresses(_ count: ClosedRange<Int>) -> [IPAddress] {
        (0..<Int.random(in: count, using: &dice)).map { _ in
            let number = UInt32.random(in: 1...9, using: &dice)
            return number == 9 ? IPAddress(high: 0x2001_0DB8_0000_0000, low: 9) : IPAddress(ipv4: number)
        }
    }

    /// Runs `body` with a way to publish that takes every change (or not), and returns what was taken, and whether
    /// anything was refused.
    private func publishing(
        _ body: (MappingTable, (MappingChange) -> UInt64) -> Void
    ) -> (changes: [MappingChange], refused: Bool) {
        let chance = dice.percent(6) ? 50 : 100
        var (refused, start) = (false, log.events.count)
        body(table) { change in
            guard dice.percent(chance) else {
                refused = true
                return 0
            }
            sequence += 1
            if case .delete(let reason) = change.kind, reason != .expired {
                revoked += 1
                check(table.revocations >= revoked, "published before it counted as revoked")
            }
            if let complaint = model.apply(change, sequence: sequence, now: now, standing: standing) {
                complaints.append(complaint)
            }
            log.events.append((sequence, change))
            return sequence
        }
        if refused { seen.insert("refused") }
        start = min(start, log.events.count)
        return (log.events[start...].map(\.change), refused)
    }

    /// Some identity and name, more often than not of a mapping that is there.
    private func key() -> MappingModel.Key {
        let known = model.entries.keys.sorted { ($0.identity, $0.name) < ($1.identity, $1.name) }
        if dice.percent(40), let key = known.randomElement(using: &dice) { return key }
        return MappingModel.Key(identity: identity(), name: names.randomElement(using: &dice) ?? .root)
    }

    /// An answer comes, now and then one that says what is known.
    private func learn() {
        let client = IPAddress(ipv4: UInt32.random(in: 1...3, using: &dice))
        let key = key()
        let chain = dice.percent(20) ? [names[0]] : []
        let ruleSet: UInt32 = dice.percent(92) ? 1 : 2
        let together = now.adding(seconds: Int64.random(in: 1...40, using: &dice))
        let isMixed = dice.percent(40)
        var wanted = addresses(0...7).map { address in
            let expires = isMixed ? now.adding(seconds: Int64.random(in: -2...40, using: &dice)) : together
            return LearnedAddress(address: address, ttl: 1, expires: expires)
        }
        if dice.percent(20), let entry = model.entries[key] {
            wanted = entry.addresses.values.map(\.learned).sorted { $0.address < $1.address }
        }
        learn(wanted, key, client: client, chain: chain, ruleSet: ruleSet)
    }

    /// That answer comes, and then comes again.
    private func learn(
        _ wanted: [LearnedAddress], _ key: MappingModel.Key, client: IPAddress, chain: [DomainName], ruleSet: UInt32
    ) {
        let (identity, name) = (key.identity, key.name)
        noteRejected(wanted, key)
        let before = model
        answers.append((key, wanted))
        var outcome = LearnOutcome()
        let (changes, refused) = publishing { table, publish in
            outcome = table.learn(
                identity: identity, client: client, name: NameBuffer(name), chain: chain, addresses: wanted,
                ruleSet: ruleSet, answer: UInt64(answers.count), now: now, standing: standing, publish: publish)
        }
        check(outcome.refused == refused, "refused or not")
        check(changes.count { $0.kind == .upsert } <= (refused ? 0 : 1), "more than one upsert")
        guard !refused else { return }
        checkVictims(changes.filter { $0.name != name || $0.identity != identity }, for: key, before)
        let lesson = MappingForecast(
            known: before.entries[key], wanted: wanted, ruleSet: ruleSet, limit: limits.addressesPerName, now: now,
            standing: standing)
        complaints += lesson.complaints(changes.filter { $0.name == name && $0.identity == identity }, outcome)
        let entry = model.entries[key]
        check(lesson.isSatisfied(by: entry), "not learned as foreseen")
        let numbers = lesson.latest.keys.compactMap { entry?.addresses[$0]?.sequence }
        check(outcome.sequence == numbers.max() ?? 0, "waits for the wrong event")
        check(outcome.sequence != MappedAddress.unconfirmed, "waits for ever")
        check(canWait(for: outcome.sequence, numbers), "waiting is not enough")
        seen.insert("learned")
        seen.formUnion(lesson.events)

        // The same answer again changes nothing.
        var again = LearnOutcome()
        let echo = publishing { table, publish in
            again = table.learn(
                identity: identity, client: client, name: NameBuffer(name), chain: chain, addresses: wanted,
                ruleSet: ruleSet, answer: UInt64(answers.count), now: now, standing: standing, publish: publish)
        }
        check(echo.changes.isEmpty && !echo.refused, "the same answer again is published again")
        check(again.sequence == outcome.sequence && again.leftOut == outcome.leftOut, "told otherwise")
    }

    /// Whether all of these events are in force once the one with the number `last` is, and nobody has rejected it.
    private func canWait(for last: UInt64, _ numbers: [UInt64]) -> Bool {
        numbers.allSatisfy { standing($0) == .inForce || $0 == last && standing($0) == .awaited }
    }

    /// How the enforcers stand to an event.
    private func standing(_ sequence: UInt64) -> EventStanding {
        rejected.contains(sequence) ? .rejected : sequence <= released ? .inForce : .awaited
    }

    /// What nobody has reported yet is noted when an answer has it: addresses that were published and rejected.
    private func noteRejected(_ wanted: [LearnedAddress], _ key: MappingModel.Key) {
        let known = model.entries[key]?.addresses ?? [:]
        let addresses = wanted.filter { $0.expires > now }.map(\.address).filter { address in
            known[address].map { $0.isConfirmable && standing($0.sequence) == .rejected } ?? false
        }
        guard model.unconfirm(key, addresses) > 0 else { return }
        revoked += 1
        seen.insert("rejected")
    }

    /// The enforcers answer for some of what was published, and say of some events that they could not put them in force; now and
    /// then late, or another enforcer has come that has answered for less.
    private func answer() {
        let first = dice.percent(20) ? 0 : released
        for number in first..<sequence where dice.percent(10) { rejected.insert(number + 1) }
        released = UInt64.random(in: first...sequence, using: &dice)
    }

    /// Looks at what made room for a new name.
    private func checkVictims(
        _ changes: [MappingChange], for key: MappingModel.Key, _ before: MappingModel
    ) {
        guard let change = changes.first else {
            // The names of the others count in all shards, but only those of one can go.
            if shardBits == 0, model.entries[key] != nil, before.entries[key] == nil {
                check(before.entries.count < limits.names, "no room was made")
                check(before.nameCount(of: key.identity) < limits.namesPerIdentity, "no room was made for it")
            }
            return
        }
        check(changes.count == 1 && change.kind == .delete(.limit), "more than one made room")
        let isOwn = before.nameCount(of: key.identity) >= limits.namesPerIdentity
        check(isOwn || before.entries.count >= limits.names, "room was made for nothing")
        if isOwn, before.entries.count < limits.names { check(change.identity == key.identity, "another's name went") }
        seen.insert(isOwn && change.identity == key.identity ? "identity limit" : "name limit")
        guard shardBits == 0 else { return }
        let others = before.entries.filter { !isOwn || $0.key.identity == key.identity }.values.map(\.last)
        let victim = before.entries[MappingModel.Key(identity: change.identity, name: change.name)]
        check(victim?.last == others.min(), "not the first to end made room")
    }

    /// An enforcer reports connections.
    private func keep() {
        let (identity, addresses) = (identity(), addresses(0...6))
        let until = now.adding(seconds: Int64.random(in: -1...40, using: &dice))
        var foreseen = model
        let expected = foreseen.keep(identity, addresses, until: until, now: now, sequence: 0)
        if model.entries.contains(where: { key, entry in
            key.identity == identity && addresses.contains { (entry.addresses[$0]?.learned.expires ?? until) <= now }
        }), expected > 0 {
            seen.insert("kept though over")
        }
        var outcome = KeepOutcome()
        let (changes, refused) = publishing { table, publish in
            outcome = table.keep(identity: identity, addresses: addresses, until: until, now: now, publish: publish)
        }
        check(outcome.refused == refused, "refused or not")
        check(outcome.extended == changes.reduce(0) { $0 + $1.addresses.count }, "extended other than published")
        check(Set(changes.map(\.name)).count == changes.count, "a mapping was published twice")
        guard !refused else { return }
        check(outcome.extended == expected && model.unnumbered == foreseen.unnumbered, "kept other than foreseen")
        if expected == 0, addresses.contains(where: { !model.names(identity: identity, address: $0).isEmpty }) {
            seen.insert("kept not enough to tell")
        }
        if expected > 0 { seen.insert("kept") }
    }

    /// An enforcer could not do it.
    private func unconfirm() {
        let (key, addresses) = (key(), addresses(0...4))
        let (expected, before) = (model.unconfirm(key, addresses), table.revocations)
        let count = table.unconfirm(identity: key.identity, name: key.name, addresses: addresses)
        check(count == expected, "unconfirmed other than foreseen")
        check((table.revocations > before) == (expected > 0), "revoked for nothing, or not")
        if expected > 0 {
            seen.insert("unconfirmed")
            revoked += 1
        }
        // The next answer often says the same.
        if dice.percent(40), let entry = model.entries[key] {
            let known = entry.addresses.values.map(\.learned).sorted { $0.address < $1.address }
            learn(known, key, client: entry.client, chain: entry.chain, ruleSet: entry.ruleSet)
        }
    }

    /// Time is over for some.
    private func expire() {
        let budget = dice.percent(50) ? Int.random(in: 0..<6, using: &dice) : .max
        let foreseen = model.expired(at: now)
        let over = model.addressCount - foreseen.addressCount
        var outcome = ExpiryOutcome()
        let (changes, refused) = publishing { table, publish in
            outcome = table.expire(now: now, budget: budget, publish: publish)
        }
        check(outcome.refused == refused, "refused or not")
        check(changes.count <= budget, "more than the budget")
        check(outcome.expired == changes.reduce(0) { $0 + $1.addresses.count }, "expired other than published")
        if let earliest = model.earliest {
            check((outcome.next ?? .distantFuture) <= earliest, "comes back too late")
        }
        guard !refused, (outcome.next ?? .distantFuture) > now else { return }
        check(model == foreseen, "something over is left")
        if over > 0 { seen.insert("expired") }
    }

    /// Somebody wants something gone.
    private func remove() {
        let key = key()
        let isKnown = model.entries[key] != nil
        var outcome = RemovalOutcome()
        let (_, refused) = publishing { table, publish in
            outcome = table.remove(
                where: { owner, name, _ in owner == key.identity && NameBuffer(key.name).equals(name) },
                reason: .flushed, publish: publish)
        }
        check(outcome.refused == refused, "refused or not")
        check(refused || outcome.removed == (isKnown ? 1 : 0) && model.entries[key] == nil, "not removed")
        if isKnown, !refused { seen.insert("removed") }
    }

    /// The table is lost, and made again from the log; what was not in force is in the log like all else.
    private func restart() {
        table = MappingTable(limits: limits, shardBits: shardBits)
        revoked = 0
        check(log.replay(into: table, now: now), "a limit kept something out that was in the log")
        check(table.revocations == 0, "a replay revoked something")
        let restored = MappingModel(of: table)
        check(restored.unnumbered == model.unnumbered, "restored other than published")
        for (key, entry) in model.entries {
            for (address, mapped) in entry.addresses {
                let number = restored.entries[key]?.addresses[address]?.sequence
                check(number == mapped.sequence || !mapped.isConfirmable, "restored with another number")
            }
        }
        model = restored
        (released, rejected) = (sequence, [])
        seen.insert("restarted")
    }

    /// Holds what the table says of answers that were learned lately against the model: all of it has to be there.
    private func checkAnswers() {
        for (index, answer) in answers.enumerated().suffix(60) {
            for ruleSet in [1, 2] as [UInt32] {
                let known = table.sequence(
                    identity: answer.key.identity, name: NameBuffer(answer.key.name), answer: UInt64(index + 1),
                    ruleSet: ruleSet, now: now, standing: standing)
                guard let known else { continue }
                seen.insert(standing(known) == .awaited ? "answer awaited" : "answer known")
                let entry = model.entries[answer.key]
                check(entry?.ruleSet == ruleSet, "an answer is known under rules that are not those of its mapping")
                let numbers = answer.addresses.compactMap { entry?.addresses[$0.address]?.sequence }
                check(canWait(for: known, numbers + [known]), "an answer is known that waiting is not enough for")
                for address in answer.addresses {
                    let mapped = entry?.addresses[address.address]
                    check(
                        mapped.map { $0.isConfirmable && $0.sequence <= known && $0.learned.expires >= address.expires }
                            == true, "an answer is known of which something is missing")
                }
            }
        }
    }

    /// Compares the table with the model.
    private func compare() {
        check(MappingModel(of: table) == model, "the table is not what it should be")
        checkAnswers()
        let statistics = table.statistics
        check(statistics.names == model.entries.count, "names counted wrongly")
        check(statistics.addresses == model.addressCount, "addresses counted wrongly")
        check(table.addressEntryCount == model.addressCount, "the index by address holds other ones")
        check(statistics.identities == Set(model.entries.keys.map(\.identity)).count, "identities counted wrongly")
        let slack = shardBits == 0 ? 0 : 1 << shardBits
        check(statistics.names <= limits.names + slack, "more names than the limit")
        for identity in 1...3 as ClosedRange<UInt64> {
            check(model.nameCount(of: identity) <= limits.namesPerIdentity + slack, "an identity with too many names")
            for address in addresses(1...2) {
                let names = table.names(identity: identity, address: address)
                check(Set(names).count == names.count, "a name twice")
                check(Set(names) == model.names(identity: identity, address: address), "other names for an address")
                if names.count > 1 { seen.insert("several names for an address") }
            }
        }
        check(model.entries.values.allSatisfy { $0.addresses.count <= limits.addressesPerName }, "too many addresses")
        check(table.revocations >= revoked, "too few revocations")
    }
}
