import Foundation
import Testing

extension EndToEnd.Enforcement {
    /// Ends and restarts under traffic: what was looked up passes, what was not does not, at every moment.
    @Suite struct Upgrades {
        /// Names of each owner.
        private static let nameCount = 60

        /// Runs `body` under traffic, prints the counts and checks them.
        private static func underTraffic(_ what: String, _ body: (Stage, Traffic) throws -> Void) throws {
            let stage = try Stage(nameCount: nameCount)
            let totals = try Traffic.during(stage, nameCount: nameCount) { traffic in
                try progress(stage, traffic)
                try body(stage, traffic)
                // Some probes have to be of addresses whose time is over.
                try stage.turn(until: "no address ends") { traffic.totals.probesOfEnded > 40 }
            }
            let packets = try stage.packets()
            print(
                """
                \(what): \(packets.expectedPassed) of \(packets.expectedSent) packets of \(totals.connections) \
                connections to names passed, slowest \(Int(totals.slowest * 1000)) ms, \(totals.unresolved) lookups \
                repeated; \(packets.probesPassed) of \(packets.probesSent) packets of \(totals.probes) probes \
                passed, \(totals.probesOfEnded) of them to ended addresses
                """)
            try EndToEnd.Enforcement.expectNoHarm(totals, packets, stage)
        }

        /// Waits for 200 more connections to names and some more probes.
        private static func progress(_ stage: Stage, _ traffic: Traffic) throws {
            let before = traffic.totals
            try stage.turn(until: "traffic comes to a halt") {
                let totals = traffic.totals
                return totals.connections >= before.connections + 200 && totals.probes >= before.probes + 40
            }
        }

        @Test func `the enforcer killed and restarted under traffic drops and passes nothing wrongly`() throws {
            try Upgrades.underTraffic("enforcer killed") { stage, traffic in
                for round in 0..<3 {
                    stage.enforcer.process.signal(SIGKILL)
                    try stage.enforcer.process.wait()
                    let before = traffic.totals
                    // Once it stays away until answers fail: none may leave without it.
                    try stage.turn(until: "nothing happens without the enforcer") {
                        let totals = traffic.totals
                        return totals.probes > before.probes + 40
                            && (round < 2 || totals.unresolved > before.unresolved)
                    }
                    try stage.enforcer.restart()
                    try stage.waitForEnforcer()
                    try Upgrades.progress(stage, traffic)
                }
            }
        }

        @Test func `the daemon killed and restarted under traffic drops and passes nothing wrongly`() throws {
            try Upgrades.underTraffic("daemon killed") { stage, traffic in
                for _ in 0..<3 {
                    stage.daemon.process.signal(SIGKILL)
                    try stage.daemon.process.wait()
                    let before = traffic.totals
                    try stage.turn(until: "nobody asks the dead daemon") {
                        traffic.totals.unresolved > before.unresolved
                    }
                    try stage.daemon.restart()
                    try stage.waitForEnforcer()
                    try Upgrades.progress(stage, traffic)
                }
            }
        }

        @Test func `an answer that has waited for the enforcer is of use to the client`() throws {
            let stage = try Stage(zone: "late.web 1 IN A 10.64.0.1")
            let pod = try stage.pod("web-1")
            #expect(try stage.enforcer.stop() == 0)
            let asked = ContinuousClock.now
            let dig = try RunningProcess(
                pod.namespace.command(["dig", "-r", "+short", "+tries=1", "+time=9", "late.web.\(Outside.origin)"]))
            // Longer than TTL and grace together, and shorter than the daemon lets an answer wait.
            try eventually("time stands still") { ContinuousClock.now - asked > .seconds(4) }
            #expect(dig.poll() == nil, "an answer came without the enforcer: \(dig.output)")
            try stage.enforcer.restart()
            try dig.wait()
            #expect(dig.output == "10.64.0.1\n")
            #expect(try pod.reached(["10.64.0.1"]).count == 1, "\(stage.logs)")
        }

        @Test func `both upgraded in turn under traffic drop and pass nothing wrongly`() throws {
            try Upgrades.underTraffic("both upgraded") { stage, traffic in
                for _ in 0..<2 {
                    #expect(try stage.daemon.stop() == 0)
                    try stage.daemon.restart()
                    try stage.waitForEnforcer()
                    try Upgrades.progress(stage, traffic)
                    #expect(try stage.enforcer.stop() == 0)
                    try stage.enforcer.restart()
                    try stage.waitForEnforcer()
                    try Upgrades.progress(stage, traffic)
                }
            }
        }
    }
}
