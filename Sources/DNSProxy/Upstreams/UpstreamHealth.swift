import DNSWire
import FQDNCache

/// What one worker knows of the servers from its own traffic, and which of them it asks next.
struct UpstreamHealth: ~Copyable {
    /// One server.
    private struct Server {
        /// Until when it is left alone while another one is up.
        var downUntil = Moment(nanoseconds: 0)
        /// Failures since the last answer.
        var failures = 0
    }

    /// By index of the server.
    private var servers: [Server]
    /// Of each route, whose turn it is.
    private var turns: [Int]
    /// Where everybody else sees it.
    private let board: UpstreamBoard

    /// Everything is up, and changes are shown on `board`.
    init(servers: Int, routes: Int, board: UpstreamBoard) {
        self.board = board
        self.servers = Array(repeating: Server(), count: servers)
        turns = Array(repeating: 0, count: routes)
    }

    /// Notes an answer of `server`.
    mutating func succeeded(_ server: Int) {
        guard servers[server].failures > 0 else { return }
        servers[server] = Server()
        board.set(server, isUp: true)
    }

    /// Notes a timeout or an error: the server is left alone for a second, twice that after each further
    /// failure, half a minute at most.
    mutating func failed(_ server: Int, now: Moment) {
        // Everything that was under way when it went down fails too; that is one event, not many.
        guard servers[server].downUntil <= now else { return }
        if servers[server].failures == 0 { board.set(server, isUp: false) }
        servers[server].failures += 1
        let seconds = Int64(1) << Int64(min(servers[server].failures - 1, 5))
        servers[server].downUntil = now.adding(nanoseconds: min(seconds, 30) * 1_000_000_000)
    }

    /// Whether `server` is taken to be up.
    func isUp(_ server: Int, now: Moment) -> Bool { servers[server].downUntil <= now }

    /// The place, among the servers of `route` (indices `range`), to ask next: one that is up and not in `tried`,
    /// in the route's order; else one not tried that is down; nil when all were tried.
    mutating func next(
        _ range: Range<Int>, route: Int, policy: UpstreamRoute.Policy, tried: UInt64, now: Moment
    ) -> Int? {
        let start: Int
        switch policy {
        case .sequential: start = 0
        case .random: start = Int.random(in: 0..<range.count)
        case .roundRobin:
            start = turns[route] % range.count
            if tried == 0 { turns[route] = (start + 1) % range.count }
        }
        var fallback: Int?
        for step in 0..<range.count {
            let place = (start + step) % range.count
            guard tried & (1 << UInt64(place & 63)) == 0 else { continue }
            if isUp(range.lowerBound + place, now: now) { return place }
            if fallback == nil { fallback = place }
        }
        return fallback
    }
}
