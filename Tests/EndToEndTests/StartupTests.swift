import Foundation
import Testing

extension EndToEnd {
    /// What keeps the daemon from starting is said once, in plain words, with the thing's name.
    @Suite struct Startup {
        /// Runs the program as `prefix` with a configuration, and expects it to give up.
        private func start(
            _ setup: Setup, in workspace: Workspace, port: Int, as prefix: [String] = []
        ) throws -> Completed {
            let file = try setup.write(to: workspace, port: port)
            return try run(prefix + [Daemon.program, "serve", "-c", file], within: .seconds(15))
        }

        /// The lines that the program itself has to say about its end.
        private func complaints(_ result: Completed) -> [Substring] {
            result.errors.split(separator: "\n").filter { $0.hasPrefix("dnsproxyd: ") }
        }

        /// Kilobytes of code of the process `pid` that are resident; nil before it is the program.
        private func residentCode(_ pid: Int32) throws -> Int? {
            let program = try? FileManager.default.destinationOfSymbolicLink(atPath: "/proc/\(pid)/exe")
            guard program == URL(filePath: Daemon.program).resolvingSymlinksInPath().path else { return nil }
            var (isCode, sum) = (false, 0)
            for line in try String(contentsOfFile: "/proc/\(pid)/smaps", encoding: .utf8).split(separator: "\n") {
                let words = line.split(separator: " ")
                if words[0].last != ":" { isCode = words[1] == "r-xp" && words.count > 5 }
                if words[0] == "Rss:", isCode { sum += Int(words[1]) ?? 0 }
            }
            return sum
        }

        @Test func `a port in use is one clear line with the address`() throws {
            let port = try Ports.free()
            for type in [SOCK_DGRAM, SOCK_STREAM] {
                let endpoint = Endpoint("127.0.0.1", port)
                let taken = try endpoint.socket(type)
                #expect(endpoint.bind(taken))
                if type == SOCK_STREAM { #expect(listen(taken.descriptor, 1) == 0) }
                let result = try withExtendedLifetime(taken) {
                    try start(Setup(), in: Workspace(), port: port)
                }
                #expect(result.status == 1, "\(result.errors)")
                let lines = complaints(result)
                #expect(lines.count == 1, "\(result.errors)")
                #expect(lines.first?.contains("127.0.0.1:\(port)") == true, "\(result.errors)")
                #expect(lines.first?.contains("in use") == true, "\(result.errors)")
            }
        }

        @Test func `TCP comes first, so that a daemon that cannot start takes no datagrams from another`()
            throws
        {
            let port = try Ports.free()
            let endpoint = Endpoint("127.0.0.1", port)
            // Both are taken, and neither is shared: the first that is tried is the one that is named.
            let taken = try [SOCK_DGRAM, SOCK_STREAM].map { try endpoint.socket($0) }
            for socket in taken { #expect(endpoint.bind(socket)) }
            #expect(listen(taken[1].descriptor, 1) == 0)
            let result = try withExtendedLifetime(taken) { try start(Setup(), in: Workspace(), port: port) }
            #expect(result.status == 1)
            #expect(complaints(result).first?.contains("TCP 127.0.0.1:\(port)") == true, "\(result.errors)")
        }

        @Test func `an address that the machine does not have is one clear line`() throws {
            var setup = Setup()
            setup.listen = ["192.0.2.77"]
            let result = try start(setup, in: Workspace(), port: Ports.free())
            #expect(result.status == 1, "\(result.errors)")
            #expect(complaints(result).count == 1 && result.errors.contains("192.0.2.77"), "\(result.errors)")
        }

        @Test func `a journal or socket below something that is no folder is one clear line with the path`() throws {
            for key in ["journal: journal", "socket: feed.sock", "socket: admin.sock"] {
                let workspace = try Workspace()
                try workspace.write("plain", "not a folder")
                let file = try Setup().write(to: workspace, port: Ports.free())
                let name = String(try #require(key.split(separator: " ").last))
                let text = try workspace.read("dnsproxyd.yaml")
                    .replacing(key, with: key.replacing(" \(name)", with: " plain/\(name)"))
                try workspace.write("dnsproxyd.yaml", text)
                let result = try run([Daemon.program, "serve", "-c", file])
                #expect(result.status == 1, "\(key): \(result.errors)")
                #expect(complaints(result).count == 1, "\(key): \(result.errors)")
                #expect(complaints(result).first?.contains(workspace.file("plain")) == true, "\(key): \(result.errors)")
            }
        }

        @Test(.enabled(if: geteuid() == 0, "needs root, to start the daemon as somebody else"))
        func `no permission is one clear line with the path or the port`() throws {
            let nobody = ["setpriv", "--reuid=65534", "--regid=65534", "--clear-groups"]
            let workspace = try Workspace()
            chmod(workspace.path, 0o755)
            // Readable, but nothing may be created here.
            let result = try start(Setup(), in: workspace, port: Ports.free(), as: nobody)
            #expect(result.status == 1, "\(result.errors)")
            #expect(complaints(result).count == 1, "\(result.errors)")
            #expect(complaints(result).first?.contains(workspace.path) == true, "\(result.errors)")

            let open = try Workspace()
            chmod(open.path, 0o777)
            // Containers often let everybody have the low ports.
            let lowest = try String(contentsOfFile: "/proc/sys/net/ipv4/ip_unprivileged_port_start", encoding: .utf8)
            guard Int(lowest.prefix { $0.isNumber }) ?? 0 > 953 else { return }
            let privileged = try start(Setup(), in: open, port: 953, as: nobody)
            #expect(privileged.status == 1, "\(privileged.errors)")
            #expect(complaints(privileged).count == 1, "\(privileged.errors)")
            #expect(complaints(privileged).first?.contains("127.0.0.1:953") == true, "\(privileged.errors)")
        }

        @Test func `a second daemon on the same journal refuses and the first one keeps it`() throws {
            let first = try Daemon(Setup())
            let text = try first.workspace.read("dnsproxyd.yaml")
                .replacing("127.0.0.1:\(first.port)", with: "127.0.0.1:\(try Ports.free())")
                .replacing("feed.sock", with: "feed2.sock").replacing("admin.sock", with: "admin2.sock")
            let file = try first.workspace.write("second.yaml", text)
            let result = try run([Daemon.program, "serve", "-c", file])
            #expect(result.status == 1, "\(result.errors)")
            #expect(complaints(result).count == 1, "\(result.errors)")
            #expect(complaints(result).first?.contains(first.workspace.file("journal")) == true, "\(result.errors)")
            #expect(try first.status() != nil)
        }

        @Test func `missing documents are all named at once with status 65`() throws {
            let workspace = try Workspace()
            let file = try workspace.write(
                "dnsproxyd.yaml",
                """
                policies: [nowhere/]
                identities: [nobody.yaml]
                zones: [none.zone]
                feed: {socket: null, journal: null}
                admin: {socket: null, http: null, health: null}

                """)
            for command in ["serve", "check"] {
                let result = try run([Daemon.program, command, "-c", file])
                #expect(result.status == 65, "\(result.errors)")
                for name in ["nowhere", "nobody.yaml", "none.zone"] {
                    #expect((result.errors + result.output).contains(name), "\(command): \(result.errors)")
                }
            }
        }

        @Test
        func `a second after the start the code that only that has needed is not resident any more, and it answers`()
            throws
        {
            var setup = Setup()
            setup.zone = Setup.localZone
            let (workspace, port) = (try Workspace(), try Ports.free())
            let daemon = try Daemon.launch(setup.write(to: workspace, port: port))
            var most = 0
            try eventually("\(most) kB of code stay: \(daemon.errors)") {
                let resident = try residentCode(daemon.pid) ?? 0
                most = max(most, resident)
                return resident < most / 2
            }
            #expect(try EndToEndTests.dig("api.local.example", port: port).addresses == ["192.0.2.10"])
        }
    }
}
