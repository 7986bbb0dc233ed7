import Synchronization
import Testing

extension EndToEnd {
    /// What is kept of an answer when the upstream that gave it fails, and what queries cannot do to others.
    @Suite struct Misbehaving {
        @Test func `an upstream that begins to fail costs nobody an answer that was known`() throws {
            var nsd: NSD? = try NSD(zone: "short 1 IN A 192.0.2.9")
            let port = try #require(nsd?.port)
            let daemon = try Daemon(Setup(upstream: port))
            #expect(try daemon.dig("short.test.example").addresses == ["192.0.2.9"])
            nsd = nil
            // The same server, without the zone: it refuses the name.
            let other = try NSD(origin: "other.example", zone: "host IN A 192.0.2.8", port: port)
            var answer = try daemon.dig("short.test.example")
            try eventually("the answer does not become stale") {
                answer = try daemon.dig("short.test.example")
                return answer.extendedError == 3
            }
            #expect(answer.status == "NOERROR" && answer.addresses == ["192.0.2.9"] && answer.ttl == 30)
            let unknown = try daemon.dig("unknown.test.example")
            #expect(unknown.status == "SERVFAIL" && unknown.extendedError == 23)
            // One name that it fails does not make it a server that is down.
            #expect(try daemon.dig("host.other.example").addresses == ["192.0.2.8"])
            withExtendedLifetime(other) {}
        }

        @Test func `a question under which a connection ends that had worked is asked again at once over a new one`()
            throws
        {
            let closed = Atomic(false)
            let upstream = try ScriptedServer.timed { query in
                let isFirst = query.name.lowercased().hasPrefix("second") && !closed.exchange(true, ordering: .relaxed)
                return [.init(bytes: query.response(address: [192, 0, 2, 9]), closes: isFirst)]
            }
            defer { upstream.stop() }
            var setup = Setup()
            setup.workers = 1
            setup.upstreams = [#"{servers: ["tcp://127.0.0.1:\#(upstream.port)"]}"#]
            let daemon = try Daemon(setup)
            let client = try daemon.client()
            #expect(client.resolve("first.example")?.answerCount == 1)
            let asked = ContinuousClock.now
            let answer = try #require(client.resolve("second.example"))
            #expect(answer.answerCount == 1 && closed.load(ordering: .relaxed))
            // Whoever waits for a dead connection waits for two seconds.
            #expect(answer.received - asked < .milliseconds(1_900))
            #expect(upstream.queries.count == 3)
        }

        @Test func `a query of the reserved type 0 is a format error and changes nothing for others`() throws {
            let nsd = try NSD(zone: "host IN A 192.0.2.1")
            let daemon = try Daemon(Setup(upstream: nsd.port))
            #expect(try daemon.dig("host.test.example TYPE0").status == "FORMERR")
            #expect(try daemon.dig("host.test.example").addresses == ["192.0.2.1"])
        }

        @Test func `a name allowed over TCP only is denied over UDP, whatever was asked before`() throws {
            let nsd = try NSD(zone: "host IN A 192.0.2.1")
            var setup = Setup(upstream: nsd.port)
            setup.workers = 1
            setup.policies["web.yaml"] = Setup.policy("web").replacing("protocol: ANY", with: "protocol: TCP")
            let daemon = try Daemon(setup)
            for _ in 1...3 {
                #expect(try daemon.dig("host.test.example +tcp").status == "NOERROR")
                #expect(try daemon.dig("host.test.example +notcp").status == "REFUSED")
            }
        }
    }
}
