import DNSWire
import FQDNCache

/// What one worker knows of the servers from its own traffic, and which of them it asks next.
///
/// A server that failed is asked again with a real question, beside a server that is up, so that nobody waits for it:
/// a second after the failure, then twice as long after each further one, half a minute at most.
struct UpstreamHealth: ~Copyable {
    /// One server.
    private struct Server {
        /// Failures since the last answer; up while there are none.
        var failures = 0
        /// When it is asked again, while it is down.
        var retryAt = Moment(nanoseconds: 0)
        /// Whether it is down and being asked again.
        var isProbed = false
        /// When it answered last.
        var answeredAt = Moment(nanoseconds: 0)
        /// How long it takes.
        var roundTrip = RoundTrip()
        /// Attempts in flight.
        var inFlight = 0
        /// Those of them whose answer is later than usual.
        var late = 0
        /// Answers with the question in another case since one that kept it.
        var caseChanges = 0
        /// Until when it is asked in lower case.
        var ignoresCaseUntil = Moment(nanoseconds: 0)
        /// Until when it is asked without EDNS.
        var plainUntil = Moment(nanoseconds: 0)
    }

    /// By number of the server.
    private var servers: [Server] = []
    /// What each server is configured as.
    private var upstreams: [UpstreamServer] = []
    /// Of each route, whose turn it is.
    private var turns: [Int] = []
    /// Where everybody else sees it.
    private let board: UpstreamBoard

    /// Answers in another case, without one that kept it, after which a server is asked in lower case.
    private static let caseChangesUntilException = 2

    /// Everything is up, and changes are shown on `board`.
    init(board: UpstreamBoard) {
        self.board = board
    }

    /// Knows the servers of `routes`; what is known of those before is kept.
    mutating func adopt(_ routes: RouteTable) {
        upstreams = routes.servers
        while servers.count < routes.servers.count { servers.append(Server()) }
        turns = Array(repeating: 0, count: routes.routes.count)
    }

    /// Whether `server` is taken to be up.
    func isUp(_ server: Int) -> Bool { servers[server].failures == 0 }

    /// Whether `server` is down and should be asked again.
    func isDue(_ server: Int, now: Moment) -> Bool {
        servers[server].failures > 0 && servers[server].retryAt <= now
    }

    /// Whether another question may be sent to `server`.
    func hasRoom(_ server: Int) -> Bool { servers[server].inFlight < UpstreamTiming.inFlightPerServer }

    /// Nanoseconds after which an answer of `server` is later than usual.
    func patience(_ server: Int) -> Int64 { servers[server].roundTrip.patience }

    /// Notes that a question leaves for `server`. One that is down is not due again before its next failure.
    mutating func began(_ server: Int, now: Moment) {
        servers[server].inFlight += 1
        guard isDue(server, now: now) else { return }
        servers[server].isProbed = true
        servers[server].retryAt = backoff(server, now: now)
    }

    /// Notes that the answer to a question is later than usual: until it is there, others are asked first.
    mutating func isLate(_ server: Int) { servers[server].late += 1 }

    /// Notes that a question to `server` is no longer waited for.
    mutating func ended(_ server: Int, wasLate: Bool = false) {
        servers[server].inFlight -= 1
        if wasLate { servers[server].late -= 1 }
    }

    /// Notes an answer of `server` to a question of `elapsed` nanoseconds ago.
    mutating func succeeded(_ server: Int, now: Moment, elapsed: Int64) {
        servers[server].answeredAt = now
        servers[server].roundTrip.add(elapsed)
        board.answered(server, now: now, roundTrip: servers[server].roundTrip.smoothed)
        guard servers[server].failures > 0 else { return }
        servers[server].failures = 0
        servers[server].isProbed = false
        board.set(server, upstreams[server], isUp: true)
    }

    /// Notes that a question sent at `started` to `server` got no answer. If it has answered another one meanwhile,
    /// it is the question that is hard, not the server that is down.
    mutating func failed(_ server: Int, started: Moment, now: Moment) {
        guard servers[server].answeredAt < started else { return }
        // Everything that was under way when it went down fails too; that is one event, not many.
        guard isUp(server) || servers[server].isProbed || isDue(server, now: now) else { return }
        board.failed(server, now: now)
        if isUp(server) { board.set(server, upstreams[server], isUp: false) }
        servers[server].isProbed = false
        servers[server].failures += 1
        servers[server].retryAt = backoff(server, now: now)
    }

    /// When a server with that many failures is asked again.
    private func backoff(_ server: Int, now: Moment) -> Moment {
        now.adding(seconds: min(1 << Int64(min(max(servers[server].failures, 1) - 1, 5)), 30))
    }

    /// The place, among the servers with numbers `places` of `route`, to ask next: one that is up, has no late answer and
    /// is not in `tried`, in the route's order; else one that is up; else, unless `onlyUp`, one that is down; nil when
    /// there is none with room.
    mutating func next(
        _ places: [Int], route: Int, policy: UpstreamRoute.Policy, tried: UInt64, onlyUp: Bool = false
    ) -> Int? {
        guard !places.isEmpty else { return nil }
        let start: Int
        switch policy {
        case .sequential: start = 0
        case .random: start = Int.random(in: 0..<places.count)
        case .roundRobin:
            start = turns[route] % places.count
            if tried == 0 { turns[route] = (start + 1) % places.count }
        }
        var late: Int?
        var fallback: Int?
        for step in 0..<places.count {
            let place = (start + step) % places.count
            guard tried & (1 << UInt64(place & 63)) == 0, hasRoom(places[place]) else { continue }
            if !isUp(places[place]) {
                if fallback == nil { fallback = place }
            } else if servers[places[place]].late == 0 {
                return place
            } else if late == nil {
                late = place
            }
        }
        return late ?? (onlyUp ? nil : fallback)
    }
}

/// What servers cannot do.
extension UpstreamHealth {
    /// Whether `server` returns questions in the case in which they were written, as far as is known.
    func keepsCase(_ server: Int, now: Moment) -> Bool { servers[server].ignoresCaseUntil <= now }

    /// Notes an answer of `server` to a question of random case: with the question as it was written, or in another case.
    mutating func echoed(_ server: Int, exactly: Bool, now: Moment) {
        guard !exactly else {
            servers[server].caseChanges = 0
            guard servers[server].ignoresCaseUntil.nanoseconds > 0 else { return }
            servers[server].ignoresCaseUntil = Moment(nanoseconds: 0)
            board.set(server, upstreams[server], keepsCase: true)
            return
        }
        servers[server].caseChanges += 1
        guard servers[server].caseChanges >= UpstreamHealth.caseChangesUntilException else { return }
        servers[server].caseChanges = 0
        servers[server].ignoresCaseUntil = now.adding(seconds: UpstreamTiming.exceptionLifetime)
        board.set(server, upstreams[server], keepsCase: false)
    }

    /// Whether `server` knows EDNS, as far as is known.
    func knowsEDNS(_ server: Int, now: Moment) -> Bool { servers[server].plainUntil <= now }

    /// Notes that `server` answers without EDNS what it refuses with EDNS.
    mutating func refusedEDNS(_ server: Int, now: Moment) {
        servers[server].plainUntil = now.adding(seconds: UpstreamTiming.exceptionLifetime)
        board.set(server, upstreams[server], knowsEDNS: false)
    }

    /// Notes an answer of `server` to a question with EDNS.
    mutating func acceptedEDNS(_ server: Int) {
        guard servers[server].plainUntil.nanoseconds > 0 else { return }
        servers[server].plainUntil = Moment(nanoseconds: 0)
        board.set(server, upstreams[server], knowsEDNS: true)
    }
}
