import Foundation
import Testing

extension EndToEnd {
    /// What the daemon may do when its sockets are bound, and that it can do its work with that.
    @Suite(.enabled(if: geteuid() == 0 && SystemUser.nobody != nil, "needs root, to give up what root may"))
    struct Privileges {
        /// Whom it becomes.
        private static let nobody = SystemUser.nobody ?? { fatalError("not enabled without that user") }()

        /// A daemon at a port for which it takes root, which learns from `upstream` and becomes `user`.
        private static func setup(upstream: Int = 9, user: String = "nobody") throws -> Setup {
            var setup = Setup(upstream: upstream)
            setup.port = try Ports.free(in: 600..<1_000)
            setup.owner = nobody
            setup.policies = ["web.yaml": Setup.policy("web")]
            setup.extra = "user: \(user)"
            return setup
        }

        /// The user and the group that the file `path` belongs to.
        private static func owner(_ path: String) -> [UInt32] {
            var status = stat()
            return lstat(path, &status) == 0 ? [status.st_uid, status.st_gid] : []
        }

        /// Expects that no thread of `daemon` has any right left.
        private static func expectNothing(_ daemon: Daemon, sourceLocation: SourceLocation = #_sourceLocation) throws {
            let threads = try ThreadRights.all(of: daemon.process.pid)
            #expect(threads.count > 2, sourceLocation: sourceLocation)
            for thread in threads {
                #expect(thread == ThreadRights(nothingBut: nobody), sourceLocation: sourceLocation)
            }
        }

        @Test func `no thread has a right left, and what a daemon does all works without`() throws {
            let nsd = try NSD(zone: (1...40).map { "host\($0) IN A 192.0.2.\($0)" }.joined(separator: "\n"))
            var setup = try Self.setup(upstream: nsd.port)
            setup.upstreams.append(
                #"{domains: [host2.test.example], servers: ["tcp://127.0.0.1:\#(nsd.port)"]}"#)
            let metrics = try Ports.free()
            setup.metricsPort = metrics
            setup.extra += "\nflows: {export: {file: flows.log, maxSize: 2KB, maxFiles: 1}}"
            let daemon = try Daemon(setup)
            try Self.expectNothing(daemon)
            #expect(daemon.process.errors.contains("rights given up"), "\(daemon.process.errors)")

            // It answers and asks, over UDP and TCP, learns, and tells an enforcer.
            let subscriber = try FeedSubscriber(daemon.feedSocket, acknowledge: true, after: .zero)
            try subscriber.waitForSnapshot()
            #expect(try daemon.dig("host1.test.example").addresses == ["192.0.2.1"])
            #expect(try daemon.dig("+tcp host2.test.example").addresses == ["192.0.2.2"])
            _ = try subscriber.waitForUpsert("host2.test.example.")
            // It reads its documents again.
            try daemon.workspace.write("policies/web.yaml", Setup.policy("web", dns: ["*.test.example"]))
            daemon.process.signal(SIGHUP)
            try eventually("nothing is reloaded") { try daemon.status()?.policy.generation ?? 0 > 1 }
            #expect(try daemon.dig("api.other.example").status == "REFUSED")
            // It replaces the file of flows when that is full.
            for number in 3...40 { #expect(try daemon.dig("host\(number).test.example").status == "NOERROR") }
            try eventually("no second file") { Self.owner(daemon.workspace.file("flows.log.1")) != [] }
            // It sees itself: descriptors and memory.
            let figures = try http("GET /metrics", port: metrics).text
            #expect(figures.contains(/\nprocess_open_fds [1-9]/))
            #expect(figures.contains(/\nprocess_resident_memory_bytes [1-9]/))
            try Self.expectNothing(daemon)

            // After a crash it makes its sockets anew, and compacts a journal that may not be whole.
            daemon.process.signal(SIGKILL)
            try daemon.process.wait()
            try Data().write(to: URL(fileURLWithPath: daemon.workspace.file("journal/lock")))
            try daemon.restart()
            let snapshot = daemon.workspace.file("journal/snapshot.jsonl")
            try eventually("the journal is not compacted") { Self.owner(snapshot) != [] }
            #expect(try daemon.mappings().count == 40)
            try Self.expectNothing(daemon)
            for file in [
                "journal", "journal/journal.jsonl", "journal/snapshot.jsonl", "flows.log", "admin.sock", "feed.sock",
            ] {
                #expect(Self.owner(daemon.workspace.file(file)) == [Self.nobody.user, Self.nobody.group], "\(file)")
            }
            #expect(try daemon.stop() == 0)
            #expect(access(daemon.adminSocket, F_OK) != 0 && access(daemon.feedSocket, F_OK) != 0)
        }

        @Test func `folders that are missing are made for the user, and left alone where they are there`() throws {
            let workspace = try Workspace()
            chmod(workspace.path, 0o755)
            var setup = try Self.setup()
            setup.owner = nil
            let port = try #require(setup.port)
            let file = try setup.write(to: workspace, port: port)
            let text = try workspace.read("dnsproxyd.yaml").replacing("feed.sock", with: "run/feed/feed.sock")
                .replacing("admin.sock", with: "run/admin.sock").replacing(": journal", with: ": state/journal")
            try workspace.write("dnsproxyd.yaml", text)
            let process = try Daemon.launch(file)
            let socket = workspace.file("run/admin.sock")
            try eventually("nobody listens: \(process.errors)") { try connectUnix(socket) != nil }
            let mine = [Self.nobody.user, Self.nobody.group]
            for path in ["run", "run/feed", "run/feed/feed.sock", "state", "state/journal", "state/journal/lock"] {
                #expect(Self.owner(workspace.file(path)) == mine, "\(path)")
            }
            #expect(Self.owner(workspace.path) == [0, 0])
            process.signal(SIGTERM)
            #expect(try process.wait() == 0, "\(process.errors)")
        }

        @Test func `a user by number has the group that is named, and the group of the feed as a further one`() throws {
            var setup = try Self.setup(user: "\(Self.nobody.user)")
            setup.extra += "\ngroup: daemon"
            let group = try #require(SystemUser("daemon")).group
            let daemon = try Daemon(setup)
            for thread in try ThreadRights.all(of: daemon.process.pid) {
                #expect(thread.users == [uid_t](repeating: Self.nobody.user, count: 4) && thread.capabilities.isEmpty)
                #expect(thread.groups == [gid_t](repeating: group, count: 4) && thread.further.isEmpty)
            }
            #expect(try daemon.stop() == 0)
            let text = try daemon.workspace.read("dnsproxyd.yaml")
            try daemon.workspace.write(
                "dnsproxyd.yaml",
                text.replacing("feed.sock,", with: "feed.sock, group: 12,").replacing("\ngroup: daemon", with: ""))
            // Files of the journal are the user's, whatever group they have.
            try daemon.restart()
            for thread in try ThreadRights.all(of: daemon.process.pid) {
                #expect(thread == ThreadRights(nothingBut: Self.nobody, further: [12]))
            }
            #expect(Self.owner(daemon.feedSocket) == [Self.nobody.user, 12])
        }

        @Test func `a daemon without a right left is taken over by one that gives up its own`() throws {
            let daemon = try Daemon(try Self.setup())
            #expect(try daemon.dig("localhost").addresses == ["127.0.0.1"])
            let first = daemon.process.pid
            for _ in 1...2 { try daemon.takeOver() }
            #expect(daemon.process.pid != first)
            try Self.expectNothing(daemon)
            #expect(try daemon.dig("localhost").addresses == ["127.0.0.1"])
            #expect(try daemon.dig("+tcp localhost").addresses == ["127.0.0.1"])
            #expect(try daemon.stop() == 0)
        }

        @Test func `a capability for low ports is gone as soon as they are bound`() throws {
            var setup = try Self.setup()
            setup.extra = ""
            let daemon = try Daemon(setup, through: Self.nobody.command(keeping: ["net_bind_service"]))
            let threads = try ThreadRights.all(of: daemon.process.pid)
            for thread in threads {
                #expect(thread.users == [uid_t](repeating: Self.nobody.user, count: 4) && thread.refusesMore)
                // What a program that it executes could have at most is not for it to change, and has no meaning now.
                #expect(thread.capabilities.filter { $0.key != "CapBnd" } == [:])
            }
            #expect(threads.count > 2 && daemon.process.errors.contains("rights given up"))
            #expect(try daemon.dig("localhost").addresses == ["127.0.0.1"])
        }

        @Test func `a daemon that is started as its user has nothing to give up`() throws {
            var setup = try Self.setup()
            setup.port = nil
            let daemon = try Daemon(setup, through: Self.nobody.command())
            for thread in try ThreadRights.all(of: daemon.process.pid) {
                #expect(thread == ThreadRights(nothingBut: Self.nobody))
            }
        }

        @Test func `root without a user is said to be root`() throws {
            let daemon = try Daemon(Setup())
            #expect(daemon.process.errors.contains("`user` says whom to become"), "\(daemon.process.errors)")
            #expect(try ThreadRights.all(of: daemon.process.pid).allSatisfy { $0.users[0] == 0 && $0.refusesMore })
        }

        /// What keeps the daemon from becoming somebody.
        private struct Obstacle: CustomTestStringConvertible {
            /// The lines of the configuration.
            let lines: String
            /// What the one line says.
            let complaint: String
            /// What is done to the folder, from within it.
            var preparation = ""
            /// Whether it is started by another user than root.
            var isStartedByUser = false

            var testDescription: String { complaint }
        }

        /// All of them.
        private static let obstacles = [
            Obstacle(lines: "user: nosuchuser", complaint: #"there is no user "nosuchuser""#),
            Obstacle(lines: "user: nobody\ngroup: nosuchgroup", complaint: #"there is no group "nosuchgroup""#),
            Obstacle(lines: "user: 4294967295", complaint: #"there is no user "4294967295""#),
            Obstacle(lines: "user: 3999999999", complaint: "3999999999 has no entry and so no group of its own"),
            Obstacle(lines: "user: root", complaint: #"the user "root" is root"#),
            Obstacle(lines: "user: 0", complaint: #"the user "0" is root"#),
            Obstacle(lines: "user: daemon", complaint: "cannot become the user daemon", isStartedByUser: true),
            Obstacle(
                lines: "user: nobody", complaint: "may not write in FOLDER/journal, which feed.journal is about",
                preparation: "mkdir journal"),
            Obstacle(
                lines: "user: nobody", complaint: "may not write in FOLDER/, which feed.socket is about",
                preparation: "mkdir journal && chown nobody journal && chown root ."),
            Obstacle(
                lines: "user: nobody\nflows: {export: {file: log/flows.log}}",
                complaint: "may not write in FOLDER/log/, which flows.export is about", preparation: "mkdir log"),
            Obstacle(
                lines: "user: nobody", complaint: "FOLDER/journal/lock: cannot open: permission denied",
                preparation: "mkdir journal && touch journal/lock && chmod 600 journal/lock && chown nobody journal"),
        ]

        @Test(arguments: obstacles) private func `what is in the way is one line, and nothing is served`(
            _ obstacle: Obstacle
        ) throws {
            let workspace = try Workspace()
            chmod(workspace.path, 0o755)
            var setup = try Self.setup()
            setup.extra = obstacle.lines
            setup.port = obstacle.isStartedByUser ? try Ports.free() : setup.port
            let port = try #require(setup.port)
            let file = try setup.write(to: workspace, port: port)
            if !obstacle.preparation.isEmpty {
                let prepared = try run(["sh", "-c", "cd '\(workspace.path)' && \(obstacle.preparation)"])
                try #require(prepared.status == 0, "\(prepared.errors)")
            }
            let prefix = obstacle.isStartedByUser ? Self.nobody.command() : []
            let result = try run(prefix + [Daemon.program, "serve", "-c", file], within: .seconds(15))
            #expect(result.status == 1, "\(result.errors)")
            let complaints = result.errors.split(separator: "\n").filter { $0.hasPrefix("dnsproxyd: ") }
            let expected = obstacle.complaint.replacing("FOLDER", with: workspace.path)
            #expect(complaints.count == 1 && complaints[0].contains(expected), "\(result.errors)")
            #expect(!result.errors.contains("answering"))
        }

        @Test func `check tells of a user that is not there, and of no other`() throws {
            for (user, status) in [("nobody", Int32(0)), ("nosuchuser", 65), ("root", 65)] {
                let workspace = try Workspace()
                let file = try Self.setup(user: user).write(to: workspace, port: 53)
                let result = try run([Daemon.program, "check", "-c", file])
                #expect(result.status == status, "\(result.output)\(result.errors)")
                if status != 0 {
                    #expect(result.errors.contains("dnsproxyd.yaml: error: the") && result.errors.contains(user))
                }
            }
        }
    }
}
