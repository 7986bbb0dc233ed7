import Foundation
import Testing

extension EndToEnd {
    /// Names and types that do not exist (RFC 2308), and upstreams that fail (RFC 9520).
    @Suite struct NegativeAnswers {
        /// Says no to everything: with `code`, and a SOA if there is one.
        private static func refusing(_ code: UInt8, _ soa: WireRecord?) throws -> ScriptedServer {
            try ScriptedServer { [$0.response(code: code, authorities: soa.map { [$0] } ?? [])] }
        }

        /// A daemon behind `server` that takes the name of each question from the test as it is.
        private static func daemon(_ server: ScriptedServer) throws -> Daemon {
            try Daemon(Setup(upstream: server.port))
        }

        // RFC 9520, section 3.1.
        @Test(arguments: [false, true])
        func `a server is asked the same question three times at most before it is given up`(_ isSilent: Bool) throws {
            let silent = try Relay(to: nil)
            defer { silent.stop() }
            let daemon = try Daemon(Setup(upstream: isSilent ? silent.port : try Ports.free()))
            #expect(try daemon.dig("host.test.example +time=10").status == "SERVFAIL")
            let asked = try daemon.counter("upstream_queries")
            #expect(asked >= 1 && asked <= 3, "\(asked)")
        }

        @Test(arguments: [(0, 300, 4), (0, 4, 300), (3, 300, 4), (3, 4, 300)] as [(UInt8, UInt32, UInt32)])
        func `the lesser of the SOA's TTL and its MINIMUM is the lifetime, and the SOA counts it down`(
            _ code: UInt8, _ ttl: UInt32, _ minimum: UInt32
        ) throws {
            let server = try NegativeAnswers.refusing(code, .soa("test.example", ttl: ttl, minimum: minimum))
            defer { server.stop() }
            let daemon = try NegativeAnswers.daemon(server)
            let status = code == 0 ? "NOERROR" : "NXDOMAIN"
            let first = try daemon.dig("host.test.example +authority")
            #expect(first.status == status && first.records.isEmpty && first.negativeTTL == 4, "\(first.text)")
            usleep(1_050_000)
            let second = try daemon.dig("host.test.example +authority")
            #expect(second.status == status && [2, 3].contains(second.negativeTTL), "\(second.text)")
            #expect(server.queries.count == 1)
        }

        @Test func `a negative answer ends with its lifetime`() throws {
            let server = try NegativeAnswers.refusing(3, .soa("test.example", ttl: 60, minimum: 1))
            defer { server.stop() }
            let daemon = try NegativeAnswers.daemon(server)
            _ = try daemon.dig("host.test.example")
            usleep(1_050_000)
            #expect(try daemon.dig("host.test.example +authority").negativeTTL == 1)
            #expect(server.queries.count == 2)
        }

        @Test(arguments: [0, 3] as [UInt8])
        func `without a SOA, or with one whose MINIMUM is 0 or no number, it is given and not kept`(
            _ code: UInt8
        ) throws {
            let ancestors: [WireRecord?] = [
                nil, .soa("test.example", ttl: 60, minimum: 0), .soa("test.example", ttl: 60, minimum: 0x8000_0000),
                .soa("elsewhere.example", ttl: 60, minimum: 60),
            ]
            for soa in ancestors {
                let server = try NegativeAnswers.refusing(code, soa)
                defer { server.stop() }
                let daemon = try NegativeAnswers.daemon(server)
                for number in 1...2 {
                    let answer = try daemon.dig("host.test.example")
                    #expect(answer.status == (code == 0 ? "NOERROR" : "NXDOMAIN") && answer.records.isEmpty)
                    #expect(server.queries.count == number, "\(String(describing: soa))")
                }
            }
        }

        @Test func `NXDOMAIN covers every type of its name and no other name, a missing type only itself`() throws {
            let nsd = try NSD(zone: "text IN TXT x\nlost IN CNAME none")
            let relay = try Relay(to: nsd.port)
            defer { relay.stop() }
            let daemon = try Daemon(Setup(upstream: relay.port))
            for type in ["A", "AAAA", "TXT", "HTTPS", "TYPE65280"] {
                #expect(try daemon.dig("none.test.example \(type)").status == "NXDOMAIN")
            }
            #expect(relay.count == 1)
            #expect(try daemon.dig("text.test.example A").status == "NOERROR")
            #expect(try daemon.dig("text.test.example TXT").data("TXT") == [#""x""#])
            #expect(relay.count == 3)
            // At the end of an alias it is the target that does not exist.
            let lost = try daemon.dig("lost.test.example")
            #expect(lost.status == "NXDOMAIN" && lost.data("CNAME") == ["none.test.example."], "\(lost.text)")
            let alias = try daemon.dig("lost.test.example CNAME")
            #expect(alias.status == "NOERROR" && alias.data("CNAME") == ["none.test.example."], "\(alias.text)")
        }

        @Test func `a name that comes into being is there for every type when its NXDOMAIN has expired`() throws {
            let nsd = try NSD(zone: "other IN A 192.0.2.9")
            var setup = Setup(upstream: nsd.port)
            setup.extra = "cache: {negativeMaxTTL: 1s}"
            let daemon = try Daemon(setup)
            #expect(try daemon.dig("host.test.example TXT").status == "NXDOMAIN")
            try nsd.replace(zone: "host IN A 192.0.2.1")
            try eventually("it stays missing", within: .seconds(5)) {
                try daemon.dig("host.test.example").addresses == ["192.0.2.1"]
            }
            // Of the other type there is nothing, but the name is no longer said to be missing.
            #expect(try daemon.dig("host.test.example TXT").status == "NOERROR")
        }

        @Test(arguments: [1, 2, 4, 5] as [UInt8])
        func `a failure is remembered for a moment, for its question only`(_ code: UInt8) throws {
            let server = try ScriptedServer { query in
                guard query.type == 1 else { return [query.response(answers: [.txt(ttl: 60, "x")])] }
                // With an OPT record, so that it is not taken for a server without EDNS.
                var response = query.response(code: code) + [0, 0, 41, 4, 208, 0, 0, 0, 0, 0, 0]
                response[11] = 1
                return [response]
            }
            defer { server.stop() }
            let daemon = try NegativeAnswers.daemon(server)
            let start = ContinuousClock.now
            let first = try daemon.dig("host.test.example")
            #expect(first.status == "SERVFAIL" && first.extendedError == 23, "\(first.text)")
            let asked = server.queries.count
            while ContinuousClock.now - start < .milliseconds(950) {
                let again = try daemon.dig("host.test.example")
                #expect(again.status == "SERVFAIL" && again.extendedError == 13, "\(again.text)")
            }
            #expect(asked == 1 && server.queries.count == 1)
            #expect(try daemon.dig("host.test.example TXT").data("TXT") == [#""x""#])
            try eventually("it is remembered for longer than a moment", within: .seconds(4)) {
                try daemon.dig("host.test.example").extendedError == 23
            }
            #expect(server.queries.count == 3)
        }

        @Test func `a server that nobody answers for is not asked again for a failed question at once`() throws {
            let daemon = try Daemon(Setup(upstream: try Ports.free()))
            #expect(try daemon.dig("host.test.example").extendedError == 22)
            let asked = try daemon.counter("upstream_queries")
            for _ in 1...5 { #expect(try daemon.dig("host.test.example").extendedError == 13) }
            #expect(try daemon.counter("upstream_queries") == asked)
        }
    }
}
