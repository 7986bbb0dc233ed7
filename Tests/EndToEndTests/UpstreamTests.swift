import Foundation
import Testing

extension EndToEnd {
    /// What clients notice when upstreams are slow, silent or gone.
    @Suite struct Upstreams {
        /// What the good upstream knows.
        private static let zone = (1...40).map { "host\($0) IN A 192.0.2.\($0)" }.joined(separator: "\n")

        @Test func `identical questions in flight share one upstream query, whichever workers they come to`() throws {
            let nsd = try NSD(zone: Upstreams.zone)
            let relay = try Relay(to: nsd.port, delay: .milliseconds(400))
            defer { relay.stop() }
            var setup = Setup(upstream: relay.port)
            setup.workers = 4
            let daemon = try Daemon(setup)
            let clients = try (0..<20).map { _ in try daemon.client() }
            for (index, client) in clients.enumerated() { client.ask("host1.test.example", id: UInt16(1_000 + index)) }
            for (index, client) in clients.enumerated() {
                let answer = try #require(client.answer(), "no answer for client \(index)")
                #expect(answer.id == UInt16(1_000 + index))
                #expect(answer.code == 0 && answer.answerCount == 1)
            }
            #expect(relay.count == 1)
            #expect(try daemon.counter("coalesced") == 19)
            // The kernel spreads twenty ports over four workers; that all have come to one is 1 in 10^11.
            try eventually("all came to one worker") { try daemon.counter("steered") > 0 }
            #expect(try daemon.counter("cache_misses") == 20)
        }

        @Test func `questions to the upstream have random IDs and leave from many ports`() throws {
            let nsd = try NSD(zone: Upstreams.zone)
            let relay = try Relay(to: nsd.port)
            defer { relay.stop() }
            let daemon = try Daemon(Setup(upstream: relay.port))
            for number in 1...40 {
                let answer = try daemon.client().resolve("host\(number).test.example")
                #expect(answer?.answerCount == 1)
            }
            #expect(relay.queries.count == 40)
            // Forty random numbers below 65,536 hardly ever meet; all of the client's were the same.
            let identifiers = relay.queries.map { Int($0.bytes[0]) << 8 | Int($0.bytes[1]) }
            let ports = relay.queries.map(\.port)
            #expect(Set(identifiers).count >= 36, "\(identifiers)")
            #expect(Set(ports).count >= 16, "\(ports)")
            for numbers in [identifiers, ports] {
                #expect(zip(numbers, numbers.dropFirst()).filter { $1 == $0 + 1 }.count < 3, "\(numbers)")
            }
        }

        @Test func `when the first server is down or silent the second one answers`() throws {
            let nsd = try NSD(zone: Upstreams.zone)
            let silent = try Relay(to: nil)
            defer { silent.stop() }
            for first in [try Ports.free(), silent.port] {
                var setup = Setup()
                setup.upstreams = [#"{servers: ["127.0.0.1:\#(first)", "127.0.0.1:\#(nsd.port)"]}"#]
                let daemon = try Daemon(setup)
                #expect(try daemon.dig("host1.test.example").addresses == ["192.0.2.1"])
                #expect(try daemon.dig("host2.test.example +tcp").addresses == ["192.0.2.2"])
            }
            #expect(silent.count > 0)
        }

        @Test func `when no server answers the client gets SERVFAIL with extended error 22`() throws {
            let silent = try Relay(to: nil)
            defer { silent.stop() }
            for port in [try Ports.free(), silent.port] {
                let daemon = try Daemon(Setup(upstream: port))
                let first = try daemon.dig("host1.test.example +time=20")
                #expect(first.status == "SERVFAIL", "\(first.text)")
                #expect(first.extendedError == 22, "\(first.text)")
                #expect(try daemon.counter("upstream_failures") == 1)
                // From the memory of the failure (RFC 9520), or asked again: no address for the client either way.
                let second = try daemon.dig("host1.test.example +time=20")
                #expect(second.status == "SERVFAIL", "\(second.text)")
                #expect(second.extendedError == 13 || second.extendedError == 22, "\(second.text)")
            }
        }

        @Test
        func `a local alias that leads out of the zones is followed to an upstream, and learned under its own name`()
            throws
        {
            let nsd = try NSD(zone: Upstreams.zone + "\nbig IN CNAME host5")
            var setup = Setup(upstream: nsd.port)
            setup.policies = ["web.yaml": Setup.policy("web", learn: ["*.local.example"])]
            setup.zone = """
                $ORIGIN local.example.
                $TTL 60
                @ IN SOA ns hostmaster 1 3600 600 86400 60
                @ IN NS ns
                ns IN A 192.0.2.250
                out IN CNAME step
                step IN CNAME host7.test.example.
                far IN CNAME big.test.example.
                lost IN CNAME none.test.example.
                tree IN DNAME test.example.

                """
            let daemon = try Daemon(setup)
            let subscriber = try FeedSubscriber(daemon.feedSocket, acknowledge: true)
            try subscriber.waitForSnapshot()
            for _ in 1...2 {
                let out = try daemon.dig("Out.local.example")
                #expect(out.addresses == ["192.0.2.7"], "\(out.text)")
                #expect(out.data("CNAME") == ["host7.test.example.", "step.local.example."])
                #expect(out.records.first?.name == "Out.local.example." && !out.flags.contains("aa"))
                #expect(try daemon.dig("far.local.example").addresses == ["192.0.2.5"])
                #expect(try daemon.dig("host9.tree.local.example").addresses == ["192.0.2.9"])
                let lost = try daemon.dig("lost.local.example")
                #expect(lost.status == "NXDOMAIN" && lost.data("CNAME") == ["none.test.example."], "\(lost.text)")
                let alias = try daemon.dig("far.local.example CNAME")
                #expect(alias.data("CNAME") == ["big.test.example."] && alias.flags.contains("aa"))
            }
            // The second round came from the cache.
            #expect(try daemon.counter("upstream_queries") == 4)
            let (upsert, _) = try subscriber.waitForUpsert("out.local.example.")
            #expect(upsert.addresses.map { "\($0.ip)" } == ["192.0.2.7"])
            #expect(upsert.chain.map(\.description) == ["step.local.example.", "host7.test.example."])
        }

        @Test func `special names are answered here, without a packet to any upstream and without learning`() throws {
            let silent = try Relay(to: nil)
            defer { silent.stop() }
            var setup = Setup(upstream: silent.port)
            setup.policies = ["web.yaml": Setup.policy("web")]
            let daemon = try Daemon(setup)
            #expect(try daemon.dig("localhost").addresses == ["127.0.0.1"])
            #expect(try daemon.dig("db.localhost AAAA").addresses == ["::1"])
            #expect(try daemon.dig("service.invalid").status == "NXDOMAIN")
            #expect(try daemon.dig("abc.onion").status == "NXDOMAIN")
            #expect(silent.count == 0)
            #expect(try daemon.command("cache", "list", "-o", "json").output == "[]\n")
        }

        @Test func `local records and cached answers need no upstream`() throws {
            let nsd = try NSD(zone: Upstreams.zone)
            var setup = Setup(upstream: nsd.port)
            setup.zone = """
                $ORIGIN local.example.
                $TTL 60
                @ IN SOA ns hostmaster 1 3600 600 86400 60
                @ IN NS ns
                ns IN A 192.0.2.250
                db IN A 192.0.2.200

                """
            let daemon = try Daemon(setup)
            #expect(try daemon.dig("host1.test.example").addresses == ["192.0.2.1"])
            let before = try daemon.counter("upstream_queries")
            #expect(try daemon.dig("host1.test.example").addresses == ["192.0.2.1"])
            let local = try daemon.dig("db.local.example")
            #expect(local.addresses == ["192.0.2.200"] && local.flags.contains("aa"))
            #expect(try daemon.dig("none.local.example").status == "NXDOMAIN")
            #expect(try daemon.counter("upstream_queries") == before)
        }

        @Test func `a client that has too many questions waiting gets SERVFAIL, others do not`() throws {
            let server = try ScriptedServer { query in
                query.name.hasPrefix("fast") ? [query.response(address: [192, 0, 2, 1])] : []
            }
            defer { server.stop() }
            var setup = Setup()
            setup.upstreams = [#"{servers: ["127.0.0.1:\#(server.port)"], caseRandomization: false}"#]
            setup.workers = 1
            let daemon = try Daemon(setup)
            let greedy = try daemon.client()
            for number in 0..<1_030 {
                greedy.ask("slow\(number).test.example", id: UInt16(number))
                if number % 100 == 99 { usleep(5_000) }
            }
            var refused: [UInt16] = []
            while let answer = greedy.answer(within: .milliseconds(500)), answer.code == 2 {
                if refused.count < 6 { refused.append(answer.id) }
                if refused.count == 6 { break }
            }
            #expect(refused == Array(1_024..<1_030))
            #expect(try daemon.counter("overloaded_client") == 6)
            let answer = try daemon.dig("fast.test.example", source: "127.0.0.2")
            #expect(answer.addresses == ["192.0.2.1"], "\(answer.text)")
        }

        @Test func `a server that is silent leaves room for the questions of other routes`() throws {
            let nsd = try NSD(zone: Upstreams.zone)
            let silent = try Relay(to: nil)
            defer { silent.stop() }
            var setup = Setup()
            setup.upstreams = [
                #"{domains: [slow.example], servers: ["127.0.0.1:\#(silent.port)"]}"#,
                #"{servers: ["127.0.0.1:\#(nsd.port)"]}"#,
            ]
            setup.workers = 1
            let daemon = try Daemon(setup)
            let clients = try (1...3).map { try daemon.client(source: "127.0.0.\($0)") }
            for number in 0..<700 {
                for (index, client) in clients.enumerated() { client.ask("n\(number).c\(index).slow.example") }
                if number % 50 == 49 { usleep(5_000) }
            }
            try eventually("nothing is refused") { try daemon.counter("overloaded_server") == 3 * 700 - 2_048 }
            #expect(try #require(clients[2].answer()).code == 2)
            #expect(try daemon.dig("host1.test.example").addresses == ["192.0.2.1"])
        }
    }
}
