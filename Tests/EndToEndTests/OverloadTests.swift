import Foundation
import Testing

extension EndToEnd {
    /// Clients that ask for too much, and what others notice of it: nothing.
    @Suite struct Overload {
        /// The address that the upstream has for each name.
        private static let address: [UInt8] = [192, 0, 2, 1]

        /// A server that never answers names that begin with `hole`.
        private static func server() throws -> ScriptedServer {
            try ScriptedServer { query in
                query.name.lowercased().hasPrefix("hole") ? [] : [query.response(address: address)]
            }
        }

        /// A daemon of one worker in front of it, with local records, which any client may ask.
        private static func daemon(_ server: ScriptedServer, extra: String = "") throws -> Daemon {
            var setup = Setup(upstream: server.port)
            setup.workers = 1
            setup.zone = Setup.localZone
            setup.extra = extra
            return try Daemon(setup)
        }

        /// Asks for `count` names that are never answered.
        private static func flood(_ client: DNSClient, _ count: Int, _ label: String) {
            for number in 0..<count { client.ask("hole\(number).\(label).test.example", id: UInt16(number)) }
        }

        @Test func `a client with few questions has its share when others have filled an upstream`() throws {
            let server = try Overload.server()
            defer { server.stop() }
            let daemon = try Overload.daemon(server)
            let flooders = try (3...5).map { try daemon.client(source: "127.0.0.\($0)") }
            for (number, flooder) in flooders.enumerated() { Overload.flood(flooder, 1_100, "client\(number)") }
            // Each may have 1,024 waiting, the upstream 2,048; the third one has made the others give some back.
            try eventually("the upstream is not full") { try daemon.counter("shed") > 100 }
            let light = try daemon.client(source: "127.0.0.1")
            for number in 0..<20 {
                let answer = try #require(light.resolve("good\(number).test.example"))
                #expect(answer.code == 0 && answer.answerCount == 1)
            }
            let local = try #require(light.resolve("api.local.example"))
            #expect(local.code == 0 && local.answerCount == 1)
            // Those that made way were told so at once, and why.
            let refused = try #require(flooders[0].answer())
            #expect(refused.code == 2 && refused.bytes.suffix(6) == [0, 15, 0, 2, 0, 14])
            #expect(try daemon.counter("overloaded_client") > 0)
            #expect(try daemon.counter("overloaded_server") >= daemon.counter("shed"))
            #expect(try daemon.counter("upstream_queries") >= 2_048)
        }

        @Test func `a client at its limit is told so with its next question, and keeps those before`() throws {
            let server = try Overload.server()
            defer { server.stop() }
            let daemon = try Overload.daemon(server)
            let client = try daemon.client(source: "127.0.0.3")
            Overload.flood(client, 1_030, "one")
            for _ in 0..<6 {
                let answer = try #require(client.answer())
                #expect(answer.code == 2 && answer.id >= 1_024)
            }
            #expect(try daemon.counter("overloaded_client") == 6 && daemon.counter("shed") == 0)
            #expect(try daemon.client(source: "127.0.0.4").resolve("good.test.example")?.answerCount == 1)
        }

        @Test func `a client that has had its responses gets TC or nothing, asks over TCP, and nobody else notices`()
            throws
        {
            let server = try Overload.server()
            defer { server.stop() }
            let daemon = try Overload.daemon(server, extra: "limits: {responsesPerSecond: 1}")
            let client = try daemon.client(source: "127.0.0.3")
            for number in 1...60 { client.ask("api.local.example", id: UInt16(number)) }
            try eventually("not all queries have come") { try daemon.counter("queries_udp") == 60 }
            let (dropped, truncated) = (
                try daemon.counter("dropped_rate_limited"), try daemon.counter("overloaded_rate")
            )
            // How many a second lets pass depends on how many seconds it took.
            #expect(dropped + truncated >= 30 && abs(dropped - truncated) <= 1, "\(dropped), \(truncated)")
            let answers = try (0..<60 - dropped).map { _ in try #require(client.answer()) }
            #expect(answers.first?.answerCount == 1)
            #expect(answers.count { $0.bytes[2] & 2 != 0 && $0.answerCount == 0 && $0.code == 0 } == truncated)
            #expect(client.answer(within: .milliseconds(100)) == nil)
            for _ in 1...5 {
                let answer = try daemon.ask(WireQuery("api.local.example"), over: .tcp, source: "127.0.0.3")
                #expect(answer.addresses == [[192, 0, 2, 10]])
            }
            #expect(try daemon.client(source: "127.0.0.4").resolve("api.local.example")?.answerCount == 1)
            let flow = try daemon.command("observe", "--verdict", "DROPPED", "--last", "1").output
            #expect(flow.hasSuffix(": the client has had its limits.responsesPerSecond\n"), "\(flow)")
        }

        @Test func `a client that sends as much as it can does not drown another one's queries`() throws {
            let server = try Overload.server()
            defer { server.stop() }
            let daemon = try Overload.daemon(server)
            let flooder = try Flooder(port: daemon.port, source: "127.0.0.3", name: "api.local.example")
            // Also when the test ends early, nothing floods the next one.
            defer { flooder.stop() }
            let client = try daemon.client(source: "127.0.0.4")
            var answered = 0
            for id: UInt16 in 1...150 {
                client.ask("api.local.example", id: id)
                if let answer = client.answer(within: .seconds(1)), answer.id == id { answered += 1 }
            }
            flooder.stop()
            let counters = try #require(try daemon.status()?.counters)
            #expect(answered >= 140, "\(answered) of 150: \(counters)")
        }
    }
}
