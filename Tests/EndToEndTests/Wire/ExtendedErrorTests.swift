import Foundation
import Testing

extension EndToEnd {
    /// Extended errors (RFC 8914). Those about answers past their lifetime, 3 and 19, are in `Stale` and `Truncation`.
    @Suite struct ExtendedErrors {
        /// A daemon in front of `server`, under a policy.
        private static func daemon(_ server: ScriptedServer) throws -> Daemon {
            var setup = Setup(upstream: server.port)
            setup.policies = ["web.yaml": Setup.policy("web", dns: ["*.test.example"])]
            setup.workers = 1
            return try Daemon(setup)
        }

        /// Asks `query` with an OPT record, which has the extended error `error`, and without, which gets the same code.
        private static func check(
            _ error: Int, code: Int, to query: WireQuery, at daemon: Daemon, source: String? = nil
        ) throws {
            for transport in Daemon.Transport.allCases {
                let answer = try daemon.ask(query, over: transport, source: source)
                #expect(answer.code == code && answer.extendedError == error, "\(query): \(answer)")
                #expect(answer.options?.count == 1 && answer.answers.isEmpty && answer.question == query.question)
                var plain = query
                plain.opts = []
                let same = try daemon.ask(plain, over: transport, source: source)
                #expect(same.code == code && same.opt == nil, "\(query): \(same)")
            }
        }

        @Test func `23: an upstream fails; 13: that is remembered`() throws {
            let server = try HostileServer.start()
            defer { server.stop() }
            let daemon = try ExtendedErrors.daemon(server)
            for trick in ["servfail", "refused", "loop"] {
                let query = WireQuery("\(trick).test.example")
                let first = try daemon.ask(query)
                #expect(first.code == 2 && first.extendedError == 23)
                try ExtendedErrors.check(13, code: 2, to: query, at: daemon)
            }
            // Without an OPT record there is no extended error in the first answer either.
            let plain = try daemon.ask(.plain("shortrdata.test.example"))
            #expect(plain.code == 2 && plain.opt == nil)
        }

        @Test func `22: no upstream answers, or there is none`() throws {
            // Port 9 is nobody's; `other.example` has no route at all, which nothing remembers.
            var setup = Setup()
            setup.upstreams = [#"{domains: [test.example], servers: ["127.0.0.1:9"]}"#]
            let daemon = try Daemon(setup)
            let answer = try daemon.ask(WireQuery("host.test.example"))
            #expect(answer.code == 2 && answer.extendedError == 22)
            try ExtendedErrors.check(22, code: 2, to: WireQuery("host.other.example"), at: daemon)
        }

        @Test func `15: the policy does not allow the name; 18: the client may not ask here`() throws {
            let server = try HostileServer.start()
            defer { server.stop() }
            let daemon = try ExtendedErrors.daemon(server)
            for type: UInt16 in [1, 28, 255, 65_280] {
                let denied = WireQuery("host.other.example", type: type)
                try ExtendedErrors.check(15, code: 5, to: denied, at: daemon)
                let prohibited = WireQuery("host.test.example", type: type)
                try ExtendedErrors.check(18, code: 5, to: prohibited, at: daemon, source: "127.0.0.77")
            }
            #expect(server.queries.isEmpty)
        }

        @Test func `15: NXDOMAIN for a denied name has it too`() throws {
            var setup = Setup()
            setup.policies = ["web.yaml": Setup.policy("web", dns: ["*.test.example"])]
            setup.extra = "deny: {response: nameError}"
            try ExtendedErrors.check(15, code: 3, to: WireQuery("host.other.example"), at: try Daemon(setup))
        }

        @Test func `21: other classes and zone transfers`() throws {
            let server = try HostileServer.start()
            defer { server.stop() }
            let daemon = try ExtendedErrors.daemon(server)
            for recordClass: UInt16 in [0, 2, 3, 4, 254, 255, 65_280] {
                var query = WireQuery("host.test.example")
                query.recordClass = recordClass
                try ExtendedErrors.check(21, code: 5, to: query, at: daemon)
            }
            for type: UInt16 in [251, 252] {
                try ExtendedErrors.check(21, code: 5, to: WireQuery("host.test.example", type: type), at: daemon)
            }
            #expect(server.queries.isEmpty)
        }

        @Test func `14: the mapping is not confirmed in time, and the client keeps its cookie`() throws {
            let server = try HostileServer.start()
            defer { server.stop() }
            var setup = Setup(upstream: server.port)
            setup.policies = ["web.yaml": Setup.policy("web", dns: ["*.test.example"])]
            setup.maxDelay = "30ms, onDelay: servfail, requireEnforcer: true"
            let daemon = try Daemon(setup)
            for name in ["host1.test.example", "host2.test.example", "host1.test.example"] {
                try ExtendedErrors.check(14, code: 2, to: WireQuery(name), at: daemon)
                let cookie = WireQuery.OPT(options: WireQuery.OPT.option(10, Array(1...8)))
                let answer = try daemon.ask(WireQuery(name).with(cookie))
                #expect(answer.code == 2 && answer.options?.map(\.code) == [10, 15], "\(answer)")
                #expect(answer.options?.first?.data.count == 24)
            }
        }

        @Test func `14: too many questions of one client wait`() throws {
            let server = try ScriptedServer { _ in [] }
            defer { server.stop() }
            let daemon = try ExtendedErrors.daemon(server)
            let greedy = try daemon.client()
            for number in 0..<1_025 {
                greedy.send(WireQuery("n\(number).test.example").bytes)
                if number % 100 == 99 { usleep(5_000) }
            }
            let answer = try #require(greedy.answer().flatMap { WireMessage($0.bytes) })
            #expect(answer.code == 2 && answer.extendedError == 14)
            // Counters are shown when the turn is over in which the reply was sent.
            try eventually("it is not counted") { try daemon.counter("overloaded_client") == 1 }
        }
    }
}
