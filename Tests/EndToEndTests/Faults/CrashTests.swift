import Foundation
import Testing

extension EndToEnd {
    /// `kill -9` at moments that nobody chose, under load. `make test-crash` does it a thousand times.
    @Suite struct Crashes {
        /// How often the daemon is killed.
        private static let kills = max(
            2, ProcessInfo.processInfo.environment["DNSPROXYD_CRASHES"].flatMap(Int.init) ?? 8)

        /// Microseconds of the work within which the moment is; of the start it is four times as long.
        private static let range: Range<UInt32> = 0..<100_000

        /// A daemon that gives no address without an enforcer.
        private static func daemon(upstream port: Int) throws -> Daemon {
            var setup = Setup(upstream: port)
            setup.maxDelay = "2s, onDelay: servfail, requireEnforcer: true"
            setup.policies = ["web.yaml": Setup.policy("web")]
            setup.extra = "log: {level: warning}"
            return try Daemon(setup)
        }

        /// The mapping table: addresses by name.
        private static func mappings(of daemon: Daemon) throws -> [String: Set<String>] {
            try daemon.mappings().reduce(into: [:]) { $0[$1.fqdn, default: []].formUnion($1.ips) }
        }

        @Test(.timeLimit(.minutes(120)))
        func `after kill -9 at any moment all that was answered is restored, and is what the enforcer has`() throws {
            let nsd = try NSD(zone: CrashNames.zone)
            let daemon = try Self.daemon(upstream: nsd.port)
            let oracle = CrashOracle(daemon.feedSocket)
            try oracle.connect()
            let load = try CrashLoad(port: daemon.port)
            defer { load.stop() }
            for round in 1...(Self.kills / 2) {
                // Once while it answers, and once while it starts or does what it can without an enforcer.
                load.begin()
                let before = load.answers
                try eventually("nobody is answered") { load.answers > before + 20 }
                usleep(.random(in: Self.range))
                daemon.process.signal(SIGKILL)
                try oracle.drain()
                try daemon.beginRestart()
                usleep(.random(in: Self.range) * 4)
                daemon.process.signal(SIGKILL)
                try load.pause()

                let answered = load.answered
                for (number, moment) in answered {
                    let name = CrashNames.name(number) + "."
                    let inForce = try #require(oracle.inForce[name], "round \(round): \(name) is not in force")
                    #expect(inForce <= moment, "round \(round): \(name) was answered before it was in force")
                }
                try daemon.restart()
                try oracle.connect()
                try oracle.agree { try Self.mappings(of: daemon) }
                for number in answered.keys {
                    let held = oracle.held[CrashNames.name(number) + "."]
                    try #require(held == [CrashNames.text(number)], "round \(round): \(number) is not restored")
                }
            }
            #expect(load.wrong.isEmpty && oracle.unexpected.isEmpty, "\(load.wrong) \(oracle.unexpected)")
            #expect(oracle.snapshots > 0 && oracle.connections > oracle.snapshots, "nobody has resumed")
            print(
                """
                \(Self.kills) times kill -9: \(load.answers) answers of \(load.answered.count) names, none lost; \
                \(oracle.connections) connections of the enforcer, \(oracle.snapshots) of them began with a snapshot
                """)
        }
    }
}
