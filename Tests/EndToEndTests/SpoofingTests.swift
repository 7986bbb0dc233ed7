import Foundation
import Testing

extension EndToEnd {
    /// What makes answers hard to forge (RFC 5452), and servers that cannot take it.
    @Suite struct Spoofing {
        /// The address that honest answers have.
        private static let good: [UInt8] = [192, 0, 2, 1]
        /// And another one.
        private static let bad: [UInt8] = [203, 0, 113, 66]

        /// A daemon of one worker in front of `server`.
        private func daemon(_ server: ScriptedServer, route: String = "") throws -> Daemon {
            var setup = Setup()
            setup.upstreams = [#"{servers: ["127.0.0.1:\#(server.port)"]\#(route)}"#]
            setup.workers = 1
            return try Daemon(setup)
        }

        @Test func `questions in datagrams have letters of random case, another one each time`() throws {
            let server = try ScriptedServer { [$0.response(address: Spoofing.good)] }
            defer { server.stop() }
            let daemon = try daemon(server)
            for number in 1...10 {
                let answer = try daemon.dig("quite-a-long-name-of-a-host\(number).test.example")
                #expect(answer.addresses == ["192.0.2.1"])
                // The client sees its own spelling.
                #expect(answer.records.first?.name == "quite-a-long-name-of-a-host\(number).test.example.")
            }
            let names = server.queries.map { $0.name.filter { !$0.isNumber } }
            #expect(Set(names).count == 10, "\(names)")
            #expect(names.allSatisfy { $0 != $0.lowercased() && $0 != $0.uppercased() })
            #expect(server.queries.allSatisfy { !$0.isTCP })
        }

        @Test func `wrong answers are ignored while the right one is awaited`() throws {
            let server = try ScriptedServer { query in
                let right = query.response(address: Spoofing.good)
                var wrongID = query.response(address: Spoofing.bad)
                wrongID[1] ^= 1
                var wrongName = query.response(address: Spoofing.bad)
                wrongName[13] = UInt8(ascii: "x") ^ (wrongName[13] & 0x20)
                var wrongType = query.response(address: Spoofing.bad)
                wrongType[query.questionEnd - 3] = 28
                var noResponse = query.response(address: Spoofing.bad)
                noResponse[2] &= 0x7F
                return [wrongID, wrongName, wrongType, noResponse, [], Array(right.prefix(11)), right]
            }
            defer { server.stop() }
            let daemon = try daemon(server)
            #expect(try daemon.dig("host.test.example").addresses == ["192.0.2.1"])
            #expect(try daemon.counter("upstream_mismatches") == 6)
            #expect(try daemon.counter("upstream_queries") == 1)
        }

        @Test func `an answer in another case is asked again over TCP, and its server is an exception after two`()
            throws
        {
            let server = try ScriptedServer { query in
                guard !query.isTCP else { return [query.response(address: Spoofing.good)] }
                var response = query.response(address: Spoofing.bad)
                for index in 12..<(query.questionEnd - 4) where response[index] &- 0x41 < 26 { response[index] |= 0x20 }
                return [response]
            }
            defer { server.stop() }
            let daemon = try daemon(server)
            for number in 1...2 {
                #expect(try daemon.dig("a-long-name-of-a-host\(number).test.example").addresses == ["192.0.2.1"])
                #expect(server.queries.count == 2 * number)
                #expect(server.queries.last?.isTCP == true)
            }
            // From now on in lower case, where the case does not tell anything.
            #expect(try daemon.dig("a-long-name-of-a-host3.test.example").addresses == ["203.0.113.66"])
            #expect(server.queries.count == 5)
            #expect(server.queries.last?.name == "a-long-name-of-a-host3.test.example")
            #expect(try daemon.status()?.upstreams.first?.keepsCase == false)
            #expect(try daemon.counter("upstream_case_changes") == 2)
            let lines = daemon.process.errors.split(separator: "\n").filter { $0.contains("changes the case") }
            #expect(lines.count == 1, "\(daemon.process.errors)")
        }

        @Test func `caseRandomization false asks in lower case`() throws {
            let server = try ScriptedServer { [$0.response(address: Spoofing.good)] }
            defer { server.stop() }
            let daemon = try daemon(server, route: ", caseRandomization: false")
            #expect(try daemon.dig("Quite-A-Long-Name.test.example").addresses == ["192.0.2.1"])
            #expect(server.queries.map(\.name) == ["quite-a-long-name.test.example"])
        }

        /// The ways in which servers refuse EDNS.
        private static let refusals: [@Sendable (ScriptedServer.Query) -> [UInt8]] = [
            { $0.response(code: 1) },
            { $0.response(code: 4) },
            { query in
                // The header alone.
                var response = Array(query.response(code: 1).prefix(12))
                response[5] = 0
                return response
            },
            { query in
                // BADVERS: 1 in the upper part of the code, which is in the OPT record.
                var response = query.response() + [0, 0, 41, 4, 208, 1, 0, 0, 0, 0, 0]
                response[11] = 1
                return response
            },
        ]

        @Test(arguments: [0, 1, 2, 3])
        func `a server that refuses EDNS is asked without, at once and from then on`(_ index: Int) throws {
            let server = try ScriptedServer { query in
                [query.hasEDNS ? Spoofing.refusals[index](query) : query.response(address: Spoofing.good)]
            }
            defer { server.stop() }
            let daemon = try daemon(server)
            let first = try daemon.dig("host1.test.example")
            #expect(first.addresses == ["192.0.2.1"], "\(first.text)")
            #expect(server.queries.map(\.hasEDNS) == [true, false])
            #expect(try daemon.dig("host2.test.example").addresses == ["192.0.2.1"])
            #expect(server.queries.map(\.hasEDNS) == [true, false, false])
            #expect(try daemon.status()?.upstreams.first?.knowsEDNS == false)
        }

        @Test func `a server that finds fault with the question itself is not asked without EDNS`() throws {
            let server = try ScriptedServer { query in
                // FORMERR with an OPT record: it knows EDNS.
                var response = query.response(code: 1) + [0, 0, 41, 4, 208, 0, 0, 0, 0, 0, 0]
                response[11] = 1
                return [response]
            }
            defer { server.stop() }
            let daemon = try daemon(server)
            #expect(try daemon.dig("host1.test.example").status == "SERVFAIL")
            #expect(server.queries.map(\.hasEDNS) == [true])
        }
    }
}
