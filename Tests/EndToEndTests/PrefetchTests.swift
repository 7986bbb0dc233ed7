import Foundation
import Testing

extension EndToEnd {
    /// Answers that are renewed before they expire. They have 10 s at least, so these tests take that long.
    @Suite struct Prefetch {
        /// Names of the questions that have come to `relay`, in order.
        private static func names(_ relay: Relay) -> [String] {
            relay.queries.map { ScriptedServer.Query(bytes: $0.bytes, isTCP: false).name.lowercased() }
        }

        @Test func `what is asked for often is renewed once in the last tenth of its life, and nothing else is`() throws
        {
            let nsd = try NSD(
                zone: """
                    popular 10 IN A 192.0.2.1
                    seldom 10 IN A 192.0.2.2
                    """)
            let relays = try (1...2).map { _ in try Relay(to: nsd.port) }
            defer { for relay in relays { relay.stop() } }
            // The same beside a daemon that is told not to.
            let daemons = try relays.enumerated().map { index, relay in
                var setup = Setup(upstream: relay.port)
                setup.workers = 4
                if index == 1 { setup.extra = "cache: {prefetch: false}" }
                return try Daemon(setup)
            }
            let start = ContinuousClock.now
            for daemon in daemons {
                for name in ["popular", "seldom"] { _ = try daemon.dig("\(name).test.example") }
            }
            let clients = try daemons.map { daemon in try (1...8).map { _ in try daemon.client() } }
            /// Has everybody ask both daemons for the popular name, and returns the lowest TTL.
            func ask() throws -> [Int] {
                try clients.map { group in
                    for client in group { client.ask("popular.test.example") }
                    return try group.map { try #require($0.answer()?.bytes.firstTTL) }.min() ?? 0
                }
            }
            while ContinuousClock.now - start < .milliseconds(8_700) {
                _ = try ask()
                usleep(200_000)
            }
            for relay in relays {
                #expect(Prefetch.names(relay) == ["popular.test.example", "seldom.test.example"])
            }
            try eventually("it is not renewed", within: .seconds(2)) { try ask()[0] >= 9 }
            #expect(ContinuousClock.now - start < .milliseconds(10_000))
            // Asked for once more than it was stored: not often enough.
            _ = try daemons[0].dig("seldom.test.example")
            for _ in 1...5 { _ = try ask() }
            #expect(Prefetch.names(relays[0]).filter { $0.hasPrefix("popular") }.count == 2)
            #expect(Prefetch.names(relays[0]).filter { $0.hasPrefix("seldom") }.count == 1)
            #expect(relays[1].count == 2)
        }
    }
}

extension [UInt8] {
    /// The TTL of the record right behind the question of a response, if its owner is a pointer.
    fileprivate var firstTTL: Int? {
        let offset = ScriptedServer.Query(bytes: self, isTCP: false).questionEnd
        guard count >= offset + 10, self[offset] >= 0xC0 else { return nil }
        return self[(offset + 6)..<(offset + 10)].reduce(0) { $0 << 8 | Int($1) }
    }
}
