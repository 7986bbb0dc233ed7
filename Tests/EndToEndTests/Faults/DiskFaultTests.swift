import Foundation
import Testing

extension EndToEnd {
    /// A disk that takes nothing more, and files that hold anything.
    @Suite struct DiskFaults {
        /// What the upstream knows.
        private static let zone = (0..<1_000).map { "n\($0) IN A 198.18.\($0 / 250).\($0 % 250 + 1)" }
            .joined(separator: "\n")

        /// A daemon that learns from `upstream` and has its journal in `journal`.
        private static func daemon(
            upstream port: Int, journal: String = "journal", delay: String = "100ms", through wrapper: [String] = []
        ) throws -> Daemon {
            var setup = Setup(upstream: port)
            setup.journal = journal
            setup.maxDelay = delay
            setup.policies = ["web.yaml": Setup.policy("web")]
            return try Daemon(setup, through: wrapper)
        }

        /// Asks for names from number `first` on, ten at least, until the journal takes no more, and returns the number of the
        /// next one.
        private static func askUntilFull(_ daemon: Daemon, from first: Int) throws -> Int {
            let client = try daemon.client()
            var number = first
            try eventually("the journal takes everything: \(daemon.process.errors)", within: .seconds(60)) {
                for _ in 0..<10 where number < 900 {
                    _ = try #require(client.resolve("n\(number).test.example"), "n\(number) is not answered")
                    number += 1
                }
                return daemon.process.errors.contains("no room on the disk")
            }
            return number
        }

        /// Fills the disk, and asks for names from number 1 on until all of what waits for room is more than the little that a
        /// failure itself gives back; returns the number of the next one.
        private static func fill(_ disk: Disk, of daemon: Daemon) throws -> Int {
            try disk.fill()
            var next = try askUntilFull(daemon, from: 1)
            try disk.fill()
            for _ in 0..<4 { next = try askUntilFull(daemon, from: next) }
            return next
        }

        /// How often the log has said that there is no room.
        private static func complaints(_ daemon: Daemon) -> Int {
            daemon.process.errors.components(separatedBy: "no room on the disk").count - 1
        }

        /// What the numbers of the feed belong to.
        private static func instance(_ daemon: Daemon) throws -> String {
            let subscriber = try FeedSubscriber(daemon.feedSocket, acknowledge: false)
            defer { subscriber.disconnect() }
            try subscriber.waitForSnapshot()
            guard case .hello(let hello) = subscriber.arrivals.first?.event else { throw HarnessError("no greeting") }
            return hello.instance
        }

        /// Expects that another process that wants to take over from `daemon` ends and says why.
        private static func expectRefusal(of daemon: Daemon, because reason: String) throws {
            let successor = try run([Daemon.program, "serve", "-c", daemon.configuration, "--takeover"])
            #expect(successor.status == 1, "\(successor.errors)")
            let lines = successor.errors.split(separator: "\n").filter { $0.hasPrefix("dnsproxyd: ") }
            #expect(lines.count == 1 && lines.first?.contains(reason) == true, "\(successor.errors)")
        }

        /// The names that the daemon has learned.
        private static func names(_ daemon: Daemon) throws -> Set<String> { Set(try daemon.mappings().map(\.fqdn)) }

        @Test(.enabled(if: Disk.isAvailable, "needs root, to mount a file system"))
        func `a full disk keeps nobody from an answer, and all is durable when there is room`() throws {
            let nsd = try NSD(zone: Self.zone)
            let disk = try Disk(room: 256 << 10)
            let daemon = try Self.daemon(upstream: nsd.port, journal: disk.path)
            #expect(try daemon.dig("n0.test.example").addresses == ["198.18.0.1"])
            let next = try Self.fill(disk, of: daemon)
            let told = Self.complaints(daemon)
            for number in next..<(next + 3) {
                let answer = try daemon.dig("n\(number).test.example")
                #expect(answer.addresses == ["198.18.\(number / 250).\(number % 250 + 1)"], "\(answer.text)")
            }
            #expect(try daemon.counter("hold_timeouts") > 0)
            // It is told once, not with every question.
            #expect(Self.complaints(daemon) == told && told <= 2)
            try disk.clear()
            // As often as it was full: once before, when a failure had given back a little.
            try eventually("it stays full: \(daemon.process.errors)") {
                daemon.process.errors.components(separatedBy: "journal: can be written again").count - 1 == told
            }
            daemon.process.signal(SIGKILL)
            try daemon.restart()
            let missing = Set((0..<(next + 3)).map { "n\($0).test.example." }).symmetricDifference(
                try Self.names(daemon))
            #expect(missing.isEmpty, "\(missing)")
        }

        @Test(.enabled(if: Disk.isAvailable, "needs root, to mount a file system"))
        func `a daemon that is killed while its disk is full starts on it, and all is durable when there is room`()
            throws
        {
            let nsd = try NSD(zone: Self.zone)
            let disk = try Disk(room: 256 << 10)
            let daemon = try Self.daemon(upstream: nsd.port, journal: disk.path)
            #expect(try daemon.dig("n0.test.example").addresses == ["198.18.0.1"])
            var next = try Self.fill(disk, of: daemon)
            daemon.process.signal(SIGKILL)
            try daemon.process.wait()
            try disk.fill()
            try daemon.restart()
            #expect(try Self.names(daemon).contains("n0.test.example."))
            next = try Self.askUntilFull(daemon, from: next)
            let told = Self.complaints(daemon)
            #expect(told > 0 && told <= 2, "\(daemon.process.errors)")
            try disk.clear()
            try eventually("it stays full: \(daemon.process.errors)") {
                try daemon.dig("n\(next).test.example").addresses.count == 1
                    && daemon.process.errors.components(separatedBy: "journal: can be written again").count - 1
                        == Self.complaints(daemon)
            }
            let names = try Self.names(daemon)
            daemon.process.signal(SIGKILL)
            try daemon.restart()
            #expect(try Self.names(daemon) == names)
        }

        @Test(.enabled(if: Disk.isAvailable, "needs root, to mount a file system"))
        func `with onDelay servfail a full disk gives out nothing that is not durable, and known names as before`()
            throws
        {
            let nsd = try NSD(zone: Self.zone)
            let disk = try Disk(room: 256 << 10)
            let daemon = try Self.daemon(upstream: nsd.port, journal: disk.path, delay: "100ms, onDelay: servfail")
            #expect(try daemon.dig("n0.test.example").addresses == ["198.18.0.1"])
            let next = try Self.fill(disk, of: daemon)
            let refused = try daemon.dig("n\(next).test.example")
            #expect(
                refused.status == "SERVFAIL" && refused.addresses.isEmpty, "\(refused.text) \(daemon.process.errors)")
            #expect(try daemon.dig("n0.test.example").addresses == ["198.18.0.1"])
            try disk.clear()
            try eventually("it stays full") {
                try daemon.dig("n\(next).test.example").status == "NOERROR"
            }
        }

        @Test(
            .enabled(if: FailingDisk.isAvailable, "needs root, loop devices and ext4, to make a file system fail"))
        func `a file system that becomes read-only keeps nobody from an answer, and when it is mended all is durable`()
            throws
        {
            let nsd = try NSD(zone: Self.zone)
            let disk = try FailingDisk()
            var setup = Setup(upstream: nsd.port)
            setup.journal = "\(disk.path)/journal"
            setup.policies = ["web.yaml": Setup.policy("web")]
            let port = try Ports.free()
            setup.metricsPort = port
            let daemon = try Daemon(setup)
            let known = Set((0..<5).map { "n\($0).test.example." })
            for name in known { #expect(try daemon.dig(name).addresses.count == 1) }
            try disk.synchronize()
            try disk.fail()
            try Self.expectRefusal(of: daemon, because: "the file system is read-only")
            let before = try daemon.counter("hold_timeouts")
            for number in 5..<10 {
                let answer = try daemon.dig("n\(number).test.example")
                #expect(answer.addresses == ["198.18.0.\(number + 1)"], "\(answer.text)")
            }
            #expect(try daemon.counter("hold_timeouts") == before + 5)
            // It is tried again each second, and told once.
            let failures = "feed_journal_errors_total"
            let failed = try Metrics(port: port).values[failures] ?? 0
            try eventually("it is not tried again") { try Metrics(port: port).values[failures] ?? 0 > failed + 1 }
            let told = daemon.process.errors.components(separatedBy: "error    journal: ").count - 1
            #expect(told == 1, "\(daemon.process.errors)")
            #expect(try Self.names(daemon).count == 10)
            let instance = try Self.instance(daemon)
            daemon.process.signal(SIGKILL)
            try daemon.process.wait()
            try disk.repair()
            // What an operator is told to do, so that no enforcer resumes among numbers that the disk has lost.
            try FileManager.default.removeItem(atPath: "\(disk.path)/journal/lock")
            try daemon.restart()
            #expect(try Self.instance(daemon) != instance)
            #expect(try Self.names(daemon).isSuperset(of: known))
            #expect(try daemon.dig("n20.test.example").addresses == ["198.18.0.21"])
            daemon.process.signal(SIGKILL)
            try daemon.restart()
            #expect(try Self.names(daemon).isSuperset(of: known.union(["n20.test.example."])))
        }

        @Test(.enabled(if: Disk.isAvailable, "needs root, to mount a file system"), arguments: [false, true])
        func `a daemon whose disk is full is not taken over, whether it knows that or not, and loses nothing`(
            _ knows: Bool
        ) throws {
            let nsd = try NSD(zone: Self.zone)
            let disk = try Disk(room: 256 << 10)
            let daemon = try Self.daemon(upstream: nsd.port, journal: disk.path)
            #expect(try daemon.dig("n0.test.example").addresses == ["198.18.0.1"])
            var next = 1
            if knows { next = try Self.fill(disk, of: daemon) } else { try disk.fill() }
            try Self.expectRefusal(
                of: daemon, because: knows ? "its journal cannot be written" : "no room on the disk")
            #expect(try daemon.dig("n\(next).test.example").addresses.count == 1, "\(daemon.process.errors)")
            try disk.clear()
            try eventually("it stays full: \(daemon.process.errors)") {
                try daemon.dig("n\(next + 1).test.example").addresses.count == 1
                    && daemon.process.errors.components(separatedBy: "journal: can be written again").count - 1
                        == Self.complaints(daemon)
            }
            try daemon.takeOver()
            #expect(try Self.names(daemon).isSuperset(of: (0..<(next + 2)).map { "n\($0).test.example." }))
        }

        @Test func `a limit on the size of files is a full disk like any other`() throws {
            let nsd = try NSD(zone: Self.zone)
            let daemon = try Self.daemon(upstream: nsd.port, through: ["prlimit", "--fsize=65536:unlimited"])
            let next = try Self.askUntilFull(daemon, from: 0)
            #expect(next > 100)
            #expect(try daemon.dig("n\(next).test.example").status == "NOERROR")
            let result = try run(["prlimit", "--pid", "\(daemon.process.pid)", "--fsize=unlimited:unlimited"])
            #expect(result.status == 0, "\(result.errors)")
            try eventually("it stays full: \(daemon.process.errors)") {
                daemon.process.errors.contains("journal: can be written again")
            }
            #expect(try Self.names(daemon).count == next + 1)
        }

        @Test(.enabled(if: Disk.isAvailable, "needs root, to mount a file system"))
        func `a journal on a file system that is read-only is one clear line, and nothing is served`() throws {
            let disk = try Disk(room: 256 << 10)
            var setup = Setup()
            setup.journal = disk.path
            try disk.makeReadOnly()
            let workspace = try Workspace()
            let file = try setup.write(to: workspace, port: Ports.free())
            let result = try run([Daemon.program, "serve", "-c", file])
            #expect(result.status == 1, "\(result.errors)")
            let lines = result.errors.split(separator: "\n").filter { $0.hasPrefix("dnsproxyd: ") }
            #expect(lines.count == 1 && lines[0].contains(disk.path) && lines[0].contains("read-only"), "\(lines)")
        }

        /// Random bytes, lines of text, and nothing at all.
        private static let garbage: [Data] = [
            Data((0..<65_536).map { UInt8(truncatingIfNeeded: ($0 &* 2_654_435_761) >> 13) }),
            Data(String(repeating: "{\"event\":\"upsert\",\"seq\":1}\n", count: 500).utf8),
            Data(repeating: 0, count: 40_000),
        ]

        @Test(arguments: garbage.indices)
        func `whatever the files of the journal hold, it starts, sets that aside and says so, and learns anew`(
            _ kind: Int
        ) throws {
            let nsd = try NSD(zone: Self.zone)
            let daemon = try Self.daemon(upstream: nsd.port)
            #expect(try daemon.stop() == 0)
            let files = ["snapshot.jsonl", "journal.old.jsonl", "journal.jsonl"]
            for file in files {
                try Self.garbage[kind].write(to: URL(fileURLWithPath: daemon.workspace.file("journal/\(file)")))
            }
            try daemon.restart()
            for file in files { #expect(daemon.process.errors.contains(file), "\(daemon.process.errors)") }
            let aside = try FileManager.default.contentsOfDirectory(atPath: daemon.workspace.file("journal"))
                .filter { $0.contains(".corrupt-") }
            #expect(aside.count == 3, "\(aside)")
            #expect(try daemon.dig("n7.test.example").addresses == ["198.18.0.8"])
            daemon.process.signal(SIGKILL)
            try daemon.restart()
            #expect(try Self.names(daemon) == ["n7.test.example."])
        }
    }
}
