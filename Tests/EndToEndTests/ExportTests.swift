import Foundation
import Testing

extension EndToEnd {
    /// Flows that are written to a file.
    @Suite struct Exporting {
        /// A daemon that exports as `export` says, with `more` about its flows, and the port of its metrics.
        private static func daemon(_ export: String, _ more: String = "") throws -> (daemon: Daemon, metrics: Int) {
            var setup = Setup()
            setup.zone = Setup.localZone
            setup.policies = ["web.yaml": Setup.policy("web", dns: ["api.*.example"])]
            let port = try Ports.free()
            setup.metricsPort = port
            setup.extra = "flows: {export: {\(export)}\(more)}"
            let daemon = try Daemon(setup)
            try eventually("no metrics") { (try? Metrics(port: port)) != nil }
            return (daemon, port)
        }

        /// A line of the file.
        private struct Line: Decodable {
            /// A flow.
            struct Flow: Decodable {
                /// What became of it.
                let verdict: String
            }

            /// A flow.
            let flow: Flow
        }

        /// The verdicts in `text`, line by line.
        private static func verdicts(_ text: String) throws -> [String] {
            try text.split(separator: "\n").map {
                try JSONDecoder().decode(Line.self, from: Data($0.utf8)).flow.verdict
            }
        }

        @Test func `files are bounded in size and number, and a restart goes on where the last one ends`() throws {
            let (daemon, port) = try Exporting.daemon("file: flows.log, maxSize: 5KB, maxFiles: 2")
            for _ in 1...60 { #expect(try daemon.dig("ledger.local.example").status == "REFUSED") }
            try eventually("not all is exported") { try Metrics(port: port).values["flows_exported_total"] == 60 }
            let sizes = try ["flows.log", "flows.log.1", "flows.log.2"].map { name in
                let text = try daemon.workspace.read(name)
                #expect(try Exporting.verdicts(text).allSatisfy { $0 == "DROPPED" })
                return text.utf8.count
            }
            #expect(sizes.allSatisfy { $0 <= 5_000 } && sizes[1] > 4_000 && sizes[2] > 4_000)
            #expect(!FileManager.default.fileExists(atPath: daemon.workspace.file("flows.log.3")))

            // What is noted last is not lost when the daemon stops.
            #expect(try daemon.dig("api.local.example").status == "NOERROR")
            #expect(try daemon.stop() == 0)
            let before = try daemon.workspace.read("flows.log")
            #expect(try Exporting.verdicts(before).last == "FORWARDED")
            try daemon.restart()
            #expect(try daemon.dig("ledger.local.example").status == "REFUSED")
            try eventually("nothing is appended") { try daemon.workspace.read("flows.log").hasPrefix(before + "{") }
        }

        @Test func `only what is allowed and not denied is written, and of it only the fields that are wanted`() throws
        {
            let (daemon, port) = try Exporting.daemon(
                """
                file: flows.log, allow: [{verdict: [DROPPED]}, {identity: [shop/batch]}], \
                deny: [{name: ["*.secret.example"]}], fields: [verdict, l7.dns], redact: [l7.dns.query]
                """)
            #expect(try daemon.dig("api.local.example").status == "NOERROR")
            #expect(try daemon.dig("a.secret.example").status == "REFUSED")
            #expect(try daemon.dig("api.local.example", source: "127.0.0.2").status == "NOERROR")
            #expect(try daemon.dig("ledger.local.example").status == "REFUSED")
            try eventually("not two lines") { try Metrics(port: port).values["flows_exported_total"] == 2 }
            let text = try daemon.workspace.read("flows.log")
            #expect(try Exporting.verdicts(text) == ["FORWARDED", "DROPPED"])
            #expect(!text.contains("local.example") && !text.contains("127.0.0.") && text.contains(#""rcode":5"#))
        }

        @Test func `a full disk loses lines, says so once, and answers go on`() throws {
            let (daemon, port) = try Exporting.daemon("file: /dev/full")
            for _ in 1...5 { #expect(try daemon.dig("api.local.example").status == "NOERROR") }
            try eventually("nothing is lost") {
                try Metrics(port: port).values["flows_lost_total{reason=\"export\"}"] == 5
            }
            #expect(try Metrics(port: port).values["flows_exported_total"] == 0)
            #expect(daemon.process.errors.components(separatedBy: "flows are lost").count == 2)
            #expect(daemon.process.errors.contains("No space left on device"))
        }

        @Test func `a file that somebody else has moved away is begun anew after SIGHUP`() throws {
            let (daemon, port) = try Exporting.daemon("file: flows.log")
            #expect(try daemon.dig("api.local.example").status == "NOERROR")
            try eventually("nothing is exported") { try Metrics(port: port).values["flows_exported_total"] == 1 }
            let file = daemon.workspace.file("flows.log")
            try FileManager.default.moveItem(atPath: file, toPath: file + ".moved")
            daemon.process.signal(SIGHUP)
            try eventually("the file is not opened again") { FileManager.default.fileExists(atPath: file) }
            #expect(try daemon.dig("ledger.local.example").status == "REFUSED")
            try eventually("nothing is exported") { try Metrics(port: port).values["flows_exported_total"] == 2 }
            #expect(try Exporting.verdicts(daemon.workspace.read("flows.log")) == ["DROPPED"])
            #expect(try Exporting.verdicts(daemon.workspace.read("flows.log.moved")) == ["FORWARDED"])
        }

        @Test func `a pipe that nobody reads does not hold the end of the daemon`() throws {
            let (daemon, port) = try Exporting.daemon("file: stdout")
            #expect(try daemon.stop() == 0)
            // A pipe that this process keeps open, and never reads.
            let pipe = daemon.workspace.file("pipe")
            #expect(mkfifo(pipe, 0o600) == 0)
            let reader = try Socket(open(pipe, O_RDWR | O_CLOEXEC))
            let command = "exec \(Daemon.program) serve -c \(daemon.configuration) > \(pipe)"
            let process = try RunningProcess(["sh", "-c", command])
            try eventually("not ready: \(process.errors)") { try daemon.status()?.notReady.isEmpty == true }
            let client = try daemon.client()
            for _ in 1...500 { #expect(client.resolve("ledger.local.example") != nil) }
            // More than a pipe has room for.
            try eventually("not all are noted") { try Metrics(port: port).values["flows_noted_total"] == 500 }
            try eventually("nothing is exported") { try Metrics(port: port).values["flows_exported_total"] ?? 0 < 500 }
            process.signal(SIGTERM)
            #expect(try process.wait(within: .seconds(15)) == 0)
            withExtendedLifetime(reader) {}
        }

        @Test func `what is lost is written too, but is no flow`() throws {
            let (daemon, port) = try Exporting.daemon("file: flows.log", ", watchedRate: 10")
            let client = try daemon.client()
            for _ in 1...100 { #expect(client.resolve("ledger.local.example") != nil) }
            try eventually("nothing is said to be lost") {
                try daemon.workspace.read("flows.log").contains(#"{"lost_events":"#)
            }
            try eventually("not all is exported") {
                let metrics = try Metrics(port: port).values
                return metrics["flows_exported_total"] == metrics["flows_noted_total"]
                    && metrics["flows_lost_total{reason=\"rate\"}"] ?? 0 > 0
            }
            let lines = try daemon.workspace.read("flows.log").split(separator: "\n")
            let exported = try Metrics(port: port).values["flows_exported_total"]
            #expect(Double(lines.count { $0.hasPrefix(#"{"flow":"#) }) == exported)
        }

        @Test func `standard output takes flows as well, and a folder that is missing keeps the daemon from starting`()
            throws
        {
            let (daemon, _) = try Exporting.daemon("file: stdout")
            #expect(try daemon.dig("ledger.local.example").status == "REFUSED")
            try eventually("nothing is written") { try Exporting.verdicts(daemon.process.output) == ["DROPPED"] }
            #expect(try daemon.stop() == 0)

            let text = try daemon.workspace.read("dnsproxyd.yaml")
            try daemon.workspace.write(
                "dnsproxyd.yaml", text.replacingOccurrences(of: "stdout", with: "/missing/flows.log"))
            let failed = try run([Daemon.program, "serve", "-c", daemon.configuration])
            #expect(failed.status == 1 && failed.errors.contains("cannot open /missing/flows.log"))
        }
    }
}
