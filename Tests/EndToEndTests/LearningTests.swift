import Foundation
import Testing

extension EndToEnd {
    /// No client sees an address before every enforcer that acknowledges has it, for that client's own identity.
    @Suite struct Learning {
        /// A daemon before an upstream that knows one name, with two identities that both may ask for everything.
        private struct Pair {
            /// The upstream.
            let nsd: NSD
            /// Counts what reaches it.
            let relay: Relay
            /// The daemon.
            let daemon: Daemon

            /// Starts both.
            init(maxDelay: String) throws {
                nsd = try NSD(zone: "one IN A 192.0.2.1\ntwo IN A 192.0.2.2")
                relay = try Relay(to: nsd.port)
                var setup = Setup(upstream: relay.port)
                setup.maxDelay = maxDelay
                setup.policies = [
                    "web.yaml": Setup.policy("web"), "batch.yaml": Setup.policy("batch", port: 5432),
                ]
                daemon = try Daemon(setup)
            }

            /// Subscribes, and waits until the daemon counts the subscriber.
            func subscribe(acknowledge: Bool, after delay: Duration? = nil) throws -> FeedSubscriber {
                let subscriber = try FeedSubscriber(daemon.feedSocket, acknowledge: acknowledge, after: delay)
                try subscriber.waitForSnapshot()
                try eventually("the subscriber is not counted") {
                    guard let feed = try daemon.status()?.feed else { return false }
                    return acknowledge ? feed.acknowledging > 0 : feed.subscribers.count > 0
                }
                return subscriber
            }
        }

        @Test func `each identity has its mapping published and acknowledged before its answer, cached or not`() throws
        {
            let pair = try Pair(maxDelay: "10s")
            defer { pair.relay.stop() }
            let delay = Duration.milliseconds(300)
            let enforcer = try pair.subscribe(acknowledge: true, after: delay)
            for source in ["127.0.0.1", "127.0.0.2"] {
                let client = try pair.daemon.client(source: source)
                let asked = ContinuousClock.now
                let answer = try #require(client.resolve("one.test.example"), "no answer for \(source)")
                #expect(answer.code == 0 && answer.answerCount == 1)
                let (upsert, published) = try enforcer.waitForUpsert("one.test.example.", client: source)
                #expect(upsert.addresses.map { "\($0.ip)" } == ["192.0.2.1"])
                #expect(upsert.rules.map(\.policy) == [source == "127.0.0.1" ? "shop/web" : "shop/batch"])
                #expect(upsert.rules.flatMap(\.ports).map(\.port) == [source == "127.0.0.1" ? 443 : 5432])
                let acknowledged = try #require(enforcer.acknowledged(upsert.sequence))
                #expect(asked < published && published < acknowledged)
                #expect(acknowledged <= answer.received, "the answer to \(source) left before the acknowledgement")
                #expect(answer.received - asked >= delay)
            }
            // The second one was answered from the cache all the same.
            #expect(pair.relay.count == 1)
            #expect(try pair.daemon.counter("cache_hits") == 1)
            #expect(Set(enforcer.upserts.map(\.identity)).count == 2)

            // Acknowledged once, the next answer waits for nothing.
            let client = try pair.daemon.client(source: "127.0.0.2")
            let asked = ContinuousClock.now
            let again = try #require(client.resolve("one.test.example"))
            #expect(again.received - asked < delay)
        }

        @Test func `an acknowledged answer over TCP waits as well`() throws {
            let pair = try Pair(maxDelay: "10s")
            defer { pair.relay.stop() }
            let enforcer = try pair.subscribe(acknowledge: true, after: .milliseconds(300))
            #expect(try pair.daemon.dig("one.test.example +tcp").addresses == ["192.0.2.1"])
            let received = ContinuousClock.now
            let (upsert, _) = try enforcer.waitForUpsert("one.test.example.")
            let acknowledged = try #require(enforcer.acknowledged(upsert.sequence))
            #expect(acknowledged <= received)
        }

        @Test func `after maxDelay the answer comes anyway, and a counter says so`() throws {
            let pair = try Pair(maxDelay: "200ms")
            defer { pair.relay.stop() }
            let enforcer = try pair.subscribe(acknowledge: true)
            #expect(try pair.daemon.counter("hold_timeouts") == 0)
            let client = try pair.daemon.client()
            let asked = ContinuousClock.now
            let answer = try #require(client.resolve("one.test.example"))
            #expect(answer.code == 0 && answer.answerCount == 1)
            #expect(answer.received - asked >= .milliseconds(200))
            _ = try enforcer.waitForUpsert("one.test.example.")
            try eventually("the delay is not counted") { try pair.daemon.counter("hold_timeouts") == 1 }
            let status = try pair.daemon.command("status")
            #expect(status.status == 0)
            #expect(status.output.contains("hold_timeouts"), "\(status.output)")
        }

        @Test func `with onDelay servfail the client gets no address before the acknowledgement`() throws {
            let pair = try Pair(maxDelay: "200ms, onDelay: servfail")
            defer { pair.relay.stop() }
            let enforcer = try pair.subscribe(acknowledge: true)
            let answer = try pair.daemon.dig("one.test.example")
            _ = try enforcer.waitForUpsert("one.test.example.")
            #expect(answer.status == "SERVFAIL", "\(answer.text)")
            #expect(answer.records.isEmpty)
        }

        @Test func `an enforcer that leaves holds nobody back`() throws {
            let pair = try Pair(maxDelay: "10s")
            defer { pair.relay.stop() }
            let enforcer = try pair.subscribe(acknowledge: true)
            let client = try pair.daemon.client()
            client.ask("one.test.example")
            _ = try enforcer.waitForUpsert("one.test.example.")
            #expect(client.answer(within: .milliseconds(200)) == nil)
            let left = ContinuousClock.now
            enforcer.disconnect()
            let answer = try #require(client.answer())
            #expect(answer.answerCount == 1)
            #expect(answer.received - left < .seconds(5))
        }

        @Test func `a subscriber that only watches delays nothing`() throws {
            let pair = try Pair(maxDelay: "10s")
            defer { pair.relay.stop() }
            let watcher = try pair.subscribe(acknowledge: false)
            let client = try pair.daemon.client()
            let asked = ContinuousClock.now
            let answer = try #require(client.resolve("one.test.example"))
            #expect(answer.received - asked < .seconds(5))
            _ = try watcher.waitForUpsert("one.test.example.")
        }

        @Test func `what an identity may not ask for is neither answered from the cache nor learned`() throws {
            let nsd = try NSD(zone: "one IN A 192.0.2.1")
            let relay = try Relay(to: nsd.port)
            defer { relay.stop() }
            var setup = Setup(upstream: relay.port)
            setup.policies = [
                "web.yaml": Setup.policy("web"),
                "batch.yaml": Setup.policy("batch", dns: ["other.example"], learn: ["other.example"]),
            ]
            let daemon = try Daemon(setup)
            #expect(try daemon.dig("one.test.example").addresses == ["192.0.2.1"])
            for transport in ["+notcp", "+tcp"] {
                let denied = try daemon.dig("one.test.example \(transport)", source: "127.0.0.2")
                #expect(denied.status == "REFUSED" && denied.extendedError == 15, "\(denied.text)")
                #expect(denied.records.isEmpty)
            }
            // No identity owns this address, and there is a policy: prohibited, with another extended error.
            let unknown = try daemon.dig("one.test.example", source: "127.0.0.77")
            #expect(unknown.status == "REFUSED" && unknown.extendedError == 18, "\(unknown.text)")
            #expect(relay.count == 1, "a denied question reached the upstream")
            let list = try daemon.command("cache", "list", "-o", "wide")
            #expect(!list.output.contains("127.0.0.2") && !list.output.contains("127.0.0.77"), "\(list.output)")
        }
    }
}
