import Foundation
import MappingFeed
import Testing

extension EndToEnd {
    /// A daemon that takes over from the one that runs, without a service manager.
    @Suite struct Takeovers {
        /// An upstream with a hundred names, and any number below `any`.
        private static func upstream() throws -> NSD {
            try NSD(
                zone: (0..<100).map { "host\($0) IN A 192.0.2.\($0)" }.joined(separator: "\n")
                    + "\n*.any IN A 192.0.2.200")
        }

        /// A daemon that learns from a server on `port`.
        private static func daemon(upstream port: Int, workers: Int = 2) throws -> Daemon {
            var setup = Setup(upstream: port)
            setup.workers = workers
            setup.policies = ["web.yaml": Setup.policy("web")]
            return try Daemon(setup)
        }

        @Test func `not one of 1,000 queries a second is lost over three upgrades, known names and new ones alike`()
            throws
        {
            let nsd = try Self.upstream()
            let daemon = try Self.daemon(upstream: nsd.port)
            let new = (0..<6_000).map { "n\($0).any.test.example A" }
            let known = (0..<6_000).map { "host\($0 % 100).test.example A" }
            let questions = zip(new, known).flatMap { [$0, $1] }
            for round in 0..<3 {
                let before = daemon.process.pid
                let load = try DNSPerf(
                    Array(questions[(round * 4_000)...]), port: daemon.port, seconds: 2, rate: 1_000)
                try eventually("there is no load") { try daemon.counter("queries_udp") > 100 }
                let old = try daemon.takeOver()
                #expect(old.pid == before && old.poll() == 0, "\(old.errors)")
                #expect(!old.errors.contains("error"), "\(old.errors)")
                #expect(try load.sent() > 500)
            }
        }

        @Test func `what was learned goes on, and who subscribes resumes where it was`() throws {
            let nsd = try Self.upstream()
            let daemon = try Self.daemon(upstream: nsd.port)
            for number in 0..<20 { #expect(try daemon.dig("host\(number).test.example").addresses.count == 1) }
            let first = try FeedSubscriber(daemon.feedSocket, acknowledge: true, after: .zero)
            try first.waitForSnapshot()
            guard case .hello(let before) = first.arrivals.first?.event else { throw HarnessError("no greeting") }
            let mappings = try daemon.mappings().map(\.fqdn).sorted()
            #expect(mappings.count == 20)
            try daemon.takeOver()
            #expect(first.isClosed)
            #expect(try daemon.mappings().map(\.fqdn).sorted() == mappings)
            let second = try FeedSubscriber(
                daemon.feedSocket, acknowledge: true, after: .zero,
                resume: FeedPosition(instance: before.instance, sequence: before.sequence))
            #expect(try daemon.dig("host50.test.example").addresses == ["192.0.2.50"])
            _ = try second.waitForUpsert("host50.test.example.")
            #expect(second.upserts.map { "\($0.name)" } == ["host50.test.example."], "it did not resume")
        }

        @Test(arguments: [(1, 3), (3, 2), (3, 1)]) func `the number of workers may change, and no query is lost`(
            from: Int, to: Int
        ) throws {
            let nsd = try Self.upstream()
            let daemon = try Self.daemon(upstream: nsd.port, workers: from)
            let text = try String(contentsOfFile: daemon.configuration, encoding: .utf8)
            try text.replacingOccurrences(of: "workers: \(from)", with: "workers: \(to)")
                .write(toFile: daemon.configuration, atomically: true, encoding: .utf8)
            let load = try DNSPerf(
                (0..<3_000).map { $0 % 2 == 0 ? "host\($0 % 100).test.example A" : "n\($0).any.test.example A" },
                port: daemon.port, seconds: 3, rate: 1_000)
            try eventually("there is no load") { try daemon.counter("queries_udp") > 300 }
            try daemon.takeOver()
            #expect(try load.sent() > 1_000)
            let threads = "/proc/\(daemon.process.pid)/task"
            let names = try FileManager.default.contentsOfDirectory(atPath: threads)
                .compactMap { try? String(contentsOfFile: "\(threads)/\($0)/comm", encoding: .utf8) }
            #expect(names.count { $0.hasPrefix("worker-") } == to)
        }

        @Test func `a query that waits for a slow upstream is answered by the next process`() throws {
            let nsd = try Self.upstream()
            let relay = try Relay(to: nsd.port)
            defer { relay.stop() }
            relay.swallow(true)
            let daemon = try Self.daemon(upstream: relay.port)
            let client = try daemon.client()
            client.ask("host7.test.example")
            try eventually("the question does not reach the upstream") { relay.count >= 1 }
            try daemon.takeOver()
            relay.swallow(false)
            let answer = try #require(client.answer(), "the query was lost")
            #expect(answer.code == 0 && answer.answerCount == 1)
            #expect(try daemon.mappings().map(\.fqdn) == ["host7.test.example."])
        }

        @Test(arguments: BrokenSuccessor.End.allCases)
        func `whoever dies on the way leaves a daemon that answers`(end: BrokenSuccessor.End) throws {
            let nsd = try Self.upstream()
            let daemon = try Self.daemon(upstream: nsd.port)
            #expect(try daemon.dig("host1.test.example").addresses == ["192.0.2.1"])
            let load = try DNSPerf(
                (0..<100).map { "host\($0).test.example A" }, port: daemon.port, seconds: 2, rate: 500)
            try eventually("there is no load") { try daemon.counter("queries_udp") > 100 }
            try BrokenSuccessor.act(daemon.adminSocket, until: end)
            #expect(try load.sent() > 500)
            #expect(daemon.process.poll() == nil)
            #expect(try daemon.command("cache", "list").output.contains("host1.test.example."))
            // And the next one takes over as if nothing had been.
            try daemon.takeOver()
            #expect(try daemon.dig("host2.test.example").addresses == ["192.0.2.2"])
        }

        @Test func `kill -9 of either at any moment of the hand-over leaves one that answers`() throws {
            let nsd = try Self.upstream()
            let daemon = try Self.daemon(upstream: nsd.port)
            for round in 0..<Self.kills {
                let old = daemon.process
                let new = try Daemon.launch(daemon.configuration, options: ["--takeover"])
                usleep(UInt32.random(in: 0..<150_000))
                let (victim, survivor) = round % 2 == 0 ? (old, new) : (new, old)
                victim.signal(SIGKILL)
                try victim.wait()
                let client = try daemon.client()
                try eventually("nobody answers in round \(round): \(survivor.errors)") {
                    // Who is killed when the other one has left for good was alone: that is no hand-over any more.
                    if survivor === old, old.poll() == 0 { return true }
                    return client.resolve("host\(round % 100).test.example", within: .milliseconds(200)) != nil
                }
                if survivor === old, old.poll() != nil {
                    #expect(victim.errors.contains("answering"), "\(victim.errors)")
                    try daemon.restart()
                } else {
                    try daemon.adopt(survivor)
                }
            }
        }

        /// Rounds of the test that kills.
        private static let kills =
            ProcessInfo.processInfo.environment["DNSPROXYD_KILLS"].flatMap(Int.init) ?? 6

        @Test func `with nobody to take over from, it starts as usual`() throws {
            let nsd = try Self.upstream()
            let daemon = try Self.daemon(upstream: nsd.port)
            #expect(try daemon.stop() == 0)
            try daemon.adopt(Daemon.launch(daemon.configuration, options: ["--takeover"]))
            #expect(try daemon.dig("host1.test.example").addresses == ["192.0.2.1"])
            #expect(daemon.process.errors.contains("nobody to take over from"))
        }

        @Test func `without --takeover a second daemon is refused and the first one goes on`() throws {
            let nsd = try Self.upstream()
            let daemon = try Self.daemon(upstream: nsd.port)
            let second = try Daemon.launch(daemon.configuration)
            #expect(try second.wait() == 1)
            #expect(try daemon.dig("host1.test.example").addresses == ["192.0.2.1"])
        }
    }
}
