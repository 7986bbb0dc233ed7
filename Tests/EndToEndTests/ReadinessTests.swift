import Foundation
import Testing

extension EndToEnd {
    /// `/health` and `/ready`, as a kubelet asks for them.
    @Suite struct Readiness {
        /// A daemon under a policy, with its health at a port of its own.
        private static func daemon(_ setup: Setup) throws -> (daemon: Daemon, health: Int) {
            var setup = setup
            let port = try Ports.free()
            setup.healthPort = port
            return (try Daemon(setup), port)
        }

        /// Asks for `path` at `port`, and expects the process to be healthy whatever comes of it.
        private static func answer(_ path: String, _ port: Int) throws -> HTTPAnswer {
            let health = try http("GET /health", port: port)
            #expect(health.status == 200 && health.text == "OK\n")
            return try http("GET \(path)", port: port)
        }

        @Test func `a dead upstream is found out by questions, and ready again with its first answer`() throws {
            let port = try Ports.free()
            let (daemon, health) = try Readiness.daemon(Setup(upstream: port))
            // Nobody has asked it yet, and before the daemon is ready nobody will.
            #expect(try Readiness.answer("/ready", health).status == 200)
            #expect(try daemon.dig("one.test.example").status == "SERVFAIL")
            let silent = try Readiness.answer("/ready", health)
            #expect(silent.status == 503 && silent.text == "not ready: no upstream answers\n", "\(silent.text)")
            #expect(try daemon.status()?.notReady == ["no upstream answers"])

            let nsd = try NSD(zone: (1...50).map { "host\($0) IN A 192.0.2.1" }.joined(separator: "\n"), port: port)
            var number = 0
            try eventually("no answer of an upstream that is back") {
                number += 1
                return try daemon.dig("host\(number).test.example").status == "NOERROR"
            }
            #expect(try Readiness.answer("/ready", health).status == 200)
            withExtendedLifetime(nsd) {}
        }

        @Test(arguments: [true, false])
        func `an upstream that dies leaves the daemon ready if and only if it may serve stale answers`(
            servesStale: Bool
        ) throws {
            let port = try Ports.free()
            var nsd: NSD? = try NSD(zone: "one IN A 192.0.2.1", port: port)
            var setup = Setup(upstream: port)
            if !servesStale { setup.extra = "cache: {serveStale: 0s}" }
            let (daemon, health) = try Readiness.daemon(setup)
            #expect(try daemon.dig("one.test.example").addresses == ["192.0.2.1"])
            withExtendedLifetime(nsd) { nsd = nil }
            #expect(try daemon.dig("two.test.example").status == "SERVFAIL")
            let ready = try Readiness.answer("/ready", health)
            #expect(ready.status == (servesStale ? 200 : 503), "\(ready.text)")
            // What is cached is answered either way.
            #expect(try daemon.dig("one.test.example").addresses == ["192.0.2.1"])
        }

        @Test func `local records do not keep a daemon ready whose upstreams are all dead`() throws {
            var setup = Setup()
            setup.zone = Setup.localZone
            let (daemon, health) = try Readiness.daemon(setup)
            #expect(try daemon.dig("api.local.example").addresses == ["192.0.2.10"])
            #expect(try Readiness.answer("/ready", health).status == 200)
            #expect(try daemon.dig("one.test.example").status == "SERVFAIL")
            let ready = try Readiness.answer("/ready", health)
            #expect(ready.status == 503 && ready.text == "not ready: no upstream answers\n", "\(ready.text)")
            #expect(try daemon.dig("ledger.local.example").addresses == ["192.0.2.20"])
        }

        @Test(.enabled(if: NetworkNamespace.isAvailable, "needs root, to create a network namespace"))
        func `local records are enough to be ready where there is no upstream at all`() throws {
            let namespace = try NetworkNamespace()
            try namespace.writeResolvConf("search example.com\n")
            var setup = Setup()
            setup.upstreams = []
            setup.zone = Setup.localZone
            let daemon = try Daemon(setup, in: namespace.inside)
            for (name, answer) in [("api.local.example", "192.0.2.10\n"), ("one.test.example", "")] {
                let asked = try namespace.execute(["dig", "-r", "@127.0.0.1", "-p", "\(daemon.port)", "+short", name])
                #expect(asked.output == answer, "\(asked)")
            }
            let status = try #require(try daemon.status())
            #expect(status.upstreams.isEmpty && status.notReady.isEmpty, "\(status.notReady)")
        }

        @Test func `what nobody asks for there is 404 in JSON, and HEAD is answered like GET`() throws {
            let (daemon, health) = try Readiness.daemon(Setup())
            for request in ["GET /", "GET /metrics", "GET /v1/status", "POST /ready"] {
                let answer = try http(request, port: health)
                #expect(answer.status == 404, "\(request)")
                #expect(try answer.object()["error"] as? String == "there is no \(request) here")
            }
            #expect(try http("HEAD /ready", port: health).status == 200)
            withExtendedLifetime(daemon) {}
        }
    }
}
