import Foundation

/// What a service manager does for a daemon: keeps its sockets open over restarts, and listens to what it says.
final class ServiceManager {
    /// The sockets that it keeps open.
    private let sockets: [Socket]
    /// Where it listens.
    private let listener: Socket
    /// The folder of that socket.
    private let workspace: Workspace
    /// How long it waits for a sign of life; nil when it does not.
    private let watchdog: Duration?
    /// All that it was told.
    private var heard: [String] = []

    /// A manager that keeps UDP and TCP open at `endpoints`.
    init(_ endpoints: [Endpoint], watchdog: Duration? = nil) throws {
        workspace = try Workspace()
        self.watchdog = watchdog
        sockets = try endpoints.flatMap { endpoint in
            try [SOCK_DGRAM, SOCK_STREAM].map { type in
                let socket = try endpoint.socket(type)
                guard endpoint.bind(socket), type == SOCK_DGRAM || listen(socket.descriptor, 128) == 0 else {
                    throw HarnessError("cannot listen: \(String(cString: strerror(errno)))")
                }
                return socket
            }
        }
        listener = try Socket(socket(AF_UNIX, Int32(SOCK_DGRAM.rawValue), 0))
        guard try bindUnix(listener, workspace.file("notify")) else { throw HarnessError("cannot listen") }
        listener.setTimeout(.milliseconds(20))
    }

    /// Starts `command` with the sockets, as descriptors from 3 on.
    func start(_ command: [String]) throws -> RunningProcess {
        var environment = ["NOTIFY_SOCKET": workspace.file("notify")]
        if !sockets.isEmpty { environment["LISTEN_FDS"] = "\(sockets.count)" }
        if let watchdog { environment["WATCHDOG_USEC"] = "\(Int(watchdog / .microseconds(1)))" }
        return try RunningProcess(
            ["/bin/sh", "-c", #"LISTEN_PID=$$ exec "$0" "$@""#] + command, environment: environment, sockets: sockets)
    }

    /// All that the daemon has said until now, one line each, without the words for people.
    func messages() -> [String] {
        while let bytes = listener.receive() {
            let lines = String(decoding: bytes, as: UTF8.self).split(separator: "\n")
            heard += lines.filter { !$0.hasPrefix("STATUS=") }.map(String.init)
        }
        return heard
    }
}
