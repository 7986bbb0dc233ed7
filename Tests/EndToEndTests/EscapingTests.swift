import Foundation
import MappingFeed
import Testing

extension EndToEnd {
    /// Names come from strangers. Wherever one is shown it is text: it steers no terminal, ends no line and no string, and
    /// can be told from every other name.
    @Suite struct Escaping {
        /// A first label that somebody asks for, and how it is written (RFC 1035, section 5.1).
        private struct Hostile: Sendable, CustomTestStringConvertible {
            /// The bytes of the label.
            let label: [UInt8]
            /// How it is shown.
            let shown: String

            /// The label `text`, shown as `shown`.
            init(_ text: String, _ shown: String) {
                label = Array(text.utf8)
                self.shown = shown
            }

            /// A label of any bytes.
            init(_ label: [UInt8], _ shown: String) {
                self.label = label
                self.shown = shown
            }

            /// The whole name as it is shown.
            var name: String { "\(shown).hostile.example." }
            /// The same inside of JSON.
            var json: String { name.replacing("\\", with: "\\\\").replacing("\"", with: "\\\"") }

            var testDescription: String { shown }
        }

        /// What strangers ask for.
        private static let names = [
            Hostile("\u{1B}[31mred\u{1B}]0;owned\u{7}", #"\027[31mred\027]0\;owned\007"#),
            Hostile("two\nlines\r\n\u{B}\u{C}", #"two\010lines\013\010\011\012"#),
            Hostile("tab\tand blank", #"tab\009and\032blank"#),
            Hostile(#"quo"te'`s"#, #"quo\"te'`s"#),
            Hostile(#""},{"a":"b"#, #"\"},{\"a\":\"b"#),
            Hostile(#"back\slash\"#, #"back\\slash\\"#),
            Hostile(#"\027"#, #"\\027"#),
            Hostile("<script>alert(1)</script>&amp;", #"<script>alert\(1\)</script>&amp\;"#),
            Hostile("\u{202E}drah\u{2066}\u{200B}", #"\226\128\174drah\226\129\166\226\128\139"#),
            Hostile([0x9B, 0x33, 0x31, 0x6D, 0x85, 0x7F], #"\15531m\133\127"#),
            Hostile([0xFF, 0xFE, 0xC0, 0x80], #"\255\254\192\128"#),
            Hostile("nul\0nul", #"nul\000nul"#),
            Hostile("dot.dot..hostile.example.", #"dot\.dot\.\.hostile\.example\."#),
            Hostile("- {a: b} # *&!|>%@", #"-\032{a:\032b}\032#\032*&!|>%\@"#),
            Hostile("$(id)${IFS};$HOME", #"\$\(id\)\${ifs}\;\$home"#),
            Hostile("%s%n%d{} \u{E9}", #"%s%n%d{}\032\195\169"#),
        ]

        /// What a stranger's server says: an alias to a hostile name and an address, or a hostile text.
        private static let target: [UInt8] = [5, 0x1B, 0x5B, 0x33, 0x6D, 0x0A] + [UInt8](name: "alias.example")
        /// The alias as it is shown.
        private static let shownTarget = #"\027[3m\010.alias.example."#

        /// A query of `type` for the name that begins with `label`.
        private static func query(_ label: [UInt8], _ type: UInt16 = 1) -> [UInt8] {
            let name = [UInt8(label.count)] + label + [UInt8](name: "hostile.example")
            return [0x12, 0x34, 1, 0, 0, 1, 0, 0, 0, 0, 0, 0] + name + [UInt8](wide: type) + [0, 1]
        }

        /// The server of strangers.
        private static func server() throws -> ScriptedServer {
            try ScriptedServer { query in
                var response = query.response()
                if query.bytes[query.questionEnd - 3] == 16 {
                    response[7] = 1
                    let text: [UInt8] = [0x1B, 0x5B, 0x4A, 0x0A, 0x22, 0x5C, 0x9B, 0xFF, 0]
                    response += [UInt8](type: 16, data: [UInt8(text.count)] + text)
                } else {
                    response[7] = 2
                    response += [UInt8](type: 5, data: target)
                    response += [UInt8](owner: target, data: [192, 0, 2, 9])
                }
                return [response]
            }
        }

        /// How something shows names.
        private enum Form {
            /// As they are.
            case plain
            /// As a text in JSON, a value a line.
            case json
            /// As a scalar in YAML, of any style.
            case yaml
            /// Not at all.
            case none

            /// The ways in which `name` may stand there.
            func texts(_ name: Hostile) -> [String] {
                switch self {
                case .plain: [name.name]
                case .json: [name.json]
                case .yaml: [name.name, name.json, name.name.replacing("'", with: "''")]
                case .none: []
                }
            }
        }

        /// Something that may show names.
        private struct Sink {
            /// What it is called here.
            let title: String
            /// How it shows names.
            let form: Form
            /// What it shows.
            let read: () throws -> String

            /// Something that shows what `read` returns.
            init(_ title: String, _ form: Form, _ read: @escaping () throws -> String) {
                self.title = title
                self.form = form
                self.read = read
            }
        }

        /// Characters of `text` that steer a terminal, end a line within one, or are no text.
        private static func unprintable(_ text: String) -> [String] {
            text.unicodeScalars.filter { scalar in
                switch scalar.properties.generalCategory {
                case .control, .format, .lineSeparator, .paragraphSeparator, .surrogate, .unassigned: scalar != "\n"
                default: scalar == "\u{FFFD}"
                }
            }.map { "U+\(String($0.value, radix: 16))" }
        }

        /// What `dnsproxyd` prints with `arguments`.
        private static func output(_ daemon: Daemon, _ arguments: String) throws -> String {
            let words = arguments.split(separator: " ").map(String.init)
            let result = try run([Daemon.program] + words + ["--admin", daemon.adminSocket])
            guard result.status == 0 else { throw HarnessError("\(arguments): \(result.errors)") }
            return result.output
        }

        /// The daemon of the tests, which learns all names, and the port of its metrics and page.
        private static func daemon(_ upstream: ScriptedServer) throws -> (daemon: Daemon, port: Int) {
            var setup = Setup(upstream: upstream.port)
            let port = try Ports.free()
            setup.metricsPort = port
            setup.admin = ", page: true"
            setup.policies = ["web.yaml": Setup.policy("web"), "batch.yaml": Setup.policy("batch", dns: ["a.example"])]
            // Identities are the operator's, and what is in their labels may be anybody's.
            let note = #""\u202Eb\u009B31m\x7F""#
            setup.identities += "\n  - {name: other, namespace: shop, labels: {note: \(note)}, addresses: [127.0.0.3]}"
            setup.extra = """
                learning: {scope: all}
                flows: {export: {file: flows.log}}
                log: {level: debug, format: json}
                metrics: {upstreamLabels: true}
                """
            let daemon = try Daemon(setup)
            try eventually("no page") { (try? http("GET /", port: port))?.status == 200 }
            return (daemon, port)
        }

        @Test func `hostile names are the same harmless text in every sink`() throws {
            let upstream = try Self.server()
            defer { upstream.stop() }
            let (daemon, port) = try Self.daemon(upstream)
            let subscriber = try RunningProcess([Daemon.program, "feed", "watch", "--admin", daemon.adminSocket])
            let denied = try daemon.client(source: "127.0.0.2")
            let allowed = try daemon.client()
            let other = try daemon.client(source: "127.0.0.3")
            for name in Self.names {
                for (client, type, code) in [(allowed, UInt16(1), 0), (allowed, 16, 0), (denied, 1, 5), (other, 1, 0)] {
                    client.send(Self.query(name.label, type))
                    #expect(client.answer()?.code == code, "\(name.shown)")
                }
            }
            for sink in Self.sinks(daemon, page: port, subscriber) {
                var text = try sink.read()
                if sink.form == .none {
                    #expect(!text.contains("hostile.example"), "\(sink.title)")
                } else {
                    try eventually("\(sink.title) does not show all: \(text)") {
                        text = try sink.read()
                        return Self.names.allSatisfy { sink.form.texts($0).contains { text.contains($0) } }
                    }
                }
                #expect(Self.unprintable(text) == [], "\(sink.title)")
                for line in text.split(separator: "\n") where sink.form == .json && line.hasPrefix("{") {
                    let json = line.hasSuffix(",") ? line.dropLast() : line
                    #expect(throws: Never.self, "\(sink.title): \(line)") {
                        try JSONSerialization.jsonObject(with: Data(json.utf8))
                    }
                }
            }
        }

        /// Everything that shows what the daemon has seen; `page` is the port of its metrics, `subscriber` prints its feed.
        private static func sinks(_ daemon: Daemon, page: Int, _ subscriber: RunningProcess) -> [Sink] {
            let commands: [(String, Form)] = [
                ("cache list", .plain), ("cache list -o wide", .plain), ("cache list --answers", .plain),
                ("cache list -o json", .json), ("cache list --answers -o json", .json), ("cache list -o yaml", .yaml),
                ("cache list --answers -o yaml", .yaml), ("observe --last 1000", .plain),
                ("observe --last 1000 -o table", .plain), ("observe --last 1000 -o jsonpb", .json),
                ("policy suggest -e shop/web", .plain), ("status", .none), ("identity list", .none),
                ("identity list -o json", .none), ("identity list -o yaml", .none),
            ]
            let paths: [(String, Form)] = [
                ("mappings", .json), ("answers", .json), ("flows?last=1000", .json), ("status", .none),
                ("identities", .none),
            ]
            var sinks = commands.map { line, form in Sink(line, form) { try output(daemon, line) } }
            sinks += paths.map { path, form in Sink("/v1/\(path)", form) { try daemon.admin("GET /v1/\(path)").text } }
            return sinks + [
                Sink("a terminal", .plain) {
                    try terminal(
                        "\(Daemon.program) cache list --admin \(daemon.adminSocket)", columns: 400,
                        environment: ["TERM": "dumb"]
                    ).output
                },
                Sink("the feed", .json) { subscriber.output },
                Sink("the journal", .json) { try daemon.workspace.read("journal/journal.jsonl") },
                Sink("the exporter", .json) { try daemon.workspace.read("flows.log") },
                Sink("the page's search", .json) { try http("GET /v1/mappings/search?pattern=*", port: page).text },
                Sink("metrics", .none) { try http("GET /metrics", port: page).text },
                Sink("the log", .none) { daemon.process.errors },
            ]
        }

        @Test func `one name is one row, and what aliases and records say is text as well`() throws {
            let upstream = try Self.server()
            defer { upstream.stop() }
            let daemon = try Self.daemon(upstream).daemon
            let client = try daemon.client()
            for name in Self.names {
                for type in [UInt16(1), 16] {
                    client.send(Self.query(name.label, type))
                    #expect(client.answer()?.code == 0, "\(name.shown)")
                }
            }
            let mappings = try Self.output(daemon, "cache list")
            #expect(mappings.split(separator: "\n").count == Self.names.count + 1, "\(mappings)")
            #expect(Set(try daemon.mappings().map(\.fqdn)) == Set(Self.names.map(\.name)))
            let answers = try daemon.cachedAnswers()
            #expect(Set(answers.map(\.name)) == Set(Self.names.map(\.name)))
            let data = Set(answers.flatMap(\.data))
            #expect(data.contains(#""\027[J\010\"\\\155\255\000""#) && data.contains("192.0.2.9"), "\(data)")
            #expect(data.contains(Self.shownTarget), "\(data)")
            try eventually("no flow has the alias") {
                try Self.output(daemon, "observe --last 1000 -o jsonpb").contains(
                    Self.shownTarget.replacing("\\", with: "\\\\"))
            }
            for name in Self.names {
                let explanation = try run([
                    Daemon.program, "policy", "explain", "--client", "127.0.0.1", "--admin", daemon.adminSocket, "--",
                    name.name,
                ])
                #expect(
                    explanation.status == 0 && explanation.output.contains(" \(name.name) over UDP"), "\(explanation)")
                #expect(Self.unprintable(explanation.output) == [])
            }
            // What is suggested is a policy all the same.
            let folder = try Workspace()
            try folder.write("suggested.yaml", try Self.output(daemon, "policy suggest -e shop/web"))
            let file = try folder.write("dnsproxyd.yaml", "policies: [suggested.yaml]\n")
            let checked = try run([Daemon.program, "check", "-c", file])
            #expect(checked.status == 0, "\(checked.errors)")
        }

        @Test func `what an enforcer says is one line of the log, in both formats`() throws {
            for format in ["text", "json"] {
                let nsd = try NSD(zone: "one IN A 192.0.2.1")
                var setup = Setup(upstream: nsd.port)
                setup.policies = ["web.yaml": Setup.policy("web")]
                setup.extra = "log: {format: \(format)}"
                let daemon = try Daemon(setup)
                let subscriber = try FeedSubscriber(daemon.feedSocket, acknowledge: true)
                try subscriber.waitForSnapshot()
                #expect(try daemon.client().resolve("one.test.example") != nil)
                let (upsert, _) = try subscriber.waitForUpsert("one.test.example.")
                subscriber.send(
                    .nack(
                        FeedRejection(
                            sequence: upsert.sequence,
                            error: "a\u{1B}[31m\nTIME error forged \u{202E}\u{9B} x=\"y\" z=w")))
                try eventually("nothing is logged: \(daemon.process.errors)") {
                    daemon.process.errors.contains("forged")
                }
                let errors = daemon.process.errors
                #expect(Self.unprintable(errors) == [], "\(errors)")
                let lines = errors.split(separator: "\n").filter { $0.contains("forged") }
                #expect(lines.count == 1 && lines[0].contains("could not put"), "\(errors)")
            }
        }
    }
}
