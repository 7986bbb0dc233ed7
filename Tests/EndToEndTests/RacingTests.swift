import Foundation
import Testing

extension EndToEnd {
    /// Two upstreams, one of which is slow, gone or back.
    @Suite struct Racing {
        /// What the good upstream knows.
        private static let zone = (1...40).map { "host\($0) IN A 192.0.2.\($0)" }.joined(separator: "\n")

        /// A daemon that asks the servers at `ports`.
        private func daemon(_ ports: [Int], policy: String = "sequential") throws -> Daemon {
            var setup = Setup()
            let servers = ports.map { "\"127.0.0.1:\($0)\"" }.joined(separator: ", ")
            setup.upstreams = ["{servers: [\(servers)], policy: \(policy)}"]
            setup.workers = 1
            return try Daemon(setup)
        }

        /// How long `name` takes.
        private func time(_ name: String, _ client: DNSClient) throws -> Duration {
            let start = ContinuousClock.now
            client.ask(name)
            let answer = try #require(client.answer())
            #expect(answer.code == 0 && answer.answerCount == 1, "\(name)")
            return answer.received - start
        }

        @Test func `a silent first server costs the first name less than a second and later ones nothing`() throws {
            let nsd = try NSD(zone: Racing.zone)
            let silent = try Relay(to: nil)
            defer { silent.stop() }
            let daemon = try daemon([silent.port, nsd.port])
            let client = try daemon.client()
            let first = try time("host1.test.example", client)
            #expect(first < .seconds(1), "\(first)")
            try eventually("the silent server is not found out") {
                try daemon.status()?.upstreams.first?.isUp == false
            }
            // Among them are questions that the silent server gets as well, to see whether it is back.
            var times: [Duration] = []
            for number in 2...40 {
                times.append(try time("host\(number).test.example", client))
                usleep(100_000)
            }
            #expect(try #require(times.max()) < .milliseconds(390), "\(times)")
            try eventually("nobody looks how it does") { try daemon.counter("upstream_probes") > 0 }
            #expect(try daemon.counter("upstream_races") == 1)
            print("first with a silent server before: \(first); later: \(times.max() ?? .zero)")
        }

        @Test func `a first server that takes longer than usual is overtaken by the second and stays up`() throws {
            let nsd = try NSD(zone: Racing.zone)
            let slow = try Relay(to: nsd.port)
            let fast = try Relay(to: nsd.port)
            defer {
                slow.stop()
                fast.stop()
            }
            let daemon = try daemon([slow.port, fast.port])
            let client = try daemon.client()
            for number in 1...10 { _ = try time("host\(number).test.example", client) }
            #expect(fast.count == 0, "the first server is quick, so nobody asks the second")
            slow.setDelay(.milliseconds(600))
            let overtaken = try time("host11.test.example", client)
            #expect(overtaken < .milliseconds(500), "\(overtaken)")
            #expect(fast.count == 1)
            // Its answer comes after all, and counts as one.
            usleep(800_000)
            #expect(try daemon.status()?.upstreams.map(\.isUp) == [true, true])
            #expect(try daemon.counter("upstream_timeouts") == 0)
        }

        @Test func `a server that is back is used again`() throws {
            let nsd = try NSD(zone: Racing.zone)
            let first = try Relay(to: nsd.port)
            let second = try Relay(to: nsd.port)
            defer {
                first.stop()
                second.stop()
            }
            first.swallow(true)
            let daemon = try daemon([first.port, second.port])
            let client = try daemon.client()
            _ = try time("host1.test.example", client)
            try eventually("the silent server is not found out") {
                try daemon.status()?.upstreams.first?.isUp == false
            }
            first.swallow(false)
            var number = 1
            try eventually("the first server is not asked again") {
                number += 1
                _ = try time("host\(number).test.example", client)
                usleep(200_000)
                return try daemon.status()?.upstreams.first?.isUp == true
            }
            let before = second.count
            _ = try time("host40.test.example", client)
            #expect(second.count == before)
        }

        @Test func `round robin and random use every server`() throws {
            let nsd = try NSD(zone: Racing.zone)
            for policy in ["roundRobin", "random"] {
                let relays = try (0..<2).map { _ in try Relay(to: nsd.port) }
                defer { for relay in relays { relay.stop() } }
                let daemon = try daemon(relays.map(\.port), policy: policy)
                let client = try daemon.client()
                for number in 1...40 { _ = try time("host\(number).test.example", client) }
                let counts = relays.map(\.count)
                #expect(try #require(counts.min()) >= (policy == "random" ? 5 : 20), "\(policy): \(counts)")
            }
        }

        @Test(.enabled(if: NetworkNamespace.isAvailable, "needs root, to create a network namespace"))
        func `a server whose packets a firewall drops is found out and comes back when they pass`() throws {
            let namespace = try NetworkNamespace()
            let near = try NSD(zone: Racing.zone)
            let far = try NSD(zone: Racing.zone, at: (namespace.inside, namespace.clientAddress))
            var setup = Setup()
            setup.upstreams = [
                #"{servers: ["\#(namespace.clientAddress):\#(far.port)", "127.0.0.1:\#(near.port)"]}"#
            ]
            setup.workers = 1
            let daemon = try Daemon(setup)
            let client = try daemon.client()
            _ = try time("host1.test.example", client)
            #expect(try daemon.counter("upstream_races") == 0)
            for rule in [
                "add table inet dnsproxyd", "add chain inet dnsproxyd in { type filter hook input priority 0; }",
                "add rule inet dnsproxyd in udp dport \(far.port) drop",
            ] {
                let result = try namespace.execute(["nft", rule])
                try #require(result.status == 0, "\(result.errors)")
            }
            let first = try time("host2.test.example", client)
            #expect(first < .seconds(1), "\(first)")
            try eventually("the server is not found out") { try daemon.status()?.upstreams.first?.isUp == false }
            let next = try time("host3.test.example", client)
            #expect(next < .milliseconds(500), "\(next)")
            #expect(try namespace.execute(["nft", "delete table inet dnsproxyd"]).status == 0)
            var number = 3
            try eventually("the server does not come back") {
                number += 1
                _ = try time("host\(number).test.example", client)
                usleep(200_000)
                return try daemon.status()?.upstreams.first?.isUp == true
            }
            print("first name behind a dropping firewall: \(first); the next: \(next)")
        }
    }
}
