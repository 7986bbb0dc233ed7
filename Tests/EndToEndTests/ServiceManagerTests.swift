import Foundation
import Testing

extension EndToEnd {
    /// A daemon under a service manager that keeps its sockets and waits for its word.
    @Suite struct UnderServiceManager {
        /// An upstream with a hundred names.
        private static func upstream() throws -> NSD {
            try NSD(zone: (0..<100).map { "host\($0) IN A 192.0.2.\($0)" }.joined(separator: "\n"))
        }

        /// What such a daemon is set up with; its port is the one that `manager` keeps open.
        private static func setup(upstream: Int, port: Int, workers: Int = 2) -> Setup {
            var setup = Setup(upstream: upstream)
            setup.port = port
            setup.workers = workers
            setup.policies = ["web.yaml": Setup.policy("web")]
            return setup
        }

        @Test(arguments: [1, 2]) func `queries that come while nothing runs are answered by the next daemon`(
            workers: Int
        ) throws {
            let nsd = try Self.upstream()
            let port = try Ports.free()
            let manager = try ServiceManager([Endpoint("127.0.0.1", port)])
            let daemon = try Daemon(Self.setup(upstream: nsd.port, port: port, workers: workers), under: manager)
            #expect(try daemon.dig("host1.test.example").addresses == ["192.0.2.1"])
            #expect(try daemon.dig("+tcp host2.test.example").addresses == ["192.0.2.2"])
            for round in 3...5 {
                #expect(try daemon.stop() == 0)
                let client = try daemon.client()
                client.ask("host\(round).test.example")
                let stream = try Endpoint("127.0.0.1", port).socket(SOCK_STREAM)
                #expect(Endpoint("127.0.0.1", port).connect(stream))
                try daemon.restart()
                #expect(client.answer()?.answerCount == 1, "the query was lost")
                stream.send([0, 12] + [UInt8](repeating: 0, count: 12))
                stream.setTimeout(.seconds(10))
                #expect(stream.receive() != nil, "the connection was lost")
            }
        }

        @Test func `not one of 1,000 queries a second is lost over three restarts`() throws {
            let nsd = try Self.upstream()
            let port = try Ports.free()
            let manager = try ServiceManager([Endpoint("127.0.0.1", port)])
            let daemon = try Daemon(Self.setup(upstream: nsd.port, port: port), under: manager)
            let load = try DNSPerf(
                (0..<100).map { "host\($0).test.example A" }, port: port, seconds: 6, rate: 1_000)
            for _ in 0..<3 {
                try eventually("there is no load") { try daemon.counter("queries_udp") > 300 }
                #expect(try daemon.stop() == 0)
                try daemon.restart()
            }
            #expect(try load.sent() > 1_000)
        }

        @Test func `it hears when the daemon answers, reads documents again, lives and stops`() throws {
            let nsd = try Self.upstream()
            let port = try Ports.free()
            let manager = try ServiceManager([Endpoint("127.0.0.1", port)], watchdog: .milliseconds(400))
            let daemon = try Daemon(Self.setup(upstream: nsd.port, port: port), under: manager)
            #expect(manager.messages().first == "READY=1")
            daemon.process.signal(SIGHUP)
            try eventually("nobody is told of the reload") {
                let messages = manager.messages().filter { $0 != "WATCHDOG=1" }
                return messages == ["READY=1", "RELOADING=1", "READY=1"]
            }
            let before = manager.messages().count
            try eventually("there are no signs of life") { manager.messages().count >= before + 3 }
            #expect(try daemon.stop() == 0)
            #expect(manager.messages().last == "STOPPING=1")
        }

        @Test func `a socket that listen does not name is one clear line`() throws {
            let port = try Ports.free()
            let manager = try ServiceManager([Endpoint("127.0.0.1", port), Endpoint("127.0.0.2", port)])
            let workspace = try Workspace()
            let file = try Setup().write(to: workspace, port: port)
            let process = try manager.start([Daemon.program, "serve", "-c", file])
            #expect(try process.wait() == 1)
            let complaints = process.errors.split(separator: "\n").filter { $0.hasPrefix("dnsproxyd: ") }
            #expect(complaints.count == 1, "\(process.errors)")
            #expect(process.errors.contains("TCP 127.0.0.2:\(port)"), "\(process.errors)")
        }
    }
}
