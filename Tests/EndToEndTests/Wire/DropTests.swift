import Foundation
import Testing

extension EndToEnd {
    /// Whatever is dropped, rejected or refused is counted under its reason, and under no other.
    @Suite struct Drops {
        /// One packet that is not answered as a query.
        struct Packet: Sendable, CustomTestStringConvertible {
            /// What it is.
            let testDescription: String
            /// How it comes.
            var transport = Daemon.Transport.udp
            /// Where it comes from.
            var source = "127.0.0.1"
            /// The message.
            let bytes: [UInt8]
            /// The metric that counts it.
            let metric: String
            /// Why it is dropped, as people are told; nil for what is answered.
            var reason: String?
        }

        /// Families that count what goes wrong with queries.
        private static let families = [
            "queries_dropped_total", "queries_rejected_total", "queries_overloaded_total", "connections_refused_total",
            "replies_unsent_total",
            "verdicts_total{verdict=\"denied\"}", "verdicts_total{verdict=\"prohibited\"}",
        ]

        /// A good query.
        private static let good = WireQuery.plain("api.local.example")

        /// A good query with something done to it.
        private static func changed(_ change: (inout WireQuery) -> Void) -> [UInt8] {
            var query = good
            change(&query)
            return query.bytes
        }

        /// The metric of a query that is dropped.
        private static func dropped(_ reason: String) -> String { "queries_dropped_total{reason=\"\(reason)\"}" }

        /// The metric of a query that is answered with an error because of what it is.
        private static func rejected(_ reason: String) -> String { "queries_rejected_total{reason=\"\(reason)\"}" }

        /// What comes over either transport, and the reason that people are told if it is dropped.
        private static func both(
            _ description: String, _ bytes: [UInt8], _ metric: String, _ reason: String? = nil
        ) -> [Packet] {
            Daemon.Transport.allCases.map {
                Packet(
                    testDescription: "\(description), \($0)", transport: $0, bytes: bytes, metric: metric,
                    reason: reason)
            }
        }

        /// What comes over either transport, from `source`.
        private static func both(
            from source: String, _ description: String, _ bytes: [UInt8], _ metric: String, _ reason: String? = nil
        ) -> [Packet] {
            both(description, bytes, metric, reason).map {
                var packet = $0
                packet.source = source
                return packet
            }
        }

        /// What people are told of less than a header.
        private static let tooShort = "it is shorter than the header of a message"

        /// Packets that nobody gets an answer to.
        private static let silent: [Packet] = [
            both("a response", changed { $0.flags = 0x8180 }, dropped("not_query"), "it is a response, not a query"),
            both("less than a header", Array(good.bytes.prefix(11)), dropped("not_query"), tooShort),
            both("a single byte", [0], dropped("not_query"), tooShort),
            both(
                "more than 4,096 bytes", good.bytes + Array(repeating: 0, count: 4_096), dropped("oversized"),
                "it is longer than 4096 bytes"),
            both(
                from: "127.0.0.66", "a network that may not ask", good.bytes, dropped("not_allowed"),
                "the client's network is not in allowQueriesFrom"),
        ].flatMap { $0 }

        /// Packets that get an error.
        private static let answered: [Packet] = [
            both("an opcode", changed { $0.flags = 0x2000 }, rejected("opcode")),
            both("two questions", changed { $0.questions = 2 }, rejected("malformed")),
            both("no question", changed { $0.questions = 0 }, rejected("malformed")),
            both("a cut name", Array(good.bytes.prefix(20)), rejected("malformed")),
            both("bytes behind the end", good.bytes + [0], rejected("malformed")),
            both("two OPT records", changed { $0.opts = [.init(), .init()] }, rejected("malformed")),
            both("a cut option", changed { $0.opts = [.init(options: [0, 3, 0])] }, rejected("malformed")),
            both("type 0", changed { $0.type = 0 }, rejected("malformed")),
            both("an EDNS version", changed { $0.opts = [.init(version: 1)] }, rejected("edns_version")),
            both("a class", changed { $0.recordClass = 3 }, rejected("unsupported")),
            both("a zone transfer", changed { $0.type = 252 }, rejected("unsupported")),
            both("a denied name", changed { $0.name = "ledger.local.example" }, "verdicts_total{verdict=\"denied\"}"),
            both(from: "127.0.0.55", "a client nobody knows", good.bytes, "verdicts_total{verdict=\"prohibited\"}"),
        ].flatMap { $0 }

        /// What the metrics call the codes of those, all twelve bits of them.
        private static let codes = [1: "FORMERR", 4: "NOTIMP", 5: "REFUSED", 16: "BADVERS"]

        /// A daemon with a policy that takes queries from some addresses only, and the port of its metrics.
        private static func daemon(upstream: Int = 9, listen: String = "127.0.0.1", from networks: String? = nil)
            throws -> (Daemon, metrics: Int)
        {
            var setup = Setup(upstream: upstream)
            setup.listen = [listen]
            setup.zone = Setup.localZone
            setup.policies = ["web.yaml": Setup.policy("web", dns: ["api.local.example", "slow.test.example"])]
            let port = try Ports.free()
            setup.metricsPort = port
            setup.extra = "allowQueriesFrom: [\(networks ?? "127.0.0.1/32, 127.0.0.55/32")]"
            // Other clients are nobody's, and may ask for as long as there is no policy.
            if networks != nil { setup.policies = [:] }
            let daemon = try Daemon(setup)
            try eventually("no metrics") { (try? Metrics(port: port)) != nil }
            return (daemon, port)
        }

        /// What the families have grown by since `before`, when that is anything.
        private static func growth(_ port: Int, since before: Metrics) throws -> [String: Double] {
            var growth: [String: Double] = [:]
            try eventually("nothing is counted") {
                growth = try Metrics(port: port).growth(since: before)
                    .filter { entry in families.contains { entry.key.hasPrefix($0) } }
                return !growth.isEmpty
            }
            return growth
        }

        @Test func `each packet that gets no answer is counted under its reason only`() throws {
            let (daemon, port) = try Drops.daemon()
            for packet in Drops.silent {
                let before = try Metrics(port: port)
                let answer = try daemon.exchange(
                    packet.bytes, over: packet.transport, source: packet.source, within: .milliseconds(100))
                #expect(answer == nil, "\(packet.testDescription)")
                #expect(try Drops.growth(port, since: before) == [packet.metric: 1], "\(packet.testDescription)")
            }
        }

        @Test func `each packet that gets no answer is a flow with the true reason`() throws {
            let (daemon, port) = try Drops.daemon()
            for (index, packet) in Drops.silent.enumerated() {
                _ = try daemon.exchange(
                    packet.bytes, over: packet.transport, source: packet.source, within: .milliseconds(100))
                try eventually("\(packet.testDescription) is not noted") {
                    try Metrics(port: port).values["flows_noted_total"] == Double(index + 1)
                }
                let line = try daemon.command("observe", "--last", "1").output
                let transport = packet.transport == .tcp ? " over TCP" : ""
                let reason = try #require(packet.reason)
                #expect(
                    line.contains("(\(packet.source)) -> ") && line.contains(" DROPPED dropped\(transport), ")
                        && line.hasSuffix(": \(reason)\n"), "\(packet.testDescription): \(line)")
            }
        }

        @Test func `each packet that gets an error is counted under its reason only, and by its code`() throws {
            let (daemon, port) = try Drops.daemon()
            for packet in Drops.answered {
                let before = try Metrics(port: port)
                let answer = try #require(
                    try daemon.exchange(packet.bytes, over: packet.transport, source: packet.source))
                #expect(answer.code != 0 && answer.answers.isEmpty, "\(packet.testDescription)")
                #expect(try Drops.growth(port, since: before) == [packet.metric: 1], "\(packet.testDescription)")
                let responses = try Metrics(port: port).growth(since: before).filter { $0.key.hasPrefix("responses") }
                let code = try #require(Drops.codes[answer.code], "\(packet.testDescription)")
                #expect(responses == ["responses_total{rcode=\"\(code)\"}": 1], "\(packet.testDescription)")
            }
            // A good one counts nowhere among them.
            let before = try Metrics(port: port)
            #expect(try daemon.ask(Drops.good).addresses == [[192, 0, 2, 10]])
            try eventually("the query is not counted") {
                try Metrics(port: port).growth(since: before)["queries_total{transport=\"udp\"}"] == 1
            }
            let growth = try Metrics(port: port).growth(since: before)
            #expect(!growth.keys.contains { key in Drops.families.contains { key.hasPrefix($0) } }, "\(growth)")
        }

        @Test func `a connection too many is counted`() throws {
            let (daemon, port) = try Drops.daemon()
            let before = try Metrics(port: port)
            var clients: [StreamClient] = []
            for _ in 1...256 { clients.append(try StreamClient(port: daemon.port)) }
            for client in clients {
                client.send(Drops.good.bytes)
                #expect(client.message() != nil)
            }
            #expect(try StreamClient(port: daemon.port).receive() == .end)
            #expect(try Drops.growth(port, since: before) == ["connections_refused_total": 1])
        }

        @Test func `queries of a connection on which too many wait already are counted, and it is closed`() throws {
            let (daemon, port) = try Drops.daemon()
            let before = try Metrics(port: port)
            let client = try StreamClient(port: daemon.port)
            // As small as a query can be, so that one read brings very many.
            let header = [0, 12] + Array(Drops.good.bytes.prefix(12))
            let flood = (0..<4_681).flatMap { _ in header }
            var isOpen = true
            for _ in 0..<100 where isOpen { isOpen = client.socket.send(flood) }
            #expect(!isOpen)
            try eventually("nothing is counted") {
                try Metrics(port: port).growth(since: before)[Drops.dropped("overloaded")] ?? 0 > 0
            }
            #expect(try daemon.ask(Drops.good).code == 0)
            let flow = try daemon.command("observe", "--verdict", "DROPPED", "--last", "1").output
            #expect(flow.hasSuffix(": too much was waiting already\n"), "\(flow)")
        }

        @Test(.enabled(if: geteuid() == 0, "needs root, for a datagram from port 0"))
        func `a datagram from port 0, to which nothing can be sent, is counted`() throws {
            let (daemon, port) = try Drops.daemon()
            let before = try Metrics(port: port)
            let raw = try Socket(socket(AF_INET, Int32(SOCK_RAW.rawValue), Int32(IPPROTO_UDP)))
            #expect(Endpoint("127.0.0.1", 0).connect(raw))
            // Ports, length, and no checksum.
            raw.send(
                [0, 0] + [UInt8](wide: UInt16(daemon.port)) + [UInt8](wide: UInt16(8 + Drops.good.bytes.count)) + [
                    0, 0,
                ]
                    + Drops.good.bytes)
            #expect(try Drops.growth(port, since: before) == [Drops.dropped("not_allowed"): 1])
            let flow = try daemon.command("observe").output
            #expect(flow.hasSuffix(": its source port is 0, to which nothing can be sent\n"), "\(flow)")
        }

        @Test(.enabled(if: geteuid() == 0, "needs root, for datagrams from addresses of others"))
        func
            `datagrams from addresses that no host has, or from the daemon itself, are counted under reasons of their own`()
            throws
        {
            for listen in ["127.0.0.1", "0.0.0.0"] {
                let (daemon, port) = try Drops.daemon(listen: listen, from: "0.0.0.0/0")
                let cases: [(source: [UInt8], port: Int, metric: String, reason: String)] = [
                    (
                        [224, 0, 0, 251], 5_353, "no_host",
                        "its source is a broadcast, multicast or unspecified address"
                    ),
                    (
                        [255, 255, 255, 255], 5_000, "no_host",
                        "its source is a broadcast, multicast or unspecified address"
                    ),
                    (
                        [127, 0, 0, 1], daemon.port, "own_listener",
                        "its source is where this daemon listens: a loop"
                    ),
                ]
                for (source, sourcePort, metric, reason) in cases {
                    let before = try Metrics(port: port)
                    try Drops.forge(from: source, sourcePort, to: daemon.port)
                    #expect(
                        try Drops.growth(port, since: before) == [Drops.dropped(metric): 1], "\(source) to \(listen)")
                    try eventually("the flow of \(source) is not there") {
                        try daemon.command("observe", "--last", "1").output.hasSuffix(": \(reason)\n")
                    }
                }
                // Another client with the same port is none of that.
                let client = try DNSClient(port: daemon.port, source: "127.0.0.55")
                #expect(client.resolve("api.local.example")?.code == 0)
            }
        }

        /// Sends a good query to `port` on 127.0.0.1 in the name of somebody else.
        private static func forge(from source: [UInt8], _ sourcePort: Int, to port: Int) throws {
            let raw = try Socket(socket(AF_INET, Int32(SOCK_RAW.rawValue), Int32(IPPROTO_RAW)))
            #expect(Endpoint("127.0.0.1", 0).connect(raw))
            let length = 8 + good.bytes.count
            // No options, no fragments, 64 hops, UDP; the kernel writes the checksum, and the datagram has none.
            let header: [UInt8] = [0x45, 0] + [UInt8](wide: UInt16(20 + length)) + [0, 0, 0, 0, 64, 17, 0, 0]
            let datagram =
                [UInt8](wide: UInt16(sourcePort)) + [UInt8](wide: UInt16(port)) + [UInt8](wide: UInt16(length))
            raw.send(header + source + [127, 0, 0, 1] + datagram + [0, 0] + good.bytes)
        }

        @Test(.enabled(if: NetworkNamespace.isAvailable, "needs root, to create a network namespace"))
        func `a reply that the kernel does not take is counted`() throws {
            let server = try ScriptedServer.timed { query in
                [ScriptedServer.Answer(bytes: query.response(address: HostileServer.good), delay: .milliseconds(700))]
            }
            defer { server.stop() }
            let namespace = try NetworkNamespace()
            let (daemon, port) = try Drops.daemon(
                upstream: server.port, listen: namespace.hostAddress, from: "198.18.0.0/15")
            let before = try Metrics(port: port)
            try namespace.inside.shell(
                "dig -r +tries=1 +time=1 -p \(daemon.port) @\(namespace.hostAddress) slow.test.example >/dev/null 2>&1 &"
            )
            try eventually("the question does not come") { !server.queries.isEmpty }
            // The way back is gone before the answer is there.
            let route = ["unreachable", "\(namespace.clientAddress)/32"]
            #expect(try run(["ip", "route", "add"] + route).status == 0)
            defer { _ = try? run(["ip", "route", "delete"] + route) }
            #expect(try Drops.growth(port, since: before) == ["replies_unsent_total": 1])
        }
    }
}
