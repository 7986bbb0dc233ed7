import Foundation
import MappingFeed
import Testing

extension EndToEnd {
    /// The wall clock is set while the daemon runs: by an hour, and by ten years, forth and back.
    @Suite struct ClockFaults {
        /// What a mapping lists of its end.
        private struct Listed: Decodable {
            /// The keys that are read.
            enum CodingKeys: String, CodingKey {
                case fqdn
                case end = "expiration-time"
            }

            /// The name.
            let fqdn: String
            /// When it ends.
            let end: String
        }

        /// Seconds that each mapping has left by the clock that is `step` ahead of ours, by name.
        private static func left(_ daemon: Daemon, _ step: Int) throws -> [String: Double] {
            let text = try daemon.command("cache", "list", "-o", "json").output
            let format = ISO8601DateFormatter()
            var left: [String: Double] = [:]
            for mapping in try JSONDecoder().decode([Listed].self, from: Data(text.utf8)) {
                let whole = mapping.end.prefix { $0 != "." && $0 != "Z" } + "Z"
                let end = try #require(format.date(from: String(whole)), "\(mapping.end)")
                left[mapping.fqdn] = end.timeIntervalSinceNow - Double(step)
            }
            return left
        }

        /// Seconds that a mapping of a TTL of 300 may have left within a minute: with the grace of 60 s.
        private static let lifetime = 290.0...365.0

        @Test(
            .enabled(if: FakeClock.library != nil, "needs faketime, which make test installs"),
            arguments: [3_600, -3_600, 315_360_000, -315_360_000])
        func `after a step of the clock answers and mappings live as long as they would have, over a kill too`(
            step: Int
        ) throws {
            let nsd = try NSD(zone: "one IN A 192.0.2.1\ntwo IN A 192.0.2.2")
            let relay = try Relay(to: nsd.port)
            defer { relay.stop() }
            let clock = try FakeClock()
            var setup = Setup(upstream: relay.port)
            setup.policies = ["web.yaml": Setup.policy("web")]
            let daemon = try Daemon(setup, through: try clock.wrapper())
            let first = try FeedSubscriber(daemon.feedSocket, acknowledge: true, after: .zero)
            try first.waitForSnapshot()
            #expect(try daemon.dig("one.test.example").addresses == ["192.0.2.1"])
            #expect(try Self.left(daemon, 0).values.allSatisfy { Self.lifetime.contains($0) })

            try clock.set(step)
            let before = try Self.left(daemon, step)
            #expect(before.count == 1 && before.values.allSatisfy { Self.lifetime.contains($0) }, "\(before)")
            // From the cache, as if nothing had happened.
            let cached = try daemon.dig("one.test.example")
            #expect(cached.addresses == ["192.0.2.1"] && (cached.ttl ?? 0) > 200, "\(cached.text)")
            #expect(relay.count == 1)
            #expect(try daemon.dig("two.test.example").addresses == ["192.0.2.2"])
            let (upsert, _) = try first.waitForUpsert("two.test.example.")
            let expires = try #require(upsert.addresses.first?.expires)
            #expect(Self.lifetime.contains(expires - Date().timeIntervalSince1970 - Double(step)))
            #expect(first.acknowledged(upsert.sequence) != nil && !first.isClosed)

            daemon.process.signal(SIGKILL)
            try daemon.restart()
            let restored = try Self.left(daemon, step)
            #expect(restored.keys.sorted() == ["one.test.example.", "two.test.example."])
            #expect(restored.values.allSatisfy { Self.lifetime.contains($0) }, "\(restored)")
            let second = try FeedSubscriber(daemon.feedSocket, acknowledge: true, after: .zero)
            try second.waitForSnapshot()
            let ends = second.upserts.flatMap(\.addresses).map {
                $0.expires - Date().timeIntervalSince1970 - Double(step)
            }
            #expect(ends.count == 2 && ends.allSatisfy { Self.lifetime.contains($0) }, "\(ends)")
        }
    }
}
