import DNSWire
import FQDNCache
import Testing

@testable import DNSProxy

/// Which server is asked.
struct UpstreamChoiceTests {
    /// A route for `domains` whose server tells it apart.
    private func route(_ domains: [String], _ last: UInt32) throws -> UpstreamRoute {
        UpstreamRoute(
            domains: try domains.map { try DomainName($0) },
            servers: [UpstreamServer(SocketAddress(IPAddress(ipv4: 0xC000_0200 + last), port: 53))])
    }

    @Test(arguments: [
        ("web.prod.svc.cluster.local", 1), ("cluster.local", 1), ("special.cluster.local", 2),
        ("a.special.cluster.local", 2), ("notcluster.local", 0), ("example.com", 0), (".", 0),
    ])
    func `the longest domain wins, then the route for the rest`(_ name: String, _ expected: Int) throws {
        let table = RouteTable([
            try route([], 1), try route(["cluster.local"], 2), try route(["special.cluster.local"], 3),
        ])
        let name = NameBuffer(try DomainName(name))
        holds(table.route(for: name) == expected)
    }

    @Test func `a name without a route has none`() throws {
        let table = RouteTable([try route(["cluster.local"], 1)])
        let name = NameBuffer(try DomainName("example.com"))
        holds(table.route(for: name) == nil)
    }

    @Test func `a server that failed is left alone for a second, then twice as long, half a minute at most`() {
        let board = UpstreamBoard(servers: 2)
        var health = UpstreamHealth(servers: 2, routes: 1, board: board)
        var now = Moment(seconds: 1_000)
        for seconds in [1, 2, 4, 8, 16, 30, 30] as [Int64] {
            health.failed(0, now: now)
            holds(health.next(0..<2, route: 0, policy: .sequential, tried: 0, now: now) == 1)
            #expect(!board.isUp(0))
            holds(!health.isUp(0, now: now.adding(nanoseconds: seconds * 1_000_000_000 - 1)))
            now = now.adding(seconds: seconds)
            holds(health.isUp(0, now: now))
        }
        health.succeeded(0)
        #expect(board.isUp(0))
        holds(health.next(0..<2, route: 0, policy: .sequential, tried: 0, now: now) == 0)
    }

    @Test func `what fails together is one failure`() {
        var health = UpstreamHealth(servers: 1, routes: 1, board: UpstreamBoard(servers: 1))
        let now = Moment(seconds: 1_000)
        for _ in 1...10 { health.failed(0, now: now) }
        holds(health.isUp(0, now: now.adding(seconds: 1)))
    }

    @Test func `every server is tried once before any is tried again, those that are down last`() {
        var health = UpstreamHealth(servers: 3, routes: 1, board: UpstreamBoard(servers: 3))
        let now = Moment(seconds: 1_000)
        health.failed(0, now: now)
        var tried: UInt64 = 0
        var order: [Int] = []
        while let place = health.next(0..<3, route: 0, policy: .sequential, tried: tried, now: now) {
            order.append(place)
            tried |= 1 << UInt64(place)
        }
        #expect(order == [1, 2, 0])
    }

    @Test func `round robin gives each server its turn`() {
        var health = UpstreamHealth(servers: 3, routes: 1, board: UpstreamBoard(servers: 3))
        let now = Moment(seconds: 1_000)
        let order = (0..<6).map { _ in health.next(0..<3, route: 0, policy: .roundRobin, tried: 0, now: now) }
        #expect(order == [0, 1, 2, 0, 1, 2])
    }

    @Test func `the nameservers of resolv.conf are taken, but never the daemon itself`() {
        let text = """
            # a comment
            search example.com
            nameserver 127.0.0.53
            nameserver\t192.0.2.1
            nameserver 2001:db8::1
            nameserver nonsense
            options ndots:5
            """
        let own = SocketAddress(IPAddress(ipv4: 0x7F00_0035), port: 53)
        #expect(
            ResolvConf.servers(in: text, excluding: [own]).map(\.description) == ["192.0.2.1:53", "[2001:db8::1]:53"])
        #expect(ResolvConf.servers(in: text, excluding: []).count == 3)
    }
}
