import Foundation
import Testing

extension EndToEnd {
    /// What changes when a person reads, and what does not when a program does.
    @Suite struct Terminals {
        /// A daemon that has learned a name with one address and one with forty.
        private static func daemon() throws -> Daemon {
            var setup = Setup()
            setup.zone = Setup.localZone + (1...40).map { "many IN A 198.51.100.\($0)\n" }.joined()
            setup.policies = ["web.yaml": Setup.policy("web")]
            let daemon = try Daemon(setup)
            #expect(try daemon.dig("api.local.example").addresses == ["192.0.2.10"])
            #expect(try daemon.dig("many.local.example").addresses.count == 40)
            return daemon
        }

        /// A line of shell that runs `dnsproxyd` with `arguments` against `daemon`.
        private static func line(_ daemon: Daemon, _ arguments: String) -> String {
            "\(Daemon.program) \(arguments) --admin \(daemon.adminSocket)"
        }

        @Test(arguments: [60, 80, 120, 400])
        func `a table fits the terminal, and says how many addresses it leaves out`(_ columns: Int) throws {
            let daemon = try Terminals.daemon()
            for command in ["cache list", "cache list --answers", "policy list", "identity list"] {
                let result = try terminal(
                    Terminals.line(daemon, command), columns: columns, environment: ["NO_COLOR": "1"])
                #expect(result.status == 0)
                for line in result.lines { #expect(line.count <= columns, "\(columns): \(line)") }
            }
            let list = try terminal(
                Terminals.line(daemon, "cache list"), columns: columns, environment: ["NO_COLOR": "1"])
            let many = try #require(
                list.lines.first { $0.contains("many.") || $0.contains("198.51.") }, "\(list.output)")
            let word = try #require(many.split(separator: " ").last { $0.hasPrefix("+") }, "\(many)")
            let shown = many.split(separator: " ").reversed().drop { $0.hasPrefix("+") }.first?.split(separator: ",")
            // At 60 columns not even one address is there as a whole.
            if columns > 60 { #expect(try #require(Int(word)) + (shown?.count ?? 0) == 40, "\(many)") }
        }

        @Test func `a pipe and -o wide get every address, whatever the terminal's width`() throws {
            let daemon = try Terminals.daemon()
            let piped = try terminal(Terminals.line(daemon, "cache list") + " | cat", columns: 60)
            let wide = try terminal(Terminals.line(daemon, "cache list -o wide"), columns: 60)
            let plain = try run(
                [Daemon.program, "cache", "list", "--admin", daemon.adminSocket], environment: ["COLUMNS": "60"])
            for text in [piped.output, wide.output, plain.output] {
                for number in 1...40 { #expect(text.contains("198.51.100.\(number)"), "\(text)") }
                #expect(!text.contains("…") && !text.contains(" +"), "\(text)")
            }
            #expect(plain.output == piped.output)
        }

        @Test func `COLUMNS is taken before what the terminal says`() throws {
            let daemon = try Terminals.daemon()
            let result = try terminal(
                Terminals.line(daemon, "cache list"), columns: 400, environment: ["COLUMNS": "80", "NO_COLOR": "1"])
            for line in result.lines { #expect(line.count <= 80, "\(line)") }
        }

        @Test func `there is colour at a terminal, and none in a pipe, with NO_COLOR or at a dumb terminal`() throws {
            let daemon = try Terminals.daemon()
            for command in ["cache list", "status", "policy explain --client 127.0.0.1 api.local.example"] {
                let line = Terminals.line(daemon, command)
                #expect(try terminal(line).output.contains("\u{1B}["), "\(command)")
                #expect(try !terminal(line + " | cat").output.contains("\u{1B}"), "\(command)")
                #expect(try !terminal(line, environment: ["NO_COLOR": "1"]).output.contains("\u{1B}"), "\(command)")
                #expect(try !terminal(line, environment: ["TERM": "dumb"]).output.contains("\u{1B}"), "\(command)")
                for format in ["json", "yaml"] {
                    #expect(try !terminal("\(line) -o \(format)").output.contains("\u{1B}"), "\(command)")
                }
            }
        }

        @Test func `what takes longer than a second says so at a terminal, and takes it back`() throws {
            let workspace = try Workspace()
            // A daemon that thinks for two seconds.
            let slow = try workspace.write(
                "slow.py",
                """
                import socket, sys, time
                listener = socket.socket(socket.AF_UNIX)
                listener.bind(sys.argv[1])
                listener.listen()
                print("listening", flush=True)
                while True:
                    connection, _ = listener.accept()
                    connection.recv(65536)
                    time.sleep(2)
                    connection.sendall(b"HTTP/1.1 200 OK\\r\\nContent-Length: 3\\r\\n\\r\\n[]\\n")
                    connection.close()

                """)
            let path = workspace.file("slow.sock")
            let server = try RunningProcess(["python3", slow, path])
            try eventually("the slow daemon does not listen: \(server.errors)") { server.output == "listening\n" }
            let shown = try terminal("\(Daemon.program) identity list --admin \(path)")
            #expect(shown.status == 0, "\(shown.output)")
            #expect(shown.output.contains("dnsproxyd: waiting for the daemon, 1 s"), "\(shown.output)")
            #expect(shown.output.contains("\r\u{1B}[K\u{1B}[1mID"), "it is not taken back: \(shown.output)")
            let piped = try run([Daemon.program, "identity", "list", "--admin", path])
            #expect(piped.status == 0 && piped.errors.isEmpty, "\(piped.errors)")
        }
    }
}
