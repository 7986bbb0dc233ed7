public import DNSWire

/// A server that questions are forwarded to.
public struct UpstreamServer: Hashable, Sendable, CustomStringConvertible {
    /// How it is spoken to.
    public enum Transport: String, Hashable, Sendable {
        /// Datagrams, and a connection when an answer was truncated.
        case udp
        /// Connections only.
        case tcp
    }

    /// How it is spoken to.
    public var transport: Transport
    /// Where it listens.
    public var address: SocketAddress

    /// A server at `address`.
    public init(_ address: SocketAddress, transport: Transport = .udp) {
        self.address = address
        self.transport = transport
    }

    /// `192.0.2.1:53`, with `tcp://` in front of a server that is only spoken to over connections.
    public var description: String { transport == .tcp ? "tcp://\(address)" : "\(address)" }
}

/// Which servers answer for which names.
public struct UpstreamRoute: Equatable, Sendable {
    /// In what order servers are tried.
    public enum Policy: String, CaseIterable, Sendable {
        /// The first that is up.
        case sequential
        /// Any that is up.
        case random
        /// Each in turn.
        case roundRobin
    }

    /// The names at and below which this route is taken; empty for the rest.
    public var domains: [DomainName]
    /// The servers, at least one.
    public var servers: [UpstreamServer]
    /// In what order they are tried.
    public var policy: Policy

    /// A route to `servers` for `domains`.
    public init(domains: [DomainName] = [], servers: [UpstreamServer], policy: Policy = .sequential) {
        self.domains = domains
        self.servers = servers
        self.policy = policy
    }
}

/// The routes in the form that a worker looks names up in: the longest domain wins, then the first route.
struct RouteTable: Sendable {
    /// Routes by their index.
    let routes: [UpstreamRoute]
    /// Domains with the index of their route, the longest first.
    private let domains: [(name: DomainName, route: Int)]
    /// The route of names that no domain covers, if there is one.
    private let rest: Int?

    /// Orders `routes` for look-up.
    init(_ routes: [UpstreamRoute]) {
        self.routes = routes
        rest = routes.firstIndex { $0.domains.isEmpty }
        let pairs = routes.enumerated().flatMap { index, route in route.domains.map { (name: $0, route: index) } }
        domains = pairs.enumerated().sorted {
            $0.element.name.labelCount != $1.element.name.labelCount
                ? $0.element.name.labelCount > $1.element.name.labelCount : $0.offset < $1.offset
        }.map(\.element)
    }

    /// Index of the route for `name`, or nil when there is none.
    func route(for name: borrowing NameBuffer) -> Int? {
        for (domain, route) in domains where name.isEqualToOrBelow(domain) { return route }
        return rest
    }
}
