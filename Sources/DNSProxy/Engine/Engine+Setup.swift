import DNSWire
import FQDNCache
import FQDNPolicy
import Logging
import MappingFeed
import NIOCore
import Synchronization

extension Engine {
    /// The routes of `configuration`, or one to the nameservers of `/etc/resolv.conf`.
    /// - Throws: `EngineError.system` when a route leads back to the daemon itself.
    static func routes(_ configuration: EngineConfiguration, logger: Logger) throws(EngineError) -> [UpstreamRoute] {
        let local = LocalAddresses.current()
        for server in configuration.upstreams.flatMap(\.servers)
        where configuration.listen.take(server.address, local: local) {
            throw .system("upstream \(server) is where this daemon listens: questions would go round in a circle")
        }
        guard configuration.upstreams.isEmpty else { return configuration.upstreams }
        let servers = ResolvConf.servers(in: ResolvConf.read(), excluding: configuration.listen, local: local)
        guard !servers.isEmpty else {
            if configuration.zones.isEmpty {
                logger.warning("no upstreams: none are configured, and \(ResolvConf.path) names no other server")
            }
            return []
        }
        return [UpstreamRoute(servers: servers)]
    }

    /// Follows the nameservers of `/etc/resolv.conf` while they are the upstreams, looking once a second as for
    /// documents. A file that names none, or is being written, changes nothing.
    func watchResolvConf() async {
        var seen = shared.routes.load().routes.first?.servers ?? []
        while !Task.isCancelled {
            try? await Task.sleep(for: .seconds(1))
            let servers = ResolvConf.servers(
                in: ResolvConf.read(), excluding: configuration.listen, local: LocalAddresses.current())
            defer { seen = servers }
            // Twice the same: nobody is in the middle of writing it.
            guard !servers.isEmpty, servers == seen, shared.routes.publish([UpstreamRoute(servers: servers)]) else {
                continue
            }
            for worker in workers { worker.mailbox.wake() }
            logger.info(
                "upstreams have changed",
                metadata: ["servers": "\(servers.map(\.description).joined(separator: ", "))"])
        }
    }

    /// The mapping table as the journal left it, and the feed that goes on from there.
    /// - Throws: `JournalError` when the journal cannot be used.
    static func learning(
        _ configuration: EngineConfiguration, statuses: [WorkerStatus], loop: any EventLoop,
        predecessor: inout Predecessor?, logger: Logger
    ) throws -> Learning {
        let table = MappingTable(
            limits: MappingLimits(addressesPerName: configuration.learning.maxAddressesPerName))
        let ruleSets = RuleSets()
        let feed = FeedSource(table: table, ruleSets: ruleSets)
        let onChange: @Sendable (UInt64) -> Void = { _ in
            // The new state is visible before a worker that has just begun to hold a reply is looked for.
            atomicMemoryFence(ordering: .sequentiallyConsistent)
            for status in statuses where status.holds > 0 { status.mailbox.wake() }
        }
        var journal: Journal?
        if let folder = configuration.feed.journal {
            var restorer = RestoringQueue(
                MappingRestorer(table: table, ruleSets: ruleSets, configuration: configuration))
            let opened = try Engine.journal(folder, after: &predecessor) { restorer.take($0) }
            let leftOut = restorer.finish()
            for problem in opened.restoration.problems { logger.error("\(problem)") }
            logger.info(
                "journal restored",
                metadata: [
                    "mappings": "\(table.statistics.names)", "leftOut": "\(leftOut)", "folder": "\(folder)",
                ])
            journal = consume opened
        } else {
            predecessor?.letGo()
        }
        // Dropping a report harms nobody: connections are reported again, and of a rejection the feed itself knows.
        let (reports, reporter) = AsyncStream<FeedReport>.makeStream(bufferingPolicy: .bufferingOldest(256))
        let hub = FeedHub(
            loop: loop,
            configuration: FeedHubConfiguration(
                socketPath: configuration.feed.socket, socketGroup: configuration.feed.group),
            journal: journal, snapshot: feed.emit, logger: logger, onChange: onChange,
            onInUse: { reporter.yield(.inUse($0)) },
            onReject: { rejection, event in
                if case .upsert(let upsert) = event { reporter.yield(.rejected(upsert)) }
            })
        return Learning(configuration: configuration, table: table, ruleSets: ruleSets, hub: hub, reports: reports)
    }

    /// Gives cookies another secret once a day (RFC 9018, section 5).
    func rotateCookies() async {
        while (try? await Task.sleep(for: CookieSecrets.rotation)) != nil {
            shared.cookies.publish { $0.rotated() }
        }
    }

    /// Logs what there is to say about documents.
    static func log(_ problems: [DocumentProblem], to logger: Logger) {
        for problem in problems {
            switch problem.severity {
            case .error: logger.error("\(problem)")
            case .warning: logger.warning("\(problem)")
            case .notice: logger.notice("\(problem)")
            }
        }
    }
}

/// Every mapping, for new subscribers and for the journal's snapshots.
struct FeedSource: Sendable {
    /// The mappings.
    let table: MappingTable
    /// The rules that they refer to.
    let ruleSets: RuleSets

    /// Mappings of one call.
    private static let chunk = 500

    /// Hands over the part that begins at `cursor` and tells where the next one begins; nil at the end.
    @Sendable func emit(cursor: UInt64, _ emit: (FeedEvent) -> Void) -> UInt64? {
        let clock = WallClock()
        let next = table.list(from: MappingCursor(rawValue: cursor), limit: FeedSource.chunk) { mapping in
            emit(.upsert(MappingUpsert(mapping, rules: ruleSets, clock: clock)))
        }
        return next?.rawValue
    }
}

extension FeedIdentity {
    /// An identity of the policy, in the feed's terms.
    init(_ identity: Identity) {
        self.init(
            id: identity.id.rawValue, name: identity.name, namespace: identity.namespace, labels: identity.labels,
            addresses: identity.prefixes)
    }
}

extension MappingUpsert {
    /// A mapping that the table holds, in the feed's terms.
    init(_ mapping: Mapping, rules: RuleSets, clock: WallClock) {
        self.init(
            identity: mapping.identity, client: mapping.client, name: mapping.name, chain: mapping.chain,
            addresses: mapping.addresses.map { MappedAddress($0.learned, clock: clock) },
            rules: rules.rules(of: mapping.ruleSet),
            source: MappingSource(mapping.addresses.lazy.map(\.learned.source)))
    }

    /// A change of the table, in the feed's terms.
    init(_ change: MappingChange, rules: RuleSets, clock: WallClock) {
        self.init(
            identity: change.identity, client: change.client, name: change.name, chain: change.chain,
            addresses: change.addresses.map { MappedAddress($0, clock: clock) }, rules: rules.rules(of: change.ruleSet),
            source: MappingSource(change.addresses.lazy.map(\.source)))
    }
}

extension MappingFeed.MappingSource {
    /// What an event with addresses from `sources` says: a connection or a hint if one of them is.
    init(_ sources: some Sequence<FQDNCache.MappingSource>) {
        self = .answer
        for source in sources {
            if source == .hint { self = .hint }
            guard source != .connection else {
                self = .connection
                return
            }
        }
    }
}

extension MappingFeed.MappedAddress {
    /// A learned address, in the feed's terms.
    init(_ learned: LearnedAddress, clock: WallClock) {
        self.init(ip: learned.address, ttl: learned.ttl, expires: clock.seconds(at: learned.expires))
    }
}
