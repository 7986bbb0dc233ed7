import DNSWire
import FQDNPolicy

/// The sections whose parts can be switched off: by `none`, `null` or `""` instead of a value.
///
/// A key with nothing behind it is an error, because that is more often an accident than a wish.
extension ConfigurationReader {
    /// `feed`; switched off, it has neither socket nor journal.
    mutating func readFeed(_ root: inout DocumentMapping) {
        guard let node = root.value("feed") else { return }
        if isOff(node) {
            engine.feed.socket = nil
            engine.feed.journal = nil
            return
        }
        node.mapping(problems) { feed in
            read("socket", of: &feed, into: \.engine.feed.socket) { reader, node in reader.socketPath(node) }
            engine.feed.group = feed.string("group") ?? engine.feed.group
            read("journal", of: &feed, into: \.engine.feed.journal) { reader, node in reader.absolutePath(node) }
            if let node = feed.value("maxDelay"), let delay = node.value(TimeSpan.expected, problems, { TimeSpan($0) })
            {
                if delay.milliseconds <= 60_000 {
                    engine.feed.maxDelayMilliseconds = delay.milliseconds
                } else {
                    problems.error(node, "expected a time from 0s to 60s")
                }
            }
            engine.feed.onDelay = feed.choice("onDelay", EngineConfiguration.Feed.OnDelay.self) ?? engine.feed.onDelay
            let requirement = feed.value("requireEnforcer")
            engine.feed.requireEnforcer = requirement?.bool(problems) ?? engine.feed.requireEnforcer
            if engine.feed.requireEnforcer, engine.feed.socket == nil, let requirement {
                problems.error(requirement, "without a feed socket no enforcer can connect")
            }
        }
    }

    /// `admin`; switched off, it has neither socket nor metrics nor health.
    mutating func readAdmin(_ root: inout DocumentMapping) {
        guard let node = root.value("admin") else { return }
        if isOff(node) {
            engine.admin = EngineConfiguration.Admin()
            return
        }
        node.mapping(problems) { admin in
            read("socket", of: &admin, into: \.engine.admin.socket) { reader, node in reader.socketPath(node) }
            read("http", of: &admin, into: \.engine.admin.http) { reader, node in
                reader.socketAddress(node, defaultPort: 9253)
            }
            read("health", of: &admin, into: \.engine.admin.health) { reader, node in
                reader.socketAddress(node, defaultPort: 8080)
            }
            let page = admin.value("page")
            engine.admin.page = page?.bool(problems) ?? false
            if engine.admin.page, engine.admin.http == nil, let page {
                problems.error(page, "the page is served at admin.http, which is switched off")
            }
            let exposed = admin.bool("exposeHTTP") ?? false
            if let address = engine.admin.http, !address.address.isLoopback, !exposed, let node = admin.value("http") {
                problems.error(
                    node,
                    "\(address) is not a loopback address; metrics tell about clients, so say exposeHTTP: true "
                        + "beside it to serve them to the network")
            }
            if let http = engine.admin.http, http == engine.admin.health,
                let node = admin.value("health") ?? admin.value("http")
            {
                problems.error(node, "http and health cannot both be \(http)")
            }
        }
        if let socket = engine.admin.socket, socket == engine.feed.socket {
            problems.error(node, "the admin socket and the feed socket are both \(quoted(socket))")
        }
    }

    /// Reads `key` into `target`: nil when it is switched off, what `parse` makes of it otherwise.
    private mutating func read<Value>(
        _ key: String, of mapping: inout DocumentMapping, into target: WritableKeyPath<ConfigurationReader, Value?>,
        _ parse: (ConfigurationReader, DocumentNode) -> Value?
    ) {
        guard let node = mapping.value(key) else { return }
        if isOff(node) {
            self[keyPath: target] = nil
        } else if isMissing(node) {
            problems.error(node, "there is nothing behind \(quoted(key)); leave it out for the default, or say none")
        } else if let value = parse(self, node) {
            self[keyPath: target] = value
        }
    }

    /// Whether a part is switched off in so many words.
    func isOff(_ node: DocumentNode) -> Bool {
        guard case .scalar(let text, let isPlain) = node.content else { return false }
        return isPlain ? text == "none" || (node.isNull && !text.isEmpty) : text.isEmpty
    }

    /// Whether nothing at all stands where a value should.
    private func isMissing(_ node: DocumentNode) -> Bool {
        guard case .scalar("", true) = node.content else { return false }
        return true
    }
}
