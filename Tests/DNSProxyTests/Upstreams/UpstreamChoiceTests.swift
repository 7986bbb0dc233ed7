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

    /// The health of `count` servers of one route.
    private func health(_ count: UInt32, board: UpstreamBoard = UpstreamBoard()) -> UpstreamHealth {
        let servers = (0..<count).map { UpstreamServer(SocketAddress(IPAddress(ipv4: 0xC000_0200 + $0), port: 53)) }
        var health = UpstreamHealth(board: board)
        health.adopt(RouteTable([UpstreamRoute(servers: servers)]))
        return health
    }

    @Test func `while an answer is later than usual others are asked first, unless they are late too`() {
        var health = health(2)
        let now = Moment(seconds: 1_000)
        for server in [0, 1] {
            health.began(server, now: now)
            health.isLate(server)
            holds(health.next([0, 1], route: 0, policy: .sequential, tried: 0) == (server == 0 ? 1 : 0))
        }
        // It came after all.
        health.ended(0, wasLate: true)
        holds(health.isUp(0) && health.next([1, 0], route: 0, policy: .sequential, tried: 0) == 1)
        // One that is late is still better than one that is down.
        health.failed(0, started: now, now: now)
        holds(health.next([0, 1], route: 0, policy: .sequential, tried: 0) == 1)
        holds(health.next([0, 1], route: 0, policy: .sequential, tried: 0b10, onlyUp: true) == nil)
    }

    @Test func `a server that failed is asked again after a second, then twice as long, half a minute at most`() {
        let board = UpstreamBoard()
        var health = health(2, board: board)
        var now = Moment(seconds: 1_000)
        for seconds in [1, 2, 4, 8, 16, 30, 30] as [Int64] {
            let started = now
            health.began(0, now: now)
            health.failed(0, started: started, now: now)
            health.ended(0)
            holds(health.next([0, 1], route: 0, policy: .sequential, tried: 0) == 1)
            #expect(!board.isUp(0))
            holds(!health.isDue(0, now: now.adding(nanoseconds: seconds * 1_000_000_000 - 1)))
            now = now.adding(seconds: seconds)
            holds(health.isDue(0, now: now))
            // Nobody waits for it until it has answered.
            holds(health.next([0, 1], route: 0, policy: .sequential, tried: 0) == 1)
        }
        health.began(0, now: now)
        health.succeeded(0, now: now, elapsed: 1_000_000)
        #expect(board.isUp(0))
        holds(health.next([0, 1], route: 0, policy: .sequential, tried: 0) == 0)
    }

    @Test func `a server that is down is probed by one question at a time`() {
        var health = health(2)
        let now = Moment(seconds: 1_000)
        health.failed(0, started: now, now: now)
        let later = now.adding(seconds: 1)
        holds(health.isDue(0, now: later))
        health.began(0, now: later)
        holds(!health.isDue(0, now: later))
        health.failed(0, started: later, now: later.adding(nanoseconds: 800_000_000))
        holds(!health.isDue(0, now: later.adding(seconds: 2)))
        holds(health.isDue(0, now: later.adding(seconds: 3)))
    }

    @Test func `what fails together is one failure`() {
        var health = health(1)
        let now = Moment(seconds: 1_000)
        for _ in 1...10 { health.failed(0, started: now, now: now) }
        holds(health.isDue(0, now: now.adding(seconds: 1)))
    }

    @Test func `a question that is hard does not make a server that answers others one that is down`() {
        var health = health(1)
        let now = Moment(seconds: 1_000)
        health.succeeded(0, now: now.adding(nanoseconds: 1), elapsed: 1_000)
        health.failed(0, started: now, now: now.adding(seconds: 1))
        holds(health.isUp(0))
        health.failed(0, started: now.adding(seconds: 1), now: now.adding(seconds: 2))
        holds(!health.isUp(0))
    }

    @Test func `every server is tried once before any is tried again, those that are down last`() {
        var health = health(3)
        health.failed(0, started: Moment(seconds: 999), now: Moment(seconds: 1_000))
        var tried: UInt64 = 0
        var order: [Int] = []
        while let place = health.next([0, 1, 2], route: 0, policy: .sequential, tried: tried) {
            order.append(place)
            tried |= 1 << UInt64(place)
        }
        #expect(order == [1, 2, 0])
        holds(health.next([0, 1, 2], route: 0, policy: .sequential, tried: 0b110, onlyUp: true) == nil)
    }

    @Test func `round robin gives each server its turn`() {
        var health = health(3)
        let order = (0..<6).map { _ in health.next([0, 1, 2], route: 0, policy: .roundRobin, tried: 0) }
        #expect(order == [0, 1, 2, 0, 1, 2])
    }

    @Test func `a server gets no more questions at a time than its limit`() {
        var health = health(2)
        let now = Moment(seconds: 1_000)
        for _ in 0..<UpstreamTiming.inFlightPerServer { health.began(0, now: now) }
        holds(!health.hasRoom(0))
        holds(health.next([0, 1], route: 0, policy: .sequential, tried: 0) == 1)
        health.ended(0)
        holds(health.next([0, 1], route: 0, policy: .sequential, tried: 0) == 0)
    }

    @Test func `two answers in another case make a server an exception for an hour, one that keeps it starts anew`() {
        let board = UpstreamBoard()
        var health = health(1, board: board)
        let now = Moment(seconds: 1_000)
        health.echoed(0, exactly: false, now: now)
        health.echoed(0, exactly: true, now: now)
        health.echoed(0, exactly: false, now: now)
        holds(health.keepsCase(0, now: now))
        health.echoed(0, exactly: false, now: now)
        holds(!health.keepsCase(0, now: now))
        #expect(!board.state(0).keepsCase)
        holds(!health.keepsCase(0, now: now.adding(seconds: 3_599)))
        let later = now.adding(seconds: 3_600)
        holds(health.keepsCase(0, now: later))
        health.echoed(0, exactly: true, now: later)
        #expect(board.state(0).keepsCase)
    }

    @Test func `a server that refused EDNS is asked without for an hour`() {
        let board = UpstreamBoard()
        var health = health(1, board: board)
        let now = Moment(seconds: 1_000)
        holds(health.knowsEDNS(0, now: now))
        health.refusedEDNS(0, now: now)
        holds(!health.knowsEDNS(0, now: now.adding(seconds: 3_599)))
        #expect(!board.state(0).knowsEDNS)
        holds(health.knowsEDNS(0, now: now.adding(seconds: 3_600)))
        health.acceptedEDNS(0)
        #expect(board.state(0).knowsEDNS)
    }

    @Test func `servers keep their numbers when the routes change`() throws {
        let first = RouteTable([try route([], 1), try route(["a.example"], 2)])
        #expect(first.places == [[0], [1]] && first.generation == 1)
        let second = RouteTable([try route([], 2), try route(["b.example"], 3)], after: first)
        #expect(second.places == [[1], [2]] && second.generation == 2)
        #expect(second.servers.prefix(2) == first.servers[...])
        let cell = PublishedCell(second)
        holds(!cell.publish(second.routes))
        holds(cell.publish(first.routes))
        #expect(cell.generation == 3 && cell.load().places == [[0], [1]])
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
