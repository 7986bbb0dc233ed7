import Foundation
import MappingFeed
import Testing

extension EndToEnd {
    /// Ends and beginnings of the daemon.
    @Suite struct Restarts {
        /// A daemon that learns from `upstream`.
        private static func daemon(upstream port: Int, workers: Int = 2) throws -> Daemon {
            var setup = Setup(upstream: port)
            setup.workers = workers
            setup.policies = ["web.yaml": Setup.policy("web")]
            return try Daemon(setup)
        }

        @Test func `after kill -9 right behind an answer the mapping is there and the subscriber gets it`() throws {
            let nsd = try NSD(zone: (1...9).map { "host\($0) IN A 192.0.2.\($0)" }.joined(separator: "\n"))
            let daemon = try Restarts.daemon(upstream: nsd.port)
            let client = try daemon.client()
            for round in 1...3 {
                let answer = try #require(client.resolve("host\(round).test.example"))
                daemon.process.signal(SIGKILL)
                #expect(answer.answerCount == 1)
                try daemon.restart()
                let list = try daemon.command("cache", "list", "-o", "json")
                let subscriber = try FeedSubscriber(daemon.feedSocket, acknowledge: true, after: .zero)
                try subscriber.waitForSnapshot()
                for number in 1...round {
                    #expect(list.output.contains("host\(number).test.example."), "\(list.output)")
                    let (upsert, _) = try subscriber.waitForUpsert("host\(number).test.example.", client: "127.0.0.1")
                    #expect(upsert.addresses.map { "\($0.ip)" } == ["192.0.2.\(number)"])
                    #expect(upsert.rules.map(\.policy) == ["shop/web"])
                }
                subscriber.disconnect()
            }
        }

        @Test func `SIGTERM answers what is in flight and exits with status 0`() throws {
            let nsd = try NSD(zone: "one IN A 192.0.2.1")
            let relay = try Relay(to: nsd.port, delay: .milliseconds(600))
            defer { relay.stop() }
            let daemon = try Restarts.daemon(upstream: relay.port)
            let client = try daemon.client()
            client.ask("one.test.example")
            try eventually("the question does not reach the upstream") { relay.count == 1 }
            daemon.process.signal(SIGTERM)
            let answer = try #require(client.answer(), "the question in flight was dropped")
            #expect(answer.code == 0 && answer.answerCount == 1)
            #expect(try daemon.process.wait() == 0)
            // The journal was flushed as well.
            try daemon.restart()
            #expect(try daemon.command("cache", "list").output.contains("one.test.example."))
        }

        @Test func `SIGTERM and SIGINT end an idle daemon at once, and its sockets are gone`() throws {
            for signal in [SIGTERM, SIGINT] {
                let daemon = try Restarts.daemon(upstream: 9)
                let subscriber = try FeedSubscriber(daemon.feedSocket, acknowledge: true, after: .zero)
                try subscriber.waitForSnapshot()
                daemon.process.signal(signal)
                #expect(try daemon.process.wait(within: .seconds(5)) == 0)
                try eventually("the subscriber is still connected") { subscriber.isClosed }
                #expect(access(daemon.adminSocket, F_OK) != 0 && access(daemon.feedSocket, F_OK) != 0)
            }
        }

        @Test(arguments: [
            #"{"event":"upsert","seq":9"#, "\u{0}\u{0}\u{0}\n", #"{"event":"upsert","seq":"nine"}"# + "\n",
        ])
        func `a torn journal is restored up to the tear and the rest is set aside`(_ tail: String) throws {
            let nsd = try NSD(zone: "one IN A 192.0.2.1\ntwo IN A 192.0.2.2")
            let daemon = try Restarts.daemon(upstream: nsd.port)
            #expect(try daemon.dig("one.test.example").addresses == ["192.0.2.1"])
            daemon.process.signal(SIGKILL)
            try daemon.process.wait()
            let folder = daemon.workspace.file("journal")
            let journal = try #require(FileHandle(forWritingAtPath: "\(folder)/journal.jsonl"))
            try journal.seekToEnd()
            try journal.write(contentsOf: Data(tail.utf8))
            try journal.close()

            try daemon.restart()
            #expect(try daemon.command("cache", "list").output.contains("one.test.example."))
            let files = try FileManager.default.contentsOfDirectory(atPath: folder)
            let aside = try #require(files.first { $0.contains(".corrupt-") }, "\(files)")
            #expect(try daemon.workspace.read("journal/\(aside)").contains(tail.dropLast()))
            #expect(daemon.process.errors.contains("journal.jsonl"), "\(daemon.process.errors)")
            // What it learns now is durable again.
            #expect(try daemon.dig("two.test.example").addresses == ["192.0.2.2"])
            daemon.process.signal(SIGKILL)
            try daemon.restart()
            let list = try daemon.command("cache", "list").output
            #expect(list.contains("one.test.example.") && list.contains("two.test.example."))
        }

        @Test func `an enforcer that resumes gets exactly what it missed`() throws {
            let nsd = try NSD(zone: "one IN A 192.0.2.1\ntwo IN A 192.0.2.2")
            let daemon = try Restarts.daemon(upstream: nsd.port)
            let first = try FeedSubscriber(daemon.feedSocket, acknowledge: true, after: .zero)
            try first.waitForSnapshot()
            #expect(try daemon.dig("one.test.example").addresses == ["192.0.2.1"])
            let (upsert, _) = try first.waitForUpsert("one.test.example.")
            guard case .hello(let hello) = first.arrivals.first?.event else {
                Issue.record("the first line is no hello: \(first.arrivals)")
                return
            }
            first.disconnect()
            #expect(try daemon.dig("two.test.example").addresses == ["192.0.2.2"])
            let second = try FeedSubscriber(
                daemon.feedSocket, acknowledge: true, after: .zero,
                resume: FeedPosition(instance: hello.instance, sequence: upsert.sequence))
            _ = try second.waitForUpsert("two.test.example.")
            #expect(second.upserts.map { "\($0.name)" } == ["two.test.example."])
            #expect(!second.arrivals.contains { if case .snapshotBegin = $0.event { true } else { false } })
        }
    }
}
