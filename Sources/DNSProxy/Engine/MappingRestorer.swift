import DNSWire
import FQDNCache
import MappingFeed

/// Puts the events of a journal, in their order, back into the table that they were published from.
struct MappingRestorer {
    /// Where mappings go.
    private let table: MappingTable
    /// The rules that mappings refer to.
    private let ruleSets: RuleSets
    /// Translates the journal's times.
    private let clock = WallClock()
    /// Seconds that a mapping may live at most beyond the TTL of its answer, or beyond `minTTL` if that is longer.
    private let slack: Int64
    /// Seconds that a mapping lives at least.
    private let minTTL: Int64
    /// When the restoration began.
    private let now = SystemClock.now()
    /// Events that a limit of the table kept out, some of their addresses or all.
    private(set) var leftOut = 0

    /// A restorer that has seen nothing yet.
    init(table: MappingTable, ruleSets: RuleSets, configuration: EngineConfiguration) {
        slack = max(Int64(configuration.learning.grace), 2) + 3 + Int64(configuration.feed.maxDelayMilliseconds) / 1000
        minTTL = Int64(configuration.learning.minTTL)
        self.table = table
        self.ruleSets = ruleSets
    }

    /// Takes the next event of the journal.
    mutating func take(_ event: FeedEvent) {
        switch event {
        case .upsert(let upsert):
            if !table.restore(mapping(of: upsert)) { leftOut += 1 }
        case .delete(let delete):
            table.forget(identity: delete.identity, name: delete.name, addresses: delete.addresses)
        default: break
        }
    }

    /// What an event published.
    private func mapping(of upsert: MappingUpsert) -> Mapping {
        let addresses = upsert.addresses.map { address in
            // If the wall clock was set back while nobody looked, the journal's times are too far away.
            let latest = now.adding(seconds: max(Int64(address.ttl), minTTL) + slack)
            return FQDNCache.MappedAddress(
                LearnedAddress(
                    address: address.ip, ttl: address.ttl,
                    expires: min(clock.moment(at: address.expires), latest), source: .restore),
                sequence: upsert.sequence)
        }
        return Mapping(
            identity: upsert.identity, client: upsert.client, name: upsert.name, chain: upsert.chain,
            addresses: addresses, ruleSet: ruleSets.handle(for: upsert.rules), learnedAt: now)
    }
}
