import Foundation
import Testing

extension EndToEnd {
    /// Upstreams that fail in part: some of them, some of the time, or some of the packets.
    @Suite struct UpstreamFaults {
        /// What the good upstream knows: names that are asked for once, and names whose answers soon are past their lifetime.
        private static let zone =
            ((1...40).map { "host\($0) IN A 192.0.2.\($0)" }
            + (1...10).map { "known\($0) 1 IN A 192.0.2.\(100 + $0)" }).joined(separator: "\n")

        /// Asks for all `names` at once and returns the code and the number of records of each answer.
        private static func ask(_ client: DNSClient, _ names: [String]) throws -> [String: (code: Int, records: Int)] {
            for (number, name) in names.enumerated() { client.ask(name, id: UInt16(number)) }
            var answers: [String: (code: Int, records: Int)] = [:]
            for _ in names {
                let answer = try #require(client.answer(), "only \(answers.count) of \(names.count) are answered")
                answers[names[Int(answer.id)]] = (answer.code, answer.answerCount)
            }
            return answers
        }

        @Test func `a first server that answers every question with SERVFAIL costs nobody an answer`() throws {
            let nsd = try NSD(zone: Self.zone)
            let broken = try ScriptedServer { query in
                // With an OPT record, so that it is not taken for a server without EDNS.
                var response = query.response(code: 2) + [0, 0, 41, 4, 208, 0, 0, 0, 0, 0, 0]
                response[11] = 1
                return [response]
            }
            defer { broken.stop() }
            var setup = Setup()
            setup.upstreams = [#"{servers: ["127.0.0.1:\#(broken.port)", "127.0.0.1:\#(nsd.port)"]}"#]
            let daemon = try Daemon(setup)
            for number in 1...10 {
                #expect(try daemon.dig("host\(number).test.example").addresses == ["192.0.2.\(number)"])
            }
            #expect(broken.queries.count > 0)
            #expect(try daemon.counter("upstream_failures") == 0)
        }

        @Test
        func `an upstream that comes and goes costs nobody an answer that was known, and is used when it is there`()
            throws
        {
            let nsd = try NSD(zone: Self.zone)
            let relay = try Relay(to: nsd.port)
            defer { relay.stop() }
            let daemon = try Daemon(Setup(upstream: relay.port))
            let client = try daemon.client()
            let known = (1...10).map { "known\($0).test.example" }
            for flap in 1...2 {
                let fresh = try Self.ask(client, known)
                #expect(fresh.values.allSatisfy { $0.code == 0 && $0.records == 1 }, "flap \(flap): \(fresh)")
                relay.swallow(true)
                // Their lifetime is a second, so that these are past it, and the upstream says nothing.
                usleep(1_100_000)
                let stale = try Self.ask(client, known)
                #expect(stale.values.allSatisfy { $0.code == 0 && $0.records == 1 }, "flap \(flap): \(stale)")
                relay.swallow(false)
                let name = "host\(flap).test.example"
                #expect(try daemon.dig("\(name) +tries=1 +time=9").addresses == ["192.0.2.\(flap)"], "flap \(flap)")
            }
            #expect(try daemon.counter("stale_answers") >= 10)
        }

        @Test(.enabled(if: NetworkNamespace.isAvailable, "needs root, to create a network namespace"))
        func `while half of the packets are lost everybody is answered, and who asks again gets the address`() throws {
            let namespace = try NetworkNamespace()
            let servers = try (1...2).map { _ in
                try NSD(zone: Self.zone, at: (namespace.inside, namespace.clientAddress))
            }
            let addresses = servers.map { "\"\(namespace.clientAddress):\($0.port)\"" }.joined(separator: ", ")
            var setup = Setup()
            setup.upstreams = ["{servers: [\(addresses)]}"]
            let daemon = try Daemon(setup)
            let client = try daemon.client()
            let ports = "{ \(servers.map { "\($0.port)" }.joined(separator: ", ")) }"
            let cached = (1...10).map { "host\($0).test.example" }
            _ = try Self.ask(client, cached)
            for rule in [
                "add table inet faults", "add chain inet faults in { type filter hook input priority 0; }",
                "add rule inet faults in udp dport \(ports) numgen random mod 2 0 counter drop",
            ] {
                let result = try namespace.execute(["nft", rule])
                try #require(result.status == 0, "\(result.errors)")
            }
            // Every question has an answer, if only that there is none; who repeats it finds the packets that pass.
            var left = (11...18).map { "host\($0).test.example" }
            var rounds = 0
            try eventually("never answered: \(left)", within: .seconds(90)) {
                rounds += 1
                let answers = try Self.ask(client, left)
                #expect(answers.values.allSatisfy { $0.code == 0 ? $0.records == 1 : $0.code == 2 }, "\(answers)")
                left.removeAll { answers[$0]?.code == 0 }
                // What is known does not go there at all.
                let hits = try Self.ask(client, cached)
                #expect(hits.values.allSatisfy { $0.code == 0 && $0.records == 1 })
                usleep(100_000)
                return left.isEmpty
            }
            let rules = try namespace.execute(["nft", "list", "table", "inet", "faults"]).output
            #expect(rules.contains(/packets [1-9]/), "no packet was lost: \(rules)")
            #expect(try namespace.execute(["nft", "delete table inet faults"]).status == 0)
            print(
                "half of the questions lost: 8 names in \(rounds) rounds of questions, \(try daemon.counter("upstream_failures")) failures"
            )
        }
    }
}
