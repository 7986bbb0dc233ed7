import DNSWire
import FQDNCache

/// The mapping table as a reader of the feed or of a journal sees it: plain dictionaries, no limits, no index.
struct MappingModel: Equatable {
    /// What a mapping is found by.
    struct Key: Hashable {
        /// For whom.
        let identity: UInt64
        /// The name.
        let name: DomainName
    }

    /// What is known about one mapping.
    struct Entry: Equatable {
        /// Who asked last.
        var client: IPAddress
        /// The targets of aliases.
        var chain: [DomainName]
        /// The rules that selected the name.
        var ruleSet: UInt32
        /// The addresses.
        var addresses: [IPAddress: MappedAddress] = [:]

        /// When the last address expires.
        var last: Moment { addresses.values.map(\.learned.expires).max() ?? .distantFuture }
    }

    /// The mappings.
    var entries: [Key: Entry] = [:]

    /// Nothing.
    init() {}

    /// What a table holds, read in pages.
    init(of table: MappingTable, page: Int = 7) {
        var cursor: MappingCursor? = MappingCursor()
        while let from = cursor {
            cursor = table.list(from: from, limit: page) { mapping in
                entries[Key(identity: mapping.identity, name: mapping.name)] = Entry(
                    client: mapping.client, chain: mapping.chain, ruleSet: mapping.ruleSet,
                    addresses: Dictionary(uniqueKeysWithValues: mapping.addresses.map { ($0.learned.address, $0) }))
            }
        }
    }

    /// Names of an identity.
    func nameCount(of identity: UInt64) -> Int { entries.keys.count { $0.identity == identity } }

    /// Addresses of all mappings.
    var addressCount: Int { entries.values.reduce(0) { $0 + $1.addresses.count } }

    /// When the next address expires.
    var earliest: Moment? { entries.values.flatMap(\.addresses.values).map(\.learned.expires).min() }

    /// The names that have an address for an identity.
    func names(identity: UInt64, address: IPAddress) -> Set<DomainName> {
        Set(entries.filter { $0.key.identity == identity && $0.value.addresses[address] != nil }.keys.map(\.name))
    }

    /// Takes in a change and returns what is wrong with it; `standing` tells what became of the changes before.
    mutating func apply(
        _ change: MappingChange, sequence: UInt64, now: Moment, standing: (UInt64) -> EventStanding
    ) -> String? {
        let key = Key(identity: change.identity, name: change.name)
        if change.addresses.isEmpty { return "nothing to say" }
        if Set(change.addresses.map(\.address)).count < change.addresses.count { return "an address twice" }
        switch change.kind {
        case .upsert:
            var entry = entries[key] ?? Entry(client: change.client, chain: change.chain, ruleSet: change.ruleSet)
            for learned in change.addresses {
                if learned.expires <= now { return "over already" }
                if let known = entry.addresses[learned.address] {
                    if known.learned.expires > learned.expires { return "shortened" }
                    let isNews = known.learned.expires < learned.expires || entry.ruleSet != change.ruleSet
                    if !isNews, known.isConfirmable, standing(known.sequence) == .inForce { return "nothing new" }
                }
                entry.addresses[learned.address] = MappedAddress(learned, sequence: sequence)
            }
            (entry.client, entry.chain, entry.ruleSet) = (change.client, change.chain, change.ruleSet)
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

    /// Extends what a report of connections extends, and tells how many addresses that were.
    mutating func keep(_ identity: UInt64, _ addresses: [IPAddress], until: Moment, now: Moment, sequence: UInt64)
        -> Int
    {
        var extended = 0
        let half = (until.nanoseconds - now.nanoseconds) / 2
        for key in entries.keys where key.identity == identity && until > now {
            for address in Set(addresses) {
                guard var known = entries[key]?.addresses[address],
                    known.learned.expires.nanoseconds < until.nanoseconds - half
                else { continue }
                (known.learned.expires, known.learned.source, known.sequence) = (until, .connection, sequence)
                entries[key]?.addresses[address] = known
                extended += 1
            }
        }
        return extended
    }

    /// Marks addresses of a mapping as not in force, and tells how many of them it has.
    mutating func unconfirm(_ key: Key, _ addresses: [IPAddress]) -> Int {
        let known = Set(addresses).filter { entries[key]?.addresses[$0] != nil }
        for address in known { entries[key]?.addresses[address]?.sequence = MappedAddress.unconfirmed }
        return known.count
    }

    /// Without the addresses that are over.
    func expired(at now: Moment) -> MappingModel {
        var rest = self
        for (key, entry) in entries {
            let alive = entry.addresses.filter { $0.value.learned.expires > now }
            if alive.isEmpty { rest.entries[key] = nil } else { rest.entries[key]?.addresses = alive }
        }
        return rest
    }

    /// Without the numbers of events, for comparison with what was only foreseen.
    var unnumbered: MappingModel {
        var rest = self
        for (key, entry) in entries {
            rest.entries[key]?.addresses = entry.addresses.mapValues { MappedAddress($0.learned, sequence: 0) }
        }
        return rest
    }
}

/// What was published, as a journal keeps it.
struct MappingLog {
    /// The changes with their numbers.
    var events: [(sequence: UInt64, change: MappingChange)] = []

    /// Replays the log into a table; true if nothing was left out.
    func replay(from start: Int = 0, into table: MappingTable, now: Moment) -> Bool {
        var isWhole = true
        for (sequence, change) in events[start...] {
            switch change.kind {
            case .upsert:
                let mapping = Mapping(
                    identity: change.identity, client: change.client, name: change.name, chain: change.chain,
                    addresses: change.addresses.map { MappedAddress($0, sequence: sequence) }, ruleSet: change.ruleSet,
                    learnedAt: now)
                isWhole = table.restore(mapping) && isWhole
            case .delete:
                table.forget(
                    identity: change.identity, name: change.name, addresses: change.addresses.map(\.address))
            }
        }
        return isWhole
    }
}
