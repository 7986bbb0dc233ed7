import Foundation
import Testing

extension EndToEnd {
    /// What is kept of a good answer, for which questions, and for how long.
    @Suite struct Answers {
        /// A daemon behind a relay that counts, behind nsd with `zone`.
        private final class Stage {
            /// The upstream.
            private let nsd: NSD
            /// What counts questions.
            let relay: Relay
            /// The daemon.
            let daemon: Daemon

            /// Starts everything; `extra` are further lines of the configuration.
            init(_ zone: String, extra: String = "") throws {
                nsd = try NSD(zone: zone)
                relay = try Relay(to: nsd.port)
                var setup = Setup(upstream: relay.port)
                setup.extra = extra
                daemon = try Daemon(setup)
            }

            deinit { relay.stop() }
        }

        @Test func `each record counts down by itself on every hit, and no hit raises it`() throws {
            let stage = try Stage("alias 300 IN CNAME text\ntext 100 IN TXT x")
            let first = try stage.daemon.dig("alias.test.example TXT").records.map(\.ttl)
            #expect(first == [300, 100])
            var last = first
            for wait: UInt32 in [0, 1_100_000, 0, 0] {
                usleep(wait)
                let now = try stage.daemon.dig("alias.test.example TXT").records.map(\.ttl)
                #expect(now.count == 2 && zip(now, last).allSatisfy { $0 <= $1 }, "\(now) after \(last)")
                #expect(zip(first, now).map { $0 - $1 }.allSatisfy { $0 == first[0] - now[0] }, "\(now)")
                last = now
            }
            #expect(last[0] <= 299 && last[0] >= 297)
            #expect(stage.relay.count == 1)
        }

        @Test func `no record of an answer with addresses outlives the first of them to expire`() throws {
            let stage = try Stage("alias 300 IN CNAME host\nhost 100 IN A 192.0.2.1")
            #expect(try stage.daemon.dig("alias.test.example").records.map(\.ttl) == [100, 100])
        }

        @Test func `minTTL, maxTTL and negativeMaxTTL bound what clients see, and raise no TTL of 0`() throws {
            let zone = "low 5 IN A 192.0.2.1\nfair 30 IN A 192.0.2.2\nhigh 300 IN A 192.0.2.3\nnone 0 IN A 192.0.2.4"
            let stage = try Stage(zone, extra: "cache: {minTTL: 20s, maxTTL: 40s, negativeMaxTTL: 25s}")
            for (name, ttl) in [("low", 20), ("fair", 30), ("high", 40), ("none", 0)] {
                let first = try stage.daemon.dig("\(name).test.example").ttl
                #expect(first == ttl, "\(name)")
                let second = try #require(try stage.daemon.dig("\(name).test.example").ttl)
                #expect(second == ttl || second == ttl - 1, "\(name)")
            }
            // The zone says 60 s.
            #expect(try stage.daemon.dig("missing.test.example +authority").negativeTTL == 25)
            #expect(try stage.daemon.dig("low.test.example TXT +authority").negativeTTL == 25)
        }

        @Test(arguments: [0, 0x8000_0001, 0xFFFF_FFFF] as [UInt32])
        func `an answer with a TTL of 0, or with the sign bit set, is given and not kept`(_ ttl: UInt32) throws {
            let server = try ScriptedServer { [$0.response(answers: [.a(ttl: ttl, [192, 0, 2, 1])])] }
            defer { server.stop() }
            let daemon = try Daemon(Setup(upstream: server.port))
            for number in 1...3 {
                let answer = try daemon.dig("host.test.example")
                #expect(answer.addresses == ["192.0.2.1"] && answer.ttl == 0, "\(answer.text)")
                #expect(server.queries.count == number)
            }
            #expect(try !daemon.command("cache", "list", "--answers").output.contains("host.test.example"))
        }

        @Test func `questions with DO, with CD, with both and with neither have answers of their own`() throws {
            let server = try ScriptedServer { query in
                let number = (query.isDNSSECOK ? 1 : 0) + (query.isCheckingDisabled ? 2 : 0) as UInt8
                return [query.response(answers: [.a(ttl: 60, [192, 0, 2, number])])]
            }
            defer { server.stop() }
            let daemon = try Daemon(Setup(upstream: server.port))
            for _ in 1...2 {
                for (index, flags) in ["", "+dnssec", "+cdflag", "+dnssec +cdflag"].enumerated() {
                    #expect(try daemon.dig("host.test.example \(flags)").addresses == ["192.0.2.\(index)"], "\(flags)")
                }
            }
            #expect(server.queries.count == 4)
        }

        @Test func `a question with CD never gets a failure of one without, nor the other way round`() throws {
            for failsWithCD in [false, true] {
                let server = try ScriptedServer { query in
                    guard query.isCheckingDisabled != failsWithCD else { return [query.response(code: 2)] }
                    return [query.response(answers: [.a(ttl: 60, [192, 0, 2, 1])])]
                }
                defer { server.stop() }
                let daemon = try Daemon(Setup(upstream: server.port))
                let (bad, good) = failsWithCD ? ("+cdflag", "+nocdflag") : ("+nocdflag", "+cdflag")
                for _ in 1...2 {
                    #expect(try daemon.dig("host.test.example \(bad)").status == "SERVFAIL")
                    #expect(try daemon.dig("host.test.example \(good)").addresses == ["192.0.2.1"], "\(good)")
                }
                #expect(server.queries.count == 2)
            }
        }

        @Test func `of an answer with aliases only what belongs to the question is given, and nothing else is kept`()
            throws
        {
            let stray = WireRecord.a("other.test.example", ttl: 60, [192, 0, 2, 66])
            let server = try ScriptedServer { query in
                guard query.name.lowercased().hasPrefix("www") else {
                    return [query.response(answers: [.a(ttl: 60, [192, 0, 2, 7])])]
                }
                // The chain out of order, and around it what a poisoner would like to be believed.
                return [
                    query.response(
                        answers: [
                            stray, .a("end.test.example", ttl: 60, [192, 0, 2, 1]),
                            .cname("step.test.example", ttl: 60, to: "end.test.example"),
                            .txt(ttl: 60, "stray"), .cname(ttl: 60, to: "step.test.example"),
                        ],
                        authorities: [stray, .soa("test.example", ttl: 60, minimum: 60)],
                        additionals: [stray, .a(ttl: 60, [192, 0, 2, 67])])
                ]
            }
            defer { server.stop() }
            let daemon = try Daemon(Setup(upstream: server.port))
            for _ in 1...2 {
                let answer = try daemon.dig("www.test.example +authority +additional")
                #expect(answer.records.map(\.name) == ["www", "step", "end"].map { "\($0).test.example." })
                #expect(answer.records.map(\.type) == ["CNAME", "CNAME", "A"] && answer.addresses == ["192.0.2.1"])
                #expect(answer.section("AUTHORITY").isEmpty && answer.section("ADDITIONAL").isEmpty)
            }
            #expect(server.queries.count == 1)
            for name in ["other", "end"] {
                #expect(try daemon.dig("\(name).test.example").addresses == ["192.0.2.7"], "\(name)")
            }
        }

        @Test func `a question of type ANY gets one record of ours, asks nobody and says nothing about types`() throws {
            let stage = try Stage("host IN A 192.0.2.1\nhost IN TXT x")
            for transport in ["+notcp", "+tcp"] {
                let any = try stage.daemon.dig("host.test.example ANY \(transport)")
                #expect(any.records.map(\.type) == ["HINFO"] && any.data("HINFO") == [#""RFC8482" """#], "\(any.text)")
            }
            #expect(stage.relay.count == 0)
            #expect(try stage.daemon.dig("host.test.example HINFO").records.isEmpty)
            #expect(try stage.daemon.dig("host.test.example").addresses == ["192.0.2.1"])
            #expect(try stage.daemon.dig("host.test.example TXT").data("TXT") == [#""x""#])
            // Nor does what is known of the name become an answer to ANY.
            #expect(try stage.daemon.dig("host.test.example ANY").records.map(\.type) == ["HINFO"])
            #expect(stage.relay.count == 3)
        }
    }
}
