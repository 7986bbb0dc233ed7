import FQDNCache
import Logging
import Synchronization

/// What is known of the upstreams, as the worker that looked last has it: for people and metrics only. What changes
/// is logged, of one server at most one line of a kind in half a minute.
final class UpstreamBoard: Sendable {
    /// What is shown of one server.
    struct State: Sendable {
        /// Whether it answers.
        var isUp = true
        /// Whether it returns questions as they were written.
        var keepsCase = true
        /// Whether it knows EDNS.
        var knowsEDNS = true
        /// Its smoothed time in nanoseconds; nil before its first answer.
        var roundTrip: Int64?
        /// What was wrong with its last connection; nil once one worked.
        var problem: String?
        /// When it answered a worker last; nil before its first answer.
        var answeredAt: Moment?
        /// When a worker last took it for down; nil before that.
        var failedAt: Moment?
    }

    /// The kinds of news.
    private enum News: Hashable {
        /// It answers, or no longer.
        case reachability
        /// Case and EDNS.
        case manners
        /// Connections.
        case connection
    }

    /// Everything about one server.
    private struct Entry {
        /// What is shown.
        var state = State()
        /// When each kind of news was logged last.
        var logged: [News: Moment] = [:]
    }

    /// By number of the server.
    private let entries = Mutex<[Int: Entry]>([:])
    /// Where changes are logged.
    private let logger: Logger?

    /// Seconds between two lines of a kind about one server.
    private static let silence: Int64 = 30

    /// Everything is up.
    init(logger: Logger? = nil) {
        self.logger = logger
    }

    /// What is shown of the server with number `server`.
    func state(_ server: Int) -> State { entries.withLock { $0[server]?.state ?? State() } }

    /// Whether `server` is up.
    func isUp(_ server: Int) -> Bool { state(server).isUp }

    /// Notes that `server` went up or down.
    func set(_ server: Int, _ upstream: UpstreamServer?, isUp: Bool) {
        change(server, .reachability) { state in
            guard state.isUp != isUp else { return nil }
            state.isUp = isUp
            if isUp { state.problem = nil }
            return isUp ? "upstream \(text(upstream)) answers again" : "upstream \(text(upstream)) does not answer"
        }
    }

    /// Notes that `server` answered `now`, and how long its answers take, in nanoseconds.
    func answered(_ server: Int, now: Moment, roundTrip: Int64) {
        entries.withLock {
            $0[server, default: Entry()].state.roundTrip = roundTrip
            $0[server, default: Entry()].state.answeredAt = now
        }
    }

    /// Notes that `server` failed `now` and has not answered since it was asked.
    func failed(_ server: Int, now: Moment) {
        entries.withLock { $0[server, default: Entry()].state.failedAt = now }
    }

    /// Notes whether `server` returns the question as it was written.
    func set(_ server: Int, _ upstream: UpstreamServer?, keepsCase: Bool) {
        change(server, .manners) { state in
            guard state.keepsCase != keepsCase else { return nil }
            state.keepsCase = keepsCase
            guard !keepsCase else { return nil }
            return "upstream \(text(upstream)) changes the case of questions, so it is asked in lower case"
        }
    }

    /// Notes whether `server` knows EDNS.
    func set(_ server: Int, _ upstream: UpstreamServer?, knowsEDNS: Bool) {
        change(server, .manners) { state in
            guard state.knowsEDNS != knowsEDNS else { return nil }
            state.knowsEDNS = knowsEDNS
            guard !knowsEDNS else { return nil }
            return "upstream \(text(upstream)) does not know EDNS, so it is asked without"
        }
    }

    /// Notes what is wrong with a connection to `server`.
    func set(_ server: Int, _ upstream: UpstreamServer?, problem: String) {
        change(server, .connection) { state in
            state.problem = problem
            return "upstream \(text(upstream)): \(problem)"
        }
    }

    /// Changes what is shown and logs the line that `body` returns, unless there was one of the kind a moment ago.
    private func change(_ server: Int, _ news: News, _ body: (inout State) -> String?) {
        let line = entries.withLock { entries -> String? in
            guard let line = body(&entries[server, default: Entry()].state) else { return nil }
            let now = SystemClock.now()
            if let last = entries[server]?.logged[news], now < last.adding(seconds: UpstreamBoard.silence) {
                return nil
            }
            entries[server]?.logged[news] = now
            return line
        }
        if let line { logger?.warning("\(line)") }
    }

    /// The server as it is configured.
    private func text(_ upstream: UpstreamServer?) -> String { upstream.map { "\($0)" } ?? "" }
}
