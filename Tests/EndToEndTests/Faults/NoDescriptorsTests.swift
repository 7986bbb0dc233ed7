import Foundation
import Testing

extension EndToEnd {
    /// A process that can open nothing more.
    @Suite struct NoDescriptors {
        /// Where somebody connects who is no DNS client.
        enum Door: String, CaseIterable {
            /// The socket of enforcers.
            case feed
            /// The socket of the admin API.
            case admin
            /// The port of the metrics; that of health is made alike.
            case metrics
            /// The socket of the process that takes over.
            case takeover

            /// Connects to `daemon`, whose metrics are at `port`.
            func connect(_ daemon: Daemon, metrics port: Int) throws -> Socket {
                let socket: Socket?
                switch self {
                case .feed: socket = try connectUnix(daemon.feedSocket)
                case .admin: socket = try connectUnix(daemon.adminSocket)
                case .takeover: socket = try connectUnix(daemon.adminSocket + ".takeover", type: SOCK_SEQPACKET)
                case .metrics:
                    let endpoint = Endpoint("127.0.0.1", port)
                    let stream = try endpoint.socket(SOCK_STREAM)
                    socket = endpoint.connect(stream) ? stream : nil
                }
                guard let socket else { throw HarnessError("nobody listens: \(daemon.process.errors)") }
                socket.setTimeout(.seconds(20))
                return socket
            }

            /// What who connects says first.
            var greeting: String {
                switch self {
                case .feed: ""
                case .admin: "GET /v1/status HTTP/1.1\r\nHost: localhost\r\n\r\n"
                case .metrics: "GET /metrics HTTP/1.1\r\nHost: localhost\r\n\r\n"
                case .takeover: "hello 1"
                }
            }

            /// How what comes back begins.
            var reply: String {
                switch self {
                case .feed: #"{"event":"hello""#
                case .admin, .metrics: "HTTP/1.1 200"
                case .takeover: "sockets"
                }
            }

            /// What the log says of it, once; nil for nothing.
            var complaint: String? {
                switch self {
                case .feed: "no enforcer can connect"
                case .admin: "nobody can connect: no descriptors or no memory left to=\"admin socket"
                case .metrics: "nobody can connect: no descriptors or no memory left to=\"metrics"
                case .takeover: nil
                }
            }
        }

        /// A daemon without descriptors, at one of whose doors somebody waits.
        private static func daemon(_ door: Door) throws -> (daemon: Daemon, waiting: Socket) {
            var setup = Setup()
            setup.zone = Setup.localZone
            let port = try Ports.free()
            setup.metricsPort = port
            let daemon = try Daemon(setup)
            try eventually("no metrics") { (try? Metrics(port: port)) != nil }
            try daemon.limitDescriptors(to: 3)
            // A thread that waits for a connection has taken a number for it already; the second one waits for certain.
            _ = try door.connect(daemon, metrics: port)
            return (daemon, try door.connect(daemon, metrics: port))
        }

        @Test(arguments: Door.allCases)
        func `who waits where there are no descriptors costs nothing, and is served when there are some`(
            _ door: Door
        ) throws {
            let (daemon, waiting) = try Self.daemon(door)
            // A loop that tries all the time takes all of a core.
            let ticks = try daemon.processorTicks()
            usleep(1_000_000)
            let used = try daemon.processorTicks() - ticks
            #expect(used < 15, "\(used) ticks in a second")
            #expect(try daemon.dig("api.local.example").addresses == ["192.0.2.10"])
            #expect(daemon.process.poll() == nil, "\(daemon.process.errors)")
            try daemon.limitDescriptors(to: nil)
            waiting.send(Array(door.greeting.utf8))
            let reply = try #require(waiting.receive(), "\(daemon.process.errors)")
            #expect(String(decoding: reply, as: UTF8.self).hasPrefix(door.reply))
            if let complaint = door.complaint {
                let count = daemon.process.errors.components(separatedBy: complaint).count - 1
                #expect(count == 1, "\(daemon.process.errors)")
            }
        }

        @Test(arguments: Door.allCases)
        func `who waits where there are no descriptors does not keep the daemon from ending`(_ door: Door) throws {
            let (daemon, waiting) = try Self.daemon(door)
            #expect(try daemon.stop() == 0, "\(daemon.process.errors)")
            #expect(waiting.receive() == nil)
        }
    }
}
