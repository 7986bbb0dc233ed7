import DNSWire
import FQDNCache
import MappingFeed

/// Puts the events of a journal together again to the mappings that were there when it ended.
struct MappingRestorer {
    /// What a mapping is found by.
    private struct Key: Hashable {
        /// For whom.
        let identity: UInt64
        /// The name.
        let name: DomainName
    }

    /// The mappings so far, the addresses of each by themselves.
    private var mappings: [Key: (mapping: Mapping, addresses: [IPAddress: FQDNCache.MappedAddress])] = [:]
    /// The rules that mappings refer to.
    private let ruleSets: RuleSets
    /// Translates the journal's times.
    private let clock = WallClock()

    /// A restorer that has seen nothing yet.
    init(ruleSets: RuleSets) {
        self.ruleSets = ruleSets
    }

    /// Takes the next event of the journal.
    mutating func take(_ event: FeedEvent) {
        switch event {
        case .upsert(let upsert): take(upsert)
        case .delete(let delete): take(delete)
        default: break
        }
    }

    /// Adds or extends addresses.
    private mutating func take(_ upsert: MappingUpsert) {
        let key = Key(identity: upsert.identity, name: upsert.name)
        var entry = mappings.removeValue(forKey: key)?.addresses ?? [:]
        for address in upsert.addresses {
            let learned = LearnedAddress(
                address: address.ip, ttl: address.ttl, expires: clock.moment(at: address.expires), source: .restore)
            entry[address.ip] = FQDNCache.MappedAddress(learned, sequence: upsert.sequence)
        }
        let mapping = Mapping(
            identity: upsert.identity, client: upsert.client, name: upsert.name, chain: upsert.chain, addresses: [],
            ruleSet: ruleSets.handle(for: upsert.rules), learnedAt: SystemClock.now())
        mappings[key] = (mapping, entry)
    }

    /// Removes addresses.
    private mutating func take(_ delete: MappingDelete) {
        let key = Key(identity: delete.identity, name: delete.name)
        guard var entry = mappings.removeValue(forKey: key) else { return }
        for address in delete.addresses { entry.addresses[address] = nil }
        if !entry.addresses.isEmpty { mappings[key] = entry }
    }

    /// Puts everything into `table` and tells how many mappings that were, and how many its limits kept out.
    func finish(into table: MappingTable) -> (restored: Int, leftOut: Int) {
        var leftOut = 0
        for entry in mappings.values {
            var mapping = entry.mapping
            mapping.addresses = Array(entry.addresses.values)
            if !table.restore(mapping) { leftOut += 1 }
        }
        return (mappings.count - leftOut, leftOut)
    }
}
