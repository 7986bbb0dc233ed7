import DNSWire
import FQDNCache
import FQDNPolicy
import MappingFeed

/// Where learned mappings are kept and published: the table, the feed, and the rules of how long a mapping lives.
final class Learning: Sendable {
    /// What a reply has to wait for.
    enum Wait {
        /// Nothing.
        case none
        /// That everything up to this sequence number is journalled and acknowledged.
        case until(UInt64)
        /// The feed has no room, so nothing was learned.
        case refused
    }

    /// The mappings.
    let table: MappingTable
    /// How they leave.
    let hub: FeedHub
    /// The rules that mappings refer to.
    let ruleSets: RuleSets
    /// What happens to a reply whose mapping was not confirmed in time.
    let onDelay: EngineConfiguration.Feed.OnDelay
    /// Nanoseconds that a reply waits at most.
    let maxDelayNanoseconds: Int64
    /// Addresses that a name may have for one identity.
    let addressLimit: Int
    /// Seconds that a mapping outlives the answer that carries it.
    private let grace: Int64
    /// Seconds that a mapping lives at least, grace not counted.
    private let minTTL: Int64
    /// Addresses that the operator never wants learned.
    private let denied: [IPPrefix]
    /// Whether replies also wait while no acknowledging enforcer is connected.
    private let requiresEnforcer: Bool

    /// What enforcers say besides acknowledgements.
    private let reports: AsyncStream<FeedReport>

    /// Learning into `table`, published to `hub`, whose subscribers send `reports`.
    init(
        configuration: EngineConfiguration, table: MappingTable, ruleSets: RuleSets, hub: FeedHub,
        reports: AsyncStream<FeedReport>
    ) {
        self.table = table
        self.hub = hub
        self.reports = reports
        self.ruleSets = ruleSets
        onDelay = configuration.feed.onDelay
        maxDelayNanoseconds = Int64(configuration.feed.maxDelayMilliseconds) * 1_000_000
        addressLimit = configuration.learning.maxAddressesPerName
        grace = Int64(configuration.learning.grace)
        minTTL = Int64(configuration.learning.minTTL)
        denied = configuration.learning.denyAddresses
        requiresEnforcer = configuration.feed.requireEnforcer
    }

    /// Changes whenever a mapping was taken away before its time, or an enforcer has joined that knows none yet.
    var epoch: UInt64 { table.revocations &+ hub.joins }

    /// Everything up to this sequence number is journalled and acknowledged; 0 while an enforcer is required and
    /// none is there.
    var released: UInt64 {
        // Looked for before and after: with the last enforcer's leaving `released` jumps to what nobody has confirmed.
        guard requiresEnforcer else { return hub.released }
        let joins = hub.joins
        guard hub.acknowledgingSubscribers > 0 else { return 0 }
        let released = hub.released
        // Nor may another one have joined in between, who has confirmed nothing.
        return hub.acknowledgingSubscribers > 0 && hub.joins == joins ? released : 0
    }

    /// Whether `sequence` is journalled and acknowledged, and no enforcer said that it could not put it in force.
    func isReleased(_ sequence: UInt64) -> Bool { standing(sequence) == .inForce }

    /// How the enforcers, and the journal, stand to the event `sequence`.
    func standing(_ sequence: UInt64) -> EventStanding {
        // Asked first: what is rejected is so before it is released.
        let isReleased = sequence <= released
        return hub.isRejected(sequence) ? .rejected : isReleased ? .inForce : .awaited
    }

    /// Learns that `name`, selected by the rules of `ruleSet`, turned into `addresses`, for `identity` and nobody else,
    /// and tells what a reply with them has to wait for.
    ///
    /// A mapping outlives every answer that carries it, however long that waits: it ends `grace` and `maxDelay` after
    /// `lastValid`, or after `minTTL` if that is later. Addresses that may never be learned are left out and added to `leftOut`.
    /// What it publishes leaves when `hub.wake` is called. `answer` is the serial of the answer in the cache, or 0.
    func learn(
        name: borrowing NameBuffer, identity: IdentityID, client: IPAddress, aliases: [DomainName],
        addresses: [ScrubbedAddress], ruleSet: UInt32, answer: UInt64, lastValid: Moment, now: Moment,
        leftOut: inout UInt64
    ) -> Wait {
        // The client counts from when the answer leaves.
        let expires = max(lastValid, now.adding(seconds: minTTL)).adding(seconds: grace)
            .adding(nanoseconds: maxDelayNanoseconds)
        var learned: [LearnedAddress] = []
        learned.reserveCapacity(addresses.count)
        for scrubbed in addresses {
            guard isLearnable(scrubbed.address) else {
                leftOut += 1
                continue
            }
            learned.append(
                LearnedAddress(
                    address: scrubbed.address, ttl: scrubbed.ttl, expires: expires,
                    source: scrubbed.isHint ? .hint : .answer))
        }
        guard !learned.isEmpty else { return .none }
        let outcome = table.learn(
            identity: identity.rawValue, client: client, name: name, chain: aliases, addresses: learned,
            ruleSet: ruleSet, answer: answer, now: now, standing: standing, publish: publishQuietly)
        if outcome.refused { return .refused }
        return outcome.sequence == 0 ? .none : .until(outcome.sequence)
    }

    /// What a reply has to wait for with the cached answer that has the serial `answer`, if that was learned under `ruleSet`
    /// and nothing has changed since; nil if it has to be learned again.
    func wait(
        name: borrowing NameBuffer, identity: IdentityID, answer: UInt64, ruleSet: UInt32, now: Moment
    ) -> Wait? {
        table.sequence(
            identity: identity.rawValue, name: name, answer: answer, ruleSet: ruleSet, now: now, standing: standing
        ).map { .until($0) }
    }

    /// Takes what enforcers report to the table, until the task is cancelled.
    func takeReports() async {
        for await report in reports {
            switch report {
            case .inUse(let use):
                let now = SystemClock.now()
                _ = table.keep(
                    identity: use.identity, addresses: use.addresses, until: now.adding(seconds: max(grace, 2)),
                    now: now, publish: publish)
            case .rejected(let upsert):
                table.unconfirm(
                    identity: upsert.identity, name: upsert.name, addresses: upsert.addresses.map(\.ip))
            }
        }
    }

    /// Whether a name may open `address` at all.
    private func isLearnable(_ address: IPAddress) -> Bool {
        address.isLearnable && !denied.contains { $0.contains(address) }
    }

    /// Puts a change of the table on the feed; called under the lock of the mapping's shard, so that the feed has
    /// the changes of a mapping in the order in which they happened.
    func publish(_ change: MappingChange) -> UInt64 { publish(change, wakes: true) }

    /// Likewise, of one of several changes that leave together.
    private func publishQuietly(_ change: MappingChange) -> UInt64 { publish(change, wakes: false) }

    /// Puts a change on the feed, and wakes the feed if it `wakes`.
    private func publish(_ change: MappingChange, wakes: Bool) -> UInt64 {
        switch change.kind {
        case .upsert:
            hub.publish(MappingUpsert(change, rules: ruleSets, clock: WallClock()), wakes: wakes)
        case .delete(let reason):
            hub.publish(
                MappingDelete(
                    identity: change.identity, name: change.name, addresses: change.addresses.map(\.address),
                    reason: DeleteReason(rawValue: reason.rawValue) ?? .flushed),
                wakes: wakes)
        }
    }
}

/// What an enforcer says besides acknowledgements.
enum FeedReport: Sendable {
    /// Connections that live: their addresses stay open for `grace`, at least 2 s, from now.
    case inUse(AddressesInUse)
    /// A mapping that it could not put in force: the next answer with it is published again.
    case rejected(MappingUpsert)
}
