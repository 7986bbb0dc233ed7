import Foundation
import Testing

extension EndToEnd {
    /// The proof: a daemon, the example's enforcer with the real kernel, and pods behind a firewall that drops.
    @Suite(.enabled(if: Enforcer.isExpected, "needs root and a built nft-enforcer; make e2e has both"))
    struct Enforcement {
        @Test func `the first SYN after an allowed lookup passes, 10,000 times of 10,000`() throws {
            let count = 10_000
            let nameCount = 500
            let stage = try Stage(nameCount: nameCount)
            let watcher = try FeedSubscriber(stage.daemon.feedSocket, acknowledge: false)
            try watcher.waitForSnapshot()
            let started = ContinuousClock.now
            var duration = Duration.zero
            let totals = try Traffic.during(stage, nameCount: nameCount, connections: count) { traffic in
                try stage.turn(until: "10,000 connections", within: .seconds(240)) { !traffic.isConnecting }
                duration = .now - started
            }
            let packets = try stage.packets()
            let learned = watcher.upserts.count
            print(
                """
                first SYN: \(packets.expectedPassed) of \(packets.expectedSent) passed, \
                \(packets.expectedSent - totals.connections) retransmitted, \
                \(packets.answersPassed) of \(packets.answersSent) answers passed; \(totals.connections) connections \
                to names in \(duration.components.seconds) s, \(learned) mappings learned, slowest connection \
                \(Int(totals.slowest * 1000)) ms; \(packets.probesPassed) of \(packets.probesSent) probes passed
                """)
            try Enforcement.expectNoHarm(totals, packets, stage)
            #expect(totals.connections == count)
            #expect(totals.unresolved < count / 100)
            #expect(learned > count / 2, "too few connections followed a new answer")
        }

        @Test func `a denied name gets nothing: REFUSED, and its address stays closed`() throws {
            let stage = try Stage(nameCount: 4)
            let pod = try stage.pod("web-1")
            let name = NamePlan.name("batch", 0)
            let answer = try pod.dig(name)
            #expect(answer.status == "REFUSED" && answer.records.isEmpty, "\(answer.text)")
            #expect(answer.extendedError == 15)
            #expect(try pod.lookUp(name).isEmpty)
            #expect(try pod.fetch(["http://\(name)/"]).allSatisfy { $0.hasNoAddress })
            // Nobody at all gets anything without an identity.
            #expect(try stage.pod("stranger").dig(NamePlan.name("web", 0)).status == "REFUSED")

            // Both families, open for the one who may have them.
            let owner = try stage.pod("batch-1")
            let allowed = try owner.fetch([0, 1].map { "http://\(NamePlan.name("batch", $0))/" })
            #expect(allowed.allSatisfy { $0.isDone }, "\(allowed)")
            let addresses = [0, 1].map { NamePlan.address("batch", $0, generation: 0) }
            #expect(try !pod.reachesAny(of: addresses))
            let packets = try stage.packets()
            print("denied name: \(packets.probesPassed) of \(packets.probesSent) packets to its addresses passed")
            #expect(packets.probesSent >= 2 && packets.probesPassed == 0)

            // The check can fail: without the rules the same connections pass, and the counters see them.
            #expect(try stage.enforcer.stop() == 0)
            try Enforcer.removeRules(in: stage.network.node)
            #expect(try pod.reached(addresses) == addresses)
            #expect(try stage.packets().probesPassed >= 2)
        }

        @Test func `an address learned by one client stays closed to a client of another identity`() throws {
            let zone = "one.shared 5 IN A 10.76.0.1\none.shared 5 IN AAAA fd09:0:0:3::1"
            let stage = try Stage(zone: zone, grace: 30)
            let addresses = ["10.76.0.1", "fd09:0:0:3::1"]
            let name = "one.shared.\(Outside.origin)"
            let first = try stage.pod("web-1")
            #expect(try first.lookUp(name) == addresses)
            #expect(try first.reached(addresses) == addresses)
            // Another replica is the same identity.
            let replica = try stage.pod("web-2")
            #expect(try replica.reached(addresses) == addresses)
            // Others may have the name as well, but have not asked for it.
            let before = try stage.packets()
            for pod in ["batch-1", "jobs-1", "stranger"] {
                #expect(try !stage.pod(pod).reachesAny(of: addresses), "\(pod)")
            }
            let packets = try stage.packets() - before
            print("another identity: \(packets.probesPassed) of \(packets.probesSent) packets passed")
            #expect(packets.probesSent >= 6 && packets.probesPassed == 0)
            // One asks; the other is still out.
            #expect(try stage.pod("batch-1").lookUp(name) == addresses)
            #expect(try stage.pod("batch-1").reached(addresses) == addresses)
            #expect(try !stage.pod("jobs-1").reachesAny(of: addresses))
        }

        @Test func `an answer of 169.254.169.254 or 127.0.0.1 opens nothing, the addresses beside it open`() throws {
            let zone = """
                mixed.web 5 IN A 169.254.169.254
                mixed.web 5 IN A 10.64.0.1
                mixed.web 5 IN A 127.0.0.1
                evil.web 5 IN A 169.254.169.254
                evil.web 5 IN A 127.0.0.1
                """
            let stage = try Stage(zone: zone, grace: 30)
            let pod = try stage.pod("web-1")
            let before = try stage.packets()
            for name in ["mixed", "evil"] {
                let addresses = try pod.lookUp("\(name).web.\(Outside.origin)")
                #expect(addresses.contains(StageNetwork.metadata), "\(addresses)")
                #expect(addresses.contains("127.0.0.1"), "\(addresses)")
            }
            #expect(try !pod.reaches(StageNetwork.metadata))
            let closed = try stage.packets() - before
            #expect(try pod.reached(["10.64.0.1"]).count == 1)
            let rules = try stage.rules()
            #expect(rules.contains("10.64.0.1 "), "\(rules)")
            #expect(!rules.contains("169.254.") && !rules.contains("127.0."), "\(rules)")
            print("special addresses: \(closed.probesPassed) of \(closed.probesSent) packets to them passed")
            #expect(closed.probesSent >= 1 && closed.probesPassed == 0)

            // The check can fail: somebody does answer there.
            #expect(try stage.enforcer.stop() == 0)
            try Enforcer.removeRules(in: stage.network.node)
            #expect(try pod.reached([StageNetwork.metadata]).count == 1)
        }

        @Test func `a reload closes what is no longer selected and lets open what newly is`() throws {
            let zone = "old.web 300 IN A 10.64.0.1\nnew.web 300 IN A 10.64.0.2\nboth.web 300 IN A 10.64.0.3"
            var policies = Stage.policies
            policies["web.yaml"] = Stage.policy("web", ["old.web.proof.test", "both.web.proof.test"])
            let stage = try Stage(zone: zone, policies: policies, grace: 30)
            let watcher = try FeedSubscriber(stage.daemon.feedSocket, acknowledge: false)
            try watcher.waitForSnapshot()
            let pod = try stage.pod("web-1")
            for name in ["old", "both"] { #expect(try !pod.lookUp("\(name).web.\(Outside.origin)").isEmpty) }
            #expect(try pod.reached(["10.64.0.1", "10.64.0.3"]).count == 2)
            #expect(try !pod.reaches("10.64.0.2"))
            #expect(try pod.dig("new.web.\(Outside.origin)").status == "REFUSED")

            // Connections to the name that stays selected go on and on while the policy changes.
            let before = try stage.packets()
            try stage.daemon.workspace.write(
                "policies/web.yaml", Stage.policy("web", ["new.web.proof.test", "both.web.proof.test"]))
            stage.daemon.process.signal(SIGHUP)
            try eventually("no mapping is taken back: \(watcher.arrivals)") {
                watcher.arrivals.contains {
                    if case .delete(let delete) = $0.event { delete.reason == .policy } else { false }
                }
            }
            var connections = 0
            try eventually("10.64.0.1 stays open: \(stage.logs)") {
                let transfers = try pod.fetch([String](repeating: "http://both.web.\(Outside.origin)/", count: 5))
                #expect(transfers.allSatisfy { $0.isDone }, "\(transfers)")
                connections += transfers.count
                return try !pod.reaches("10.64.0.1")
            }
            #expect(try pod.dig("old.web.\(Outside.origin)").status == "REFUSED")
            let opened = try pod.fetch(["http://new.web.\(Outside.origin)/"])
            #expect(opened.allSatisfy { $0.isDone }, "\(opened)")
            let packets = try stage.packets() - before
            print(
                """
                reload: \(packets.expectedPassed) of \(packets.expectedSent) packets to selected names passed, \
                the address of the one that is not is closed
                """)
            #expect(connections > 0 && packets.expectedPassed == packets.expectedSent)
        }

        /// What every kind of traffic has to end with: nothing wrongly dropped, nothing wrongly passed.
        static func expectNoHarm(_ totals: Traffic.Totals, _ packets: PacketCounters, _ stage: Stage) throws {
            #expect(totals.problems.isEmpty)
            #expect(totals.failures.isEmpty, "\(stage.logs)")
            #expect(totals.leaks.isEmpty, "\(stage.logs)")
            #expect(packets.expectedPassed == packets.expectedSent, "\(stage.logs)")
            #expect(packets.expectedSent >= totals.connections)
            #expect(packets.answersPassed == packets.answersSent, "\(stage.logs)")
            #expect(packets.answersPassed >= totals.connections)
            #expect(packets.probesPassed == 0, "\(stage.logs)")
            #expect(packets.probesSent >= totals.probes)
        }
    }
}
