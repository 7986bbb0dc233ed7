import Foundation
import Testing

extension EndToEnd.Enforcement {
    /// What the end of a mapping closes, and what it leaves open.
    @Suite struct Expiry {
        /// Two names with a TTL of a second, one of either family.
        private static let zone = "four.web 1 IN A 10.64.0.1\nsix.web 1 IN AAAA fd09::1"
        /// The addresses by name.
        private static let addresses = ["four": "10.64.0.1", "six": "fd09::1"]

        @Test(arguments: ["four", "six"])
        func `after expiry and grace new connections are dropped, an open one lives on`(_ name: String) throws {
            let stage = try Stage(zone: Expiry.zone, maxDelay: 1)
            let address = try #require(Expiry.addresses[name])
            let pod = try stage.pod("web-1")
            let full = "\(name).web.\(Outside.origin)"
            let asked = ContinuousClock.now
            let download = try Download(in: pod, from: full)
            var closed = Duration.zero
            try eventually("\(address) stays open: \(stage.logs)") {
                closed = .now - asked
                return try !pod.reaches(address)
            }
            // TTL and grace together.
            #expect(closed >= .seconds(2))
            try download.waitForBytes()
            let before = try stage.packets()
            for _ in 0..<3 { #expect(try !pod.reaches(address)) }
            let packets = try stage.packets() - before
            print(
                """
                expiry of \(address): closed after \(closed.formatted(.units(fractionalPart: .show(length: 1)))), \
                \(packets.probesPassed) of \(packets.probesSent) later packets passed, the open connection goes on
                """)
            #expect(packets.probesSent >= 3 && packets.probesPassed == 0)
            // Looked up again, it opens again.
            #expect(try pod.fetch(["http://\(full)/"]).allSatisfy { $0.isDone })
            try download.waitForBytes()
            try download.close()
        }

        @Test func `with reports of live connections a mapping lives as long as its connection, and ends after it`()
            throws
        {
            // Reports come three times within a grace.
            let stage = try Stage(zone: Expiry.zone, maxDelay: 1, grace: 3, inUse: 1)
            let pod = try stage.pod("web-1")
            let download = try Download(in: pod, from: "four.web.\(Outside.origin)")
            // The other one has no open connection, and shows how long that takes. Looking at the rules disturbs
            // nothing; a connection that tries would be one in use.
            #expect(try pod.fetch(["http://six.web.\(Outside.origin)/"]).allSatisfy { $0.isDone })
            let opened = ContinuousClock.now
            try eventually("fd09::1 stays open: \(stage.logs)") { try !stage.rules().contains("fd09::1 ") }
            let unused = ContinuousClock.now - opened
            #expect(try !pod.reaches("fd09::1"))
            // Twice as long.
            var tried = 0
            var passed = 0
            while ContinuousClock.now - opened < unused * 2 {
                tried += 1
                passed += try pod.reached(["10.64.0.1"]).count
                try download.waitForBytes()
            }
            #expect(tried > 1 && passed == tried, "\(stage.logs)")
            // Nobody else is let in by it.
            #expect(try !stage.pod("batch-1").reaches("10.64.0.1"))
            try download.close()
            let left = ContinuousClock.now
            try eventually("10.64.0.1 stays open: \(stage.logs)") { try !stage.rules().contains("10.64.0.1 ") }
            let closed = ContinuousClock.now - left
            #expect(try !pod.reaches("10.64.0.1"))
            print(
                """
                in use: without a connection closed after \(unused.formatted(.units(allowed: [.seconds]))), with one \
                open for twice as long (\(passed) of \(tried) new connections passed), closed \
                \(closed.formatted(.units(allowed: [.seconds]))) after its end
                """)
            let packets = try stage.packets()
            #expect(packets.expectedPassed == packets.expectedSent)
        }
    }
}
