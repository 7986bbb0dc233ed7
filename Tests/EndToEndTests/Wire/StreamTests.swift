import Foundation
import Testing

extension EndToEnd {
    /// DNS over TCP (RFC 7766) as clients see it.
    @Suite struct Streams {
        /// A daemon with a local name, which any client may ask for.
        private static func daemon() throws -> Daemon {
            var setup = Setup()
            setup.zone = Setup.localZone
            return try Daemon(setup)
        }

        /// A query for the local name.
        private static func query(_ id: UInt16) -> [UInt8] {
            var query = WireQuery("api.local.example")
            query.id = id
            return query.bytes
        }

        @Test func `answers leave as they come, not in the order of the questions`() throws {
            let server = try HostileServer.start()
            defer { server.stop() }
            let daemon = try Daemon(Setup(upstream: server.port))
            let client = try StreamClient(port: daemon.port)
            for (id, name) in [(1, "slow"), (2, "fast"), (3, "other")] {
                var query = WireQuery("\(name).test.example")
                query.id = UInt16(id)
                client.send(query.bytes)
            }
            let answers = try (0..<3).map { _ in try #require(client.message().flatMap { WireMessage($0) }) }
            #expect(answers.last?.id == 1 && Set(answers.map(\.id)) == [1, 2, 3])
            #expect(answers.allSatisfy { $0.addresses == [HostileServer.good] })
        }

        @Test func `length and message are one segment`() throws {
            let daemon = try Streams.daemon()
            let client = try StreamClient(port: daemon.port)
            for id: UInt16 in 1...50 {
                client.send(Streams.query(id))
                guard case .bytes(let bytes) = client.receive() else {
                    Issue.record("no answer to \(id)")
                    return
                }
                #expect(bytes.count > 14 && bytes.count == 2 + Int(bytes[0]) << 8 + Int(bytes[1]))
            }
        }

        @Test func `a client that sends nothing more gets its answers, and then the end`() throws {
            let server = try HostileServer.start()
            defer { server.stop() }
            let daemon = try Daemon(Setup(upstream: server.port))
            let client = try StreamClient(port: daemon.port)
            for name in ["slow", "fast"] { client.send(WireQuery("\(name).test.example").bytes) }
            client.finish()
            for _ in 1...2 {
                let answer = try #require(client.message().flatMap { WireMessage($0) })
                #expect(answer.addresses == [HostileServer.good])
            }
            #expect(client.receive() == .end)
        }

        @Test func `half a first message and then silence is closed after five seconds, and nobody else notices`()
            throws
        {
            let daemon = try Streams.daemon()
            let start = ContinuousClock.now
            let message = [UInt8](wide: UInt16(Streams.query(1).count)) + Streams.query(1)
            let stuck = try [0, 1, 2, message.count / 2, message.count - 1].map { count in
                let client = try StreamClient(port: daemon.port)
                client.socket.send(Array(message.prefix(count)))
                return client
            }
            while ContinuousClock.now - start < .milliseconds(3_500) {
                for transport in Daemon.Transport.allCases {
                    let asked = ContinuousClock.now
                    let answer = try daemon.ask(WireQuery("api.local.example"), over: transport)
                    #expect(answer.addresses == [[192, 0, 2, 10]] && ContinuousClock.now - asked < .seconds(1))
                }
                #expect(stuck.allSatisfy { $0.receive(within: .milliseconds(20)) == .silence })
                usleep(300_000)
            }
            for client in stuck { #expect(client.receive(within: .seconds(10)) == .end) }
            let waited = ContinuousClock.now - start
            #expect(waited > .milliseconds(4_500) && waited < .seconds(10), "\(waited)")
        }

        @Test func `a thousand connections at once are all answered, one client has 256`() throws {
            Descriptors.raise(to: 4_096)
            let daemon = try Streams.daemon()
            var clients: [StreamClient] = []
            for number in 0..<1_000 {
                clients.append(try StreamClient(port: daemon.port, source: "127.0.0.\(10 + number / 250)"))
                clients[number].send(Streams.query(1))
            }
            for round: UInt16 in 1...2 {
                if round > 1 { for client in clients { client.send(Streams.query(round)) } }
                for client in clients {
                    let answer = try #require(client.message().flatMap { WireMessage($0) })
                    #expect(answer.id == round && answer.addresses == [[192, 0, 2, 10]])
                }
            }
            // The first of them may have six more.
            for number in 0..<8 {
                let client = try StreamClient(port: daemon.port, source: "127.0.0.10")
                client.send(Streams.query(9))
                if number < 6 {
                    #expect(client.message() != nil, "\(number)")
                    clients.append(client)
                } else {
                    #expect(client.receive() == .end, "\(number)")
                }
            }
            #expect(try daemon.counter("connections_refused") == 2)
            for transport in Daemon.Transport.allCases {
                #expect(try daemon.ask(WireQuery("api.local.example"), over: transport).code == 0)
            }
            // Places are free again when connections end.
            clients.removeAll()
            try eventually("connections are still refused") {
                let client = try StreamClient(port: daemon.port, source: "127.0.0.10")
                client.send(Streams.query(10))
                return client.message() != nil
            }
        }
    }
}
