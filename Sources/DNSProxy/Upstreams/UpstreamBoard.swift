import Synchronization

/// Which upstreams are up, as the worker that looked last has it; for people and metrics only.
final class UpstreamBoard: Sendable {
    /// By index of the server.
    private let states: Mutex<[Bool]>

    /// Everything is up.
    init(servers: Int) {
        states = Mutex(Array(repeating: true, count: servers))
    }

    /// Notes that `server` went up or down.
    func set(_ server: Int, isUp: Bool) {
        states.withLock { $0[server] = isUp }
    }

    /// Whether `server` is up.
    func isUp(_ server: Int) -> Bool { states.withLock { $0[server] } }
}
