internal import DNSWire
package import Logging
package import MappingFeed

/// Tells the daemon again and again which openings have live connections, so that it keeps them.
package struct UseReporter: Sendable {
    /// Knows which connections belong to openings.
    private let enforcer: Enforcer
    /// Where reports go.
    private let session: FeedSession
    /// Where to tell people.
    private let logger: Logger

    /// Pairs of addresses that are looked at in one round, and addresses that are reported of one identity.
    private static let limit = 100_000

    /// A reporter of the openings of `enforcer`.
    package init(enforcer: Enforcer, session: FeedSession, logger: Logger) {
        self.enforcer = enforcer
        self.session = session
        self.logger = logger
    }

    /// Reports every `interval` until the task is cancelled.
    package func run(every interval: Duration) async {
        var problem: String?
        while (try? await Task.sleep(for: interval)) != nil {
            do {
                try await report()
                problem = nil
            } catch {
                if problem != error.description { logger.warning("\(error); open connections are not reported") }
                problem = error.description
            }
        }
    }

    /// Reports once.
    private func report() async throws(ConnectionTrackingError) {
        let (connections, isCut) = try ConnectionTracking.live(limit: UseReporter.limit)
        if isCut {
            logger.warning(
                "more live connections than are reported", metadata: ["reported": "\(UseReporter.limit)"])
        }
        var rest = Array(connections)[...]
        var inUse: [UInt64: Set<IPAddress>] = [:]
        while !rest.isEmpty {
            // In portions, because changes of the feed wait meanwhile.
            let found = await enforcer.inUse(rest.prefix(1_000))
            inUse.merge(found) { $0.union($1) }
            rest = rest.dropFirst(1_000)
        }
        for (identity, addresses) in inUse.sorted(by: { $0.key < $1.key }) {
            session.report(inUse: AddressesInUse(identity: identity, addresses: addresses.sorted()))
        }
        logger.debug(
            "reported live connections",
            metadata: ["connections": "\(connections.count)", "identities": "\(inUse.count)"])
    }
}
