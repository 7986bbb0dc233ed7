import Foundation
import MappingFeed
import Testing

extension EndToEnd {
    /// Whatever way an answer takes, the mapping of every address in it is in force first, and outlives it.
    @Suite struct Holding {
        /// A daemon whose one enforcer takes 300 ms to confirm a change.
        private struct Stage {
            /// The upstream.
            let nsd: NSD
            /// Stands between both, and can be taken away.
            let relay: Relay
            /// The daemon.
            let daemon: Daemon
            /// The enforcer.
            let enforcer: FeedSubscriber

            /// Time that the enforcer takes.
            static let delay = Duration.milliseconds(300)

            /// Starts everything; `policy` is that of the one identity.
            init(zone: String, policy: String = Setup.policy("web"), extra: String = "") throws {
                nsd = try NSD(zone: zone)
                relay = try Relay(to: nsd.port)
                var setup = Setup(upstream: relay.port)
                setup.maxDelay = "10s"
                setup.policies = ["web.yaml": policy]
                setup.extra = extra
                daemon = try Daemon(setup)
                enforcer = try FeedSubscriber(daemon.feedSocket, acknowledge: true, after: Stage.delay)
                try enforcer.waitForSnapshot()
                let daemon = daemon
                try eventually("the enforcer is not counted") { try daemon.status()?.feed.acknowledging == 1 }
            }

            /// Upserts that have come for `name`.
            func upserts(_ name: String) -> [MappingUpsert] { enforcer.upserts.filter { "\($0.name)" == name } }

            /// Requires that the last change for `name` was confirmed before `answer` came, and lives at least for
            /// `seconds` from then.
            func expectInForce(_ name: String, before answer: DNSAnswer, atLeast seconds: Double) throws {
                let upsert = try #require(upserts(name).last)
                let acknowledged = try #require(enforcer.acknowledged(upsert.sequence))
                #expect(acknowledged <= answer.received, "the answer left before the mapping was in force")
                let left = try #require(upsert.addresses.map(\.expires).min()) - Date().timeIntervalSince1970
                #expect(left >= seconds, "the mapping ends in \(left) s")
            }
        }

        @Test func `a stale answer extends its mapping first`() throws {
            let stage = try Stage(zone: "short 1 IN A 192.0.2.9", extra: "learning: {grace: 0s}")
            let client = try stage.daemon.client()
            let fresh = try #require(client.resolve("short.test.example"))
            #expect(fresh.answerCount == 1)
            stage.relay.stop()
            // Past its TTL and without an upstream, the same answer comes as a stale one.
            try eventually("no stale answer", within: .seconds(30)) {
                guard let answer = client.resolve("short.test.example"), answer.answerCount == 1 else { return false }
                guard try stage.daemon.counter("stale_answers") > 0 else { return false }
                // RFC 8767: clients may keep it for 30 s; 28 allow for the time since.
                try stage.expectInForce("short.test.example.", before: answer, atLeast: 28)
                return true
            }
        }

        @Test func `a renewed answer extends its mapping before a client sees the longer TTL`() throws {
            let stage = try Stage(zone: "popular 10 IN A 192.0.2.9", extra: "learning: {grace: 0s}")
            defer { stage.relay.stop() }
            let client = try stage.daemon.client()
            _ = try #require(client.resolve("popular.test.example"))
            var last: DNSAnswer?
            try eventually("it was never renewed", within: .seconds(20)) {
                last = client.resolve("popular.test.example")
                return stage.upserts("popular.test.example.").count == 2
            }
            let renewed = try #require(client.resolve("popular.test.example") ?? last)
            // The new lifetime of 10 s, less what has passed meanwhile.
            try stage.expectInForce("popular.test.example.", before: renewed, atLeast: 7)
            #expect(stage.relay.count == 2)
        }

        @Test func `an answer with more addresses than a name may have is cut to those that are in force`() throws {
            let zone = (1...9).map { "many IN A 192.0.2.\($0)" }.joined(separator: "\n")
            let stage = try Stage(zone: zone, extra: "learning: {maxAddressesPerName: 4}")
            defer { stage.relay.stop() }
            for transport in ["+notcp", "+tcp"] {
                let answer = try stage.daemon.dig("many.test.example \(transport)")
                let open = Set(stage.upserts("many.test.example.").flatMap { $0.addresses.map { "\($0.ip)" } })
                #expect(answer.addresses.count == 4 && open == Set(answer.addresses), "\(open) \(answer.addresses)")
            }
            // Whoever learns nothing gets the whole answer.
            #expect(try stage.daemon.dig("many.test.example", source: "127.0.0.2").addresses.count == 9)
            #expect(try stage.daemon.counter("answers_cut") == 2)
        }

        @Test
        func
            `after a reload a cached answer waits for its mapping under other rules, and under the same ones for nothing`()
            throws
        {
            let stage = try Stage(zone: "www 3600 IN A 192.0.2.9")
            defer { stage.relay.stop() }
            let client = try stage.daemon.client()
            _ = try #require(client.resolve("www.test.example"))
            for (port, published) in [(443, 1), (8443, 2), (8443, 2), (443, 3)] {
                let before = try #require(try stage.daemon.status()).policy.generation
                try stage.daemon.workspace.write("policies/web.yaml", Setup.policy("web", port: port))
                stage.daemon.process.signal(SIGHUP)
                try eventually("no reload") { try stage.daemon.status()?.policy.generation ?? 0 > before }
                let answer = try #require(client.resolve("www.test.example"))
                #expect(answer.answerCount == 1)
                try stage.expectInForce("www.test.example.", before: answer, atLeast: 3_500)
                let upserts = stage.upserts("www.test.example.")
                #expect(upserts.count == published && upserts.last?.rules.first?.ports.first?.port == UInt16(port))
            }
        }

        @Test
        func `an answer whose addresses came by several events waits for a new one when one of those is rejected`()
            throws
        {
            let nsd = try NSD(
                zone: """
                    www 3600 IN A 192.0.2.9
                    www 3600 IN AAAA 2001:db8::9
                    www 60 IN HTTPS 1 . ipv4hint=192.0.2.9 ipv6hint=2001:db8::9
                    """)
            var setup = Setup(upstream: nsd.port)
            setup.maxDelay = "60s"
            setup.policies = ["web.yaml": Setup.policy("web")]
            let daemon = try Daemon(setup)
            let enforcer = try FeedSubscriber(daemon.feedSocket, acknowledge: true)
            try enforcer.waitForSnapshot()
            try eventually("the enforcer is not counted") { try daemon.status()?.feed.acknowledging == 1 }
            let client = try daemon.client()
            for (number, type) in [1, 28, 65].enumerated() as EnumeratedSequence<[UInt16]> {
                client.ask("www.test.example", type, id: type)
                try eventually("type \(type) is not published") { enforcer.upserts.count == number + 1 }
            }
            let events = enforcer.upserts
            #expect(events[2].addresses.map(\.ip) == [events[0], events[1]].flatMap(\.addresses).map(\.ip))
            enforcer.send(.nack(FeedRejection(sequence: events[0].sequence, error: "no room")))
            enforcer.send(.ack(events[1].sequence))
            let answers = [try #require(client.answer()), try #require(client.answer())]
            #expect(answers.map(\.id) == [1, 28])
            #expect(client.answer(within: .milliseconds(300)) == nil, "the answer left without its first address")
            enforcer.send(.ack(events[2].sequence))
            #expect(try #require(client.answer()).id == 65)
        }

        @Test func `a new address of an identity counts from when the enforcer knows of it, or maxDelay has passed`()
            throws
        {
            let nsd = try NSD(zone: "www 3600 IN A 192.0.2.9")
            for (delay, isConfirmed) in [("60s", true), ("1s", false)] {
                var setup = Setup(upstream: nsd.port)
                setup.maxDelay = delay
                setup.policies = ["web.yaml": Setup.policy("web")]
                let daemon = try Daemon(setup)
                let enforcer = try FeedSubscriber(daemon.feedSocket, acknowledge: true)
                try enforcer.waitForSnapshot()
                try eventually("the enforcer is not counted") { try daemon.status()?.feed.acknowledging == 1 }
                try daemon.workspace.write(
                    "identities.yaml",
                    "identities:\n"
                        + Setup.twoIdentities.replacingOccurrences(of: "127.0.0.1,", with: "127.0.0.1, 127.0.0.3,")
                        + "\n")
                daemon.process.signal(SIGHUP)
                var sequence: UInt64 = 0
                try eventually("the address is not announced: \(enforcer.arrivals)") {
                    for arrival in enforcer.arrivals {
                        guard case .identity(let identity) = arrival.event, identity.addresses.count == 3 else {
                            continue
                        }
                        sequence = identity.sequence
                    }
                    return sequence > 0
                }
                let announced = ContinuousClock.now
                if isConfirmed {
                    usleep(300_000)
                    #expect(try daemon.status()?.policy.generation == 1, "it counts before anybody knows of it")
                    enforcer.send(.ack(sequence))
                }
                try eventually("no reload") { try daemon.status()?.policy.generation ?? 0 > 1 }
                if !isConfirmed { #expect(ContinuousClock.now - announced > .milliseconds(500), "it did not wait") }
            }
        }

        @Test func `with match-aliases the target of an alias selects, and the name asked for is what is learned`()
            throws
        {
            let zone = "www IN CNAME edge\nedge IN A 192.0.2.7\nother IN CNAME elsewhere\nelsewhere IN A 192.0.2.8"
            let policy = Setup.policy("web", learn: ["edge.test.example"])
            for (annotation, isLearned) in [
                ("", false), (#", annotations: {dnsproxyd.io/match-aliases: "true"}"#, true),
            ] {
                let stage = try Stage(
                    zone: zone,
                    policy: policy.replacingOccurrences(of: "namespace: shop}", with: "namespace: shop\(annotation)}"))
                defer { stage.relay.stop() }
                for _ in 1...2 {
                    #expect(try stage.daemon.dig("www.test.example").addresses == ["192.0.2.7"])
                    #expect(try stage.daemon.dig("other.test.example").addresses == ["192.0.2.8"])
                }
                let learned = stage.enforcer.upserts.map { "\($0.name) \($0.chain) \($0.addresses.map(\.ip))" }
                #expect(learned == (isLearned ? ["www.test.example. [edge.test.example.] [192.0.2.7]"] : []))
                // A reload under which nothing changes takes nothing away.
                stage.daemon.process.signal(SIGHUP)
                try eventually("no reload") { try stage.daemon.status()?.policy.generation == 2 }
                let list = try stage.daemon.command("cache", "list").output
                #expect(list.contains("www.test.example.") == isLearned, "\(list)")
            }
        }
    }
}
