import Foundation
import Synchronization
import Testing

extension EndToEnd {
    /// Answers past their lifetime (RFC 8767).
    @Suite struct Stale {
        /// A daemon whose cache has answers of one second that have expired, and what stands before its upstream.
        private final class Expired {
            /// The upstream.
            private let nsd: NSD
            /// What stands before it; it lets nothing through.
            let relay: Relay
            /// The daemon.
            let daemon: Daemon

            /// Has `names` cached, waits until they have expired, and takes the upstream away.
            init(_ names: [String]) throws {
                nsd = try NSD(zone: "short 1 IN A 192.0.2.9\nbrief 1 IN A 192.0.2.8")
                relay = try Relay(to: nsd.port)
                var setup = Setup(upstream: relay.port)
                setup.extra = "cache: {negativeMaxTTL: 1s}"
                daemon = try Daemon(setup)
                for name in names { _ = try daemon.dig(name) }
                usleep(1_300_000)
                relay.swallow(true)
            }

            deinit { relay.stop() }
        }

        @Test
        func `a client that has waited 1.8 seconds gets what is past its lifetime, then all do for half a minute`()
            throws
        {
            let expired = try Expired(["short.test.example"])
            let client = try expired.daemon.client()
            let start = ContinuousClock.now
            client.ask("short.test.example")
            let first = try #require(client.answer())
            let waited = first.received - start
            #expect(first.code == 0 && first.answerCount == 1)
            #expect(waited > .milliseconds(1_750) && waited < .milliseconds(2_500), "\(waited)")

            // The exchange is still on, and nobody waits for it any more.
            let second = try expired.daemon.dig("short.test.example")
            #expect(second.addresses == ["192.0.2.9"] && second.ttl == 30 && second.extendedError == 3)
            try eventually("the exchange does not end") { try expired.daemon.counter("upstream_failures") == 1 }
            let before = expired.relay.count
            #expect(before > 1)
            for _ in 1...5 {
                let start = ContinuousClock.now
                client.ask("short.test.example")
                let again = try #require(client.answer())
                #expect(again.received - start < .seconds(1))
                #expect(again.code == 0 && again.answerCount == 1)
            }
            #expect(expired.relay.count == before, "asked again within half a minute")
            #expect(try expired.daemon.counter("stale_answers") == 7)
        }

        @Test func `an upstream that comes back renews the answer while clients have the old one`() throws {
            let expired = try Expired(["short.test.example", "brief.test.example"])
            let client = try expired.daemon.client()
            client.ask("short.test.example")
            let stale = try #require(client.answer())
            #expect(stale.answerCount == 1)
            // The next attempt of the same exchange reaches it.
            expired.relay.swallow(false)
            var answer = try expired.daemon.dig("short.test.example")
            try eventually("the answer is not renewed") {
                answer = try expired.daemon.dig("short.test.example")
                return answer.extendedError == nil
            }
            #expect(answer.addresses == ["192.0.2.9"] && answer.ttl ?? 30 <= 1)
            // Tried first: where the upstream answers in time nobody sees what is past its lifetime.
            let other = try expired.daemon.dig("brief.test.example")
            #expect(other.addresses == ["192.0.2.8"] && other.extendedError == nil && other.ttl ?? 30 <= 1)
        }

        @Test func `an NXDOMAIN past its lifetime says so with extended error 19`() throws {
            let expired = try Expired(["none.test.example"])
            let answer = try expired.daemon.dig("none.test.example")
            #expect(answer.status == "NXDOMAIN" && answer.extendedError == 19, "\(answer.text)")
        }

        @Test func `an answer that may not be kept puts an end to the one past its lifetime`() throws {
            let changes = Mutex(0)
            let server = try ScriptedServer { query in
                let number = changes.withLock { count in
                    count += 1
                    return UInt8(count)
                }
                return [query.response(address: [192, 0, 2, number], ttl: number == 1 ? 1 : 0)]
            }
            defer { server.stop() }
            let daemon = try Daemon(Setup(upstream: server.port))
            #expect(try daemon.dig("host.test.example").addresses == ["192.0.2.1"])
            usleep(1_300_000)
            for number in 2...4 {
                let answer = try daemon.dig("host.test.example")
                #expect(answer.addresses == ["192.0.2.\(number)"] && answer.extendedError == nil, "\(answer.text)")
            }
        }

        @Test func `serveStale 0s serves nothing past its lifetime`() throws {
            let nsd = try NSD(zone: "short 1 IN A 192.0.2.9")
            let relay = try Relay(to: nsd.port)
            defer { relay.stop() }
            var setup = Setup(upstream: relay.port)
            setup.extra = "cache: {serveStale: 0s}"
            let daemon = try Daemon(setup)
            #expect(try daemon.dig("short.test.example").addresses == ["192.0.2.9"])
            usleep(1_300_000)
            relay.swallow(true)
            #expect(try daemon.dig("short.test.example +time=10").status == "SERVFAIL")
        }
    }
}
