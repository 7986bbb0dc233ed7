import CLinux
import Glibc

/// Tells the service manager how the daemon does (sd_notify(3)); where there is none, nobody is told.
///
/// The protocol is a datagram to a Unix socket, which its authors ask programs to speak by themselves rather than to load
/// their library for it.
struct ServiceManager: Sendable {
    /// Where it listens; `@` in front stands for the abstract namespace.
    private let path: String?
    /// How long it waits for a sign of life before it ends the daemon; nil when it does not.
    let watchdog: Duration?

    /// The service manager of `process` that the environment tells of.
    init(environment: (String) -> String? = System.environment, process: Int32 = getpid()) {
        path = environment("NOTIFY_SOCKET").flatMap { $0.hasPrefix("/") || $0.hasPrefix("@") ? $0 : nil }
        let isMeant = environment("WATCHDOG_PID").map { Int32($0) == process } ?? true
        let limit = environment("WATCHDOG_USEC").flatMap(Int64.init)
        watchdog = limit.flatMap { isMeant && $0 > 0 ? .microseconds($0) : nil }
    }

    /// What can be said.
    enum State {
        /// The daemon answers.
        case ready
        /// The documents are being read again; `ready` follows.
        case reloading
        /// No more queries are taken.
        case stopping
        /// All workers work.
        case alive
    }

    /// Says `state`. A manager that does not listen misses it: the daemon's work is to answer, not to report.
    func notify(_ state: State) {
        guard let path else { return }
        let text =
            switch state {
            case .ready: "READY=1\nSTATUS=answering"
            case .reloading: "RELOADING=1\nSTATUS=reading documents"
            case .stopping: "STOPPING=1\nSTATUS=stopping"
            case .alive: "WATCHDOG=1"
            }
        let descriptor = socket(AF_UNIX, Int32(SOCK_DGRAM.rawValue | SOCK_CLOEXEC.rawValue), 0)
        guard descriptor >= 0 else { return }
        defer { close(descriptor) }
        let bytes = Array(text.utf8)
        _ = unsafe UnixAddress(path)?.withSockaddr { address, length in
            unsafe bytes.withUnsafeBytes {
                unsafe sendto(descriptor, $0.baseAddress, $0.count, Int32(MSG_NOSIGNAL), address, length)
            }
        }
    }
}
