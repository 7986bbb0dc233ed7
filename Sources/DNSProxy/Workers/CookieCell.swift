import DNSWire
import Synchronization

/// The secrets of server cookies, shared by all workers; each has a copy and looks at `generation` once per turn of its
/// loop.
final class CookieCell: Sendable {
    /// The secrets.
    private let cookies = Mutex(ServerCookies(current: .random()))
    /// Counts rotations.
    private let rotations = Atomic<UInt64>(0)

    /// Time between two rotations. Cookies of the secret before are good for as long as they live, an hour.
    static let rotation = Duration.seconds(86_400)

    /// Secrets that nobody knows.
    init() {}

    /// The number of rotations so far.
    var generation: UInt64 { rotations.load(ordering: .acquiring) }

    /// The secrets in force.
    func load() -> ServerCookies { cookies.withLock { $0 } }

    /// Makes new cookies with another secret from now on.
    func rotate() {
        cookies.withLock { $0.rotate(to: .random()) }
        rotations.add(1, ordering: .releasing)
    }
}
