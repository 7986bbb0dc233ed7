import Foundation
import Testing

extension EndToEnd {
    /// A cache of the smallest size, asked for more names than it holds.
    @Suite struct Flood {
        /// What status says about the cache.
        private struct Status: Decodable {
            /// The cache.
            struct Answers: Decodable {
                /// Answers held.
                let entries: Int
                /// Bytes of those.
                let bytes: Int
                /// Bytes that it may occupy.
                let capacity: Int
            }

            /// The cache.
            let answers: Answers
        }

        /// Asks for all `names` and waits for all answers, some hundred at a time.
        private static func ask(_ client: DNSClient, _ names: [String]) throws {
            for start in stride(from: 0, to: names.count, by: 64) {
                let batch = names[start..<min(start + 64, names.count)]
                for name in batch { client.ask(name) }
                for _ in batch { _ = try #require(client.answer(), "a question is not answered") }
            }
        }

        @Test func `a flood of random names pushes nothing out that is asked for again`() throws {
            let nsd = try NSD(zone: "*.set IN A 192.0.2.1")
            var setup = Setup(upstream: nsd.port)
            setup.workers = 1
            setup.extra = "cache: {size: 1MiB}"
            let daemon = try Daemon(setup)
            let client = try daemon.client()
            let working = (1...500).map { "host\($0).set.test.example" }
            /// As many names that nobody asks for again.
            func flood(_ count: Int) throws {
                try Flood.ask(client, (1...count).map { "\(UInt32.random(in: .min ... .max))x\($0).test.example" })
            }
            for _ in 1...2 { try Flood.ask(client, working) }
            try flood(1_000)
            try Flood.ask(client, working)
            #expect(try daemon.counter("cache_misses") == 1_500)

            // Each costs about 140 bytes: more than the cache holds, between two questions for the same name.
            try flood(9_000)
            let before = try daemon.counter("cache_misses")
            #expect(before == 10_500)
            try Flood.ask(client, working)
            let lost = try daemon.counter("cache_misses") - before
            #expect(lost == 0)

            let text = try daemon.command("status", "-o", "json").output
            let answers = try JSONDecoder().decode(Status.self, from: Data(text.utf8)).answers
            #expect(answers.capacity <= 1 << 20 && answers.bytes <= answers.capacity)
            #expect(answers.entries < 9_000 && answers.bytes > answers.capacity / 2, "the flood fits: \(answers)")
        }
    }
}
