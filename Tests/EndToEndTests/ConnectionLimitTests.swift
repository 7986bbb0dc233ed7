import Foundation
import Testing

extension EndToEnd {
    /// Connections that cost more than they should: slow clients, too many, and no descriptors for them.
    @Suite struct ConnectionLimits {
        /// A daemon with local records and a port for its metrics.
        private static func daemon(_ limits: String, zone: String = Setup.localZone, upstream: Int = 9) throws -> (
            Daemon, metrics: Int
        ) {
            var setup = Setup(upstream: upstream)
            setup.zone = zone
            setup.workers = 1
            setup.extra = "limits: {\(limits)}"
            let port = try Ports.free()
            setup.metricsPort = port
            let daemon = try Daemon(setup)
            try eventually("no metrics") { (try? Metrics(port: port)) != nil }
            return (daemon, port)
        }

        /// How many connections were closed because their clients were too slow, by what they did.
        private static func closed(_ port: Int, _ reason: String) throws -> Double {
            try Metrics(port: port).values["connections_closed_total{reason=\"\(reason)\"}"] ?? -1
        }

        @Test func `a message that trickles in does not keep its connection, one query after the other does`() throws {
            let (daemon, port) = try ConnectionLimits.daemon("idleTimeout: 2s")
            let trickle = try StreamClient(port: daemon.port)
            trickle.socket.send([UInt8](wide: 4_000))
            let asking = try StreamClient(port: daemon.port)
            let start = ContinuousClock.now
            var rounds = 0
            while trickle.receive(within: .milliseconds(50)) == .silence {
                trickle.socket.send([0])
                asking.send(WireQuery("api.local.example").bytes)
                try #require(asking.message() != nil)
                rounds += 1
                try #require(ContinuousClock.now - start < .seconds(60), "it stays open")
            }
            // A byte never came later than the timeout after the one before.
            #expect(rounds > 5)
            asking.send(WireQuery("api.local.example").bytes)
            #expect(asking.message() != nil)
            #expect(try ConnectionLimits.closed(port, "slow_writer") == 1)
            #expect(try ConnectionLimits.closed(port, "slow_reader") == 0)
        }

        @Test func `who connects and asks nothing is closed sooner than who has asked`() throws {
            let (daemon, port) = try ConnectionLimits.daemon("idleTimeout: 1h, firstQueryTimeout: 1s")
            let asking = try StreamClient(port: daemon.port)
            asking.send(WireQuery("api.local.example").bytes)
            try #require(asking.message() != nil)
            let silent = try StreamClient(port: daemon.port)
            let trickling = try StreamClient(port: daemon.port)
            trickling.socket.send([0])
            #expect(silent.receive(within: .seconds(60)) == .end)
            #expect(trickling.receive(within: .seconds(60)) == .end)
            asking.send(WireQuery("api.local.example").bytes)
            #expect(asking.message() != nil)
            #expect(try ConnectionLimits.closed(port, "slow_writer") == 1)
        }

        @Test func `a client that does not take its answers is cut off before they fill the memory`() throws {
            let addresses = (1...150).map { "many IN A 192.0.2.\($0)\n" }.joined()
            let (daemon, port) = try ConnectionLimits.daemon("idleTimeout: 1m", zone: Setup.localZone + addresses)
            let client = try StreamClient(port: daemon.port)
            client.socket.set(SO_RCVBUF, of: SOL_SOCKET, to: 4_096)
            client.socket.set(SO_SNDTIMEO, of: SOL_SOCKET, to: 0)
            let query = WireQuery("many.local.example").bytes
            let queries = (0..<200).flatMap { _ in [UInt8](wide: UInt16(query.count)) + query }
            // Some 2.4 KB of answer each, 100 MB if all were kept.
            var sent = 0
            while sent < 200, client.socket.send(queries) { sent += 1 }
            try eventually("it is not cut off") { try ConnectionLimits.closed(port, "slow_reader") == 1 }
            #expect(try daemon.ask(WireQuery("api.local.example"), over: .tcp).code == 0)
            #expect(try Metrics(port: port).values["connections"] == 0)
        }

        @Test func `the limits are the configured ones, and clients that may not ask have few in all`() throws {
            let (daemon, port) = try ConnectionLimits.daemon("connections: 70, connectionsPerClient: 3")
            /// Whether `count` connections from `source` are there to stay.
            func open(_ source: String, _ count: Int, _ clients: inout [StreamClient]) throws -> Int {
                var open = 0
                for _ in 0..<count {
                    let client = try StreamClient(port: daemon.port, source: source)
                    client.send(WireQuery("api.local.example").bytes)
                    if client.message() != nil {
                        open += 1
                        clients.append(client)
                    }
                }
                return open
            }
            var clients: [StreamClient] = []
            #expect(try open("127.0.0.3", 5, &clients) == 3)
            #expect(try open("127.0.0.4", 3, &clients) == 3)
            for number in 10..<31 { _ = try open("127.0.0.\(number)", 3, &clients) }
            #expect(clients.count == 69)
            #expect(try open("127.0.0.40", 3, &clients) == 1)
            #expect(try Metrics(port: port).values["connections_refused_total"] == 4)
        }

        @Test func `without descriptors datagrams are answered, upstreams asked, and connections wait`() throws {
            let server = try ScriptedServer { [$0.response(address: [192, 0, 2, 1])] }
            defer { server.stop() }
            let (daemon, port) = try ConnectionLimits.daemon("connections: 4096", upstream: server.port)
            let client = try daemon.client()
            #expect(client.resolve("api.local.example")?.code == 0)
            let folder = "/proc/\(daemon.process.pid)/fd"
            let descriptors = { try FileManager.default.contentsOfDirectory(atPath: folder).count }
            let limit = try descriptors() + 12
            try daemon.limitDescriptors(to: limit)
            var clients = try (0..<30).map { _ in try StreamClient(port: daemon.port) }
            // A thread that waits for a connection has taken a number for it already, which is not there to be seen.
            try eventually("there are descriptors left") { try descriptors() >= limit - 1 }
            // No socket towards the upstream was open before.
            for number in 1...40 {
                let answer = try #require(client.resolve("host\(number).test.example"), "host\(number)")
                #expect(answer.code == 0 && answer.answerCount == 1)
                #expect(client.resolve("api.local.example")?.answerCount == 1)
            }
            // Nobody tries all the time: a loop that does takes all of a core.
            let ticks = try daemon.processorTicks()
            usleep(1_000_000)
            let used = try daemon.processorTicks() - ticks
            #expect(used < 50, "\(used) ticks in a second")
            // Connections that had to wait are taken when others have gone, without another limit.
            clients.removeFirst(20)
            let late = clients[9]
            late.send(WireQuery("api.local.example").bytes)
            #expect(late.message() != nil)
            clients.removeAll()
            try daemon.limitDescriptors(to: nil)
            try eventually("nothing is counted") { try Metrics(port: port).values["accept_failures_total"] ?? 0 > 0 }
        }

        @Test(.enabled(if: NetworkNamespace.isAvailable, "needs root, to create a network namespace"))
        func `an upstream that is a wildcard listener of the daemon itself is an error at start`() throws {
            let namespace = try NetworkNamespace()
            let workspace = try Workspace()
            let port = try Ports.free()
            var setup = Setup()
            setup.listen = ["0.0.0.0"]
            setup.upstreams = [#"{servers: ["\#(namespace.hostAddress):\#(port)"]}"#]
            let file = try setup.write(to: workspace, port: port)
            let result = try run([Daemon.program, "serve", "-c", file], within: .seconds(60))
            #expect(result.status == 1)
            #expect(
                result.errors.contains("\(namespace.hostAddress):\(port) is where this daemon listens"),
                "\(result.errors)")
        }
    }
}
