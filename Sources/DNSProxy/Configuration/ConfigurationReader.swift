import DNSWire
import FQDNPolicy
import Logging

/// Turns the document of a configuration file into what the engine and the log are told.
///
/// A key that is absent or bad leaves the default; what is bad was noted then. The sections with rules of their own
/// are in `ConfigurationReader+Upstreams` and `ConfigurationReader+Switches`.
struct ConfigurationReader {
    /// What the engine is told.
    var engine = EngineConfiguration()
    /// What the log is told.
    var log = LogConfiguration()
    /// Folder of the file with its slash; empty for the working directory.
    let folder: String
    /// Where problems go.
    let problems: DocumentProblems

    /// Most addresses in `listen`.
    private static let listenLimit = 64

    /// A reader that has read nothing.
    init(folder: String, problems: DocumentProblems) {
        self.folder = folder
        self.problems = problems
        engine.feed.socket = ConfigurationFile.DefaultPath.feedSocket
        engine.feed.journal = ConfigurationFile.DefaultPath.journal
        engine.admin.socket = ConfigurationFile.DefaultPath.adminSocket
        engine.admin.http = SocketAddress(IPAddress(ipv4: 0x7F00_0001), port: 9253)
        engine.admin.health = SocketAddress(IPAddress(ipv4: 0x7F00_0001), port: 8080)
    }

    /// Reads the whole document.
    mutating func read(_ root: DocumentNode) {
        root.mapping(problems) { root in
            readListen(&root)
            readUser(&root)
            engine.workers = root.integer("workers", in: 1...256) ?? engine.workers
            engine.enforcement = root.choice("enforcement", EnforcementMode.self) ?? engine.enforcement
            engine.unknownClients = root.choice("unknownClients", UnknownClientsMode.self) ?? engine.unknownClients
            engine.policies = paths("policies", of: &root) ?? engine.policies
            engine.identities = paths("identities", of: &root) ?? engine.identities
            engine.zones = paths("zones", of: &root) ?? engine.zones
            readUpstreams(&root)
            root.mapping("deny") { deny in
                engine.denyResponse =
                    deny.choice("response", EngineConfiguration.DenyResponse.self) ?? engine.denyResponse
            }
            readAllowedNetworks(&root)
            root.mapping("cache") { readCache(&$0) }
            root.mapping("learning") { readLearning(&$0) }
            readFeed(&root)
            readAdmin(&root)
            readFlows(&root)
            root.mapping("limits") { readLimits(&$0) }
            root.mapping("metrics") { metrics in
                engine.metrics.upstreamLabels = metrics.bool("upstreamLabels") ?? engine.metrics.upstreamLabels
            }
            root.mapping("log") { log in
                self.log.level = log.choice("level", Logger.Level.self) ?? self.log.level
                self.log.format = log.choice("format", LogConfiguration.Format.self) ?? self.log.format
            }
        }
    }

    /// `listen`: at least one address, none twice.
    private mutating func readListen(_ root: inout DocumentMapping) {
        guard let list = root.value("listen"), let elements = list.elements(problems) else { return }
        guard (1...ConfigurationReader.listenLimit).contains(elements.count) else {
            problems.error(list, "expected 1 to \(ConfigurationReader.listenLimit) addresses, found \(elements.count)")
            return
        }
        var addresses: [SocketAddress] = []
        for element in elements {
            guard let address = socketAddress(element, defaultPort: 53) else { continue }
            if addresses.contains(address) {
                problems.error(element, "\(address) is listed twice")
            } else {
                addresses.append(address)
            }
        }
        if !addresses.isEmpty { engine.listen = addresses }
    }

    /// `user` and `group`: whom the process becomes. Whether there is such a user is for the machine to say that it runs on.
    private mutating func readUser(_ root: inout DocumentMapping) {
        engine.user = account("user", of: &root)
        engine.group = account("group", of: &root)
        if engine.user == nil, let node = root.value("group"), !root.has("user") {
            problems.error(node, "a group is taken together with a user, and there is no `user`")
        }
    }

    /// The name or number under `key`.
    private func account(_ key: String, of mapping: inout DocumentMapping) -> String? {
        guard let node = mapping.value(key), let name = node.string(problems) else { return nil }
        guard !name.isEmpty, !name.utf8.contains(0) else {
            problems.error(node, "expected a name or a number, found \(quoted(name))")
            return nil
        }
        return name
    }

    /// `allowQueriesFrom`: at least one network.
    private mutating func readAllowedNetworks(_ root: inout DocumentMapping) {
        guard let list = root.value("allowQueriesFrom"), let networks = networks(list) else { return }
        if case .sequence(let elements) = list.content, elements.isEmpty {
            problems.error(list, "the list is empty, so nobody could ask; 0.0.0.0/0 and ::/0 are everybody")
        }
        engine.allowQueriesFrom = networks
    }

    /// `cache`.
    private mutating func readCache(_ cache: inout DocumentMapping) {
        if let node = cache.value("size"), let size = node.value(ByteSize.expected, problems, { ByteSize($0) }) {
            if (1 << 20...1 << 44).contains(size.bytes) {
                engine.cache.size = size.bytes
            } else {
                problems.error(node, "expected a size from 1MiB to 16TiB")
            }
        }
        engine.cache.minTTL = seconds("minTTL", of: &cache) ?? engine.cache.minTTL
        let maxTTL = cache.value("maxTTL")
        if let maxTTL, let value = seconds(maxTTL, from: 1) { engine.cache.maxTTL = value }
        engine.cache.negativeMaxTTL = seconds("negativeMaxTTL", of: &cache) ?? engine.cache.negativeMaxTTL
        engine.cache.serveStale = seconds("serveStale", of: &cache) ?? engine.cache.serveStale
        engine.cache.prefetch = cache.bool("prefetch") ?? engine.cache.prefetch
        if engine.cache.minTTL > engine.cache.maxTTL, let culprit = cache.value("minTTL") ?? maxTTL {
            let least = TimeSpan.text(milliseconds: Int(engine.cache.minTTL) * 1_000)
            let most = TimeSpan.text(milliseconds: Int(engine.cache.maxTTL) * 1_000)
            problems.error(culprit, "minTTL (\(least)) is above maxTTL (\(most))")
        }
    }

    /// `limits`.
    private mutating func readLimits(_ limits: inout DocumentMapping) {
        let counts = 1...1_000_000
        engine.limits.connections = limits.integer("connections", in: counts) ?? engine.limits.connections
        engine.limits.connectionsPerClient =
            limits.integer("connectionsPerClient", in: counts) ?? engine.limits.connectionsPerClient
        engine.limits.idleTimeout = timeout("idleTimeout", of: &limits) ?? engine.limits.idleTimeout
        engine.limits.firstQueryTimeout =
            timeout("firstQueryTimeout", of: &limits)
            ?? min(engine.limits.firstQueryTimeout, engine.limits.idleTimeout)
        if let node = limits.value("responsesPerSecond"), !isOff(node) {
            engine.limits.responsesPerSecond = node.integer(in: counts, problems)
        }
        engine.limits.ipv6PrefixLength =
            limits.integer("ipv6PrefixLength", in: 32...128) ?? engine.limits.ipv6PrefixLength
    }

    /// The seconds, 1 to 3600, after which something is given up.
    private func timeout(_ key: String, of limits: inout DocumentMapping) -> UInt32? {
        guard let node = limits.value(key), let value = seconds(node, from: 1) else { return nil }
        guard value <= 3_600 else {
            problems.error(node, "expected a time from 1s to 1h")
            return nil
        }
        return value
    }

    /// `learning`.
    private mutating func readLearning(_ learning: inout DocumentMapping) {
        engine.learning.scope =
            learning.choice("scope", EngineConfiguration.Learning.Scope.self) ?? engine.learning.scope
        engine.learning.minTTL = seconds("minTTL", of: &learning) ?? engine.learning.minTTL
        engine.learning.grace = seconds("grace", of: &learning) ?? engine.learning.grace
        engine.learning.maxAddressesPerName =
            learning.integer("maxAddressesPerName", in: 1...65_535) ?? engine.learning.maxAddressesPerName
        if let list = learning.value("denyAddresses"), let networks = networks(list) {
            engine.learning.denyAddresses = networks
        }
    }
}
