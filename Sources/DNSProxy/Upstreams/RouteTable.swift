import DNSWire

/// The routes in the form that a worker looks names up in: the longest domain wins, then the first route.
///
/// Servers go by a number that they keep for the life of the process, so that what is in flight and what is known
/// about a server survive a change of the routes.
struct RouteTable: Versioned {
    /// Counts the tables of this process, from 1.
    let generation: UInt64
    /// Every server that this table or one before it names, by its number; none is there twice.
    let servers: [UpstreamServer]
    /// Routes by their index.
    let routes: [UpstreamRoute]
    /// Of each route the numbers of its servers, in the route's order.
    let places: [[Int]]
    /// Domains with the index of their route, the longest first.
    private let domains: [(name: DomainName, route: Int)]
    /// The route of names that no domain covers, if there is one.
    private let rest: Int?

    /// Most servers of one route: they are told apart by the bits of a word.
    static let serversPerRoute = 64
    /// Most servers that are known over the life of the process.
    static let serverLimit = 65_536

    /// Orders `routes` for look-up; servers that `former` knows keep their numbers.
    init(_ routes: [UpstreamRoute], after former: RouteTable? = nil) {
        self.routes = routes
        generation = (former?.generation ?? 0) + 1
        var servers = former?.servers ?? []
        var numbers: [UpstreamServer: Int] = [:]
        for (number, server) in servers.enumerated() { numbers[server] = number }
        places = routes.map { route in
            route.servers.prefix(RouteTable.serversPerRoute).map { server in
                if let number = numbers[server] { return number }
                numbers[server] = servers.count
                servers.append(server)
                return servers.count - 1
            }
        }
        self.servers = servers
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

extension PublishedCell<RouteTable> {
    /// Puts `routes` into force and tells whether they are others than before; refuses those that would make the
    /// servers of the process too many.
    func publish(_ routes: [UpstreamRoute]) -> Bool {
        publish { table in
            guard table.routes != routes else { return nil }
            let next = RouteTable(routes, after: table)
            return next.servers.count <= RouteTable.serverLimit ? next : nil
        }
    }
}
