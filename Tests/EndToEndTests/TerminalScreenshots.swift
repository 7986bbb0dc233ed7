import Foundation
import Testing

extension EndToEnd {
    /// Pictures of sessions at a terminal for the documentation: `make screenshots`. What is in them is what a shell and
    /// the commands have written to a terminal, letter by letter and colour by colour.
    @Suite struct TerminalScreenshots {
        /// Where pictures go; nil unless somebody wants them.
        private static let folder = ProcessInfo.processInfo.environment["DNSPROXYD_SCREENSHOTS"]
        /// Where the daemon has its sockets and its journal: a short path, because it is in the pictures.
        private static let state = "/tmp/dnsproxyd-demo"
        /// Columns of the terminal.
        private static let columns = 116

        /// Sessions, by the name of their picture.
        private static let sessions = [
            (
                "terminal-why",
                ["dnsproxyd observe --last 3", "dnsproxyd policy explain --client 127.0.0.1 ledger.shop.example"]
            ),
            ("terminal-state", ["dnsproxyd cache list", "dnsproxyd status"]),
        ]

        /// The quickstart, on a port and in a folder of its own, with an upstream that nobody asks, and where it runs.
        private static func quickstart() throws -> (process: RunningProcess, workspace: Workspace, port: Int) {
            let workspace = try Workspace()
            let port = try Ports.free()
            let folder = "Examples/quickstart"
            for file in try FileManager.default.subpathsOfDirectory(atPath: "\(repositoryRoot)/\(folder)")
            where [".yaml", ".zone"].contains(where: file.hasSuffix) {
                let text = try String(contentsOfFile: "\(repositoryRoot)/\(folder)/\(file)", encoding: .utf8)
                    .replacing("/tmp/dnsproxyd-quickstart", with: state)
                    .replacing("127.0.0.1:5355", with: "127.0.0.1:\(port)")
                let upstream = file == "dnsproxyd.yaml" ? "upstreams: [{servers: [192.0.2.53]}]\n" : ""
                try workspace.write("\(folder)/\(file)", text + upstream)
            }
            // Nobody else's: it must not be there yet.
            try FileManager.default.createDirectory(atPath: state, withIntermediateDirectories: false)
            let line = "cd \(workspace.path) && exec \(Daemon.program) serve -c \(folder)/dnsproxyd.yaml"
            let process = try RunningProcess(["sh", "-c", line])
            let client = try DNSClient(port: port)
            try eventually("no answer: \(process.errors)") {
                client.resolve("shop.example", 6, within: .milliseconds(50)) != nil
            }
            return (process, workspace, port)
        }

        /// What a terminal shows when `commands` are run one after another, each with the prompt of the shell.
        private static func session(_ commands: [String], _ workspace: Workspace) throws -> String {
            let program = (Daemon.program as NSString).deletingLastPathComponent
            let line = commands.map { "{ set -x; } 2>/dev/null; \($0); { set +x; echo; } 2>/dev/null" }
            return try terminal(
                "cd \(workspace.path); PATH=\(program):$PATH; PS4='$ '; \(line.joined(separator: "; "))",
                columns: columns, environment: ["DNSPROXYD_ADMIN": "\(state)/admin.sock"]
            ).output
        }

        /// A page that looks like a terminal with `text`, of whose control sequences those for colour are understood and
        /// all others left out.
        private static func page(_ text: String) -> String {
            var body = ""
            for (index, piece) in text.split(separator: "\u{1B}[", omittingEmptySubsequences: false).enumerated() {
                guard index > 0, let end = piece.firstIndex(where: \.isLetter) else {
                    body += escaped(piece)
                    continue
                }
                if piece[end] == "m" { body += "</span><span class=\"c\(piece[..<end])\">" }
                body += escaped(piece[piece.index(after: end)...])
            }
            return """
                <!doctype html><meta charset="utf-8"><style>
                body { margin: 0; background: #10151c; color: #d4dbe3 }
                pre { margin: 0; padding: 16px 18px 0; width: \(columns)ch; white-space: pre-wrap; word-break: break-all;
                  font: 14px/1.45 "DejaVu Sans Mono", "Liberation Mono", monospace }
                .c1 { font-weight: bold } .c31 { color: #ff7b72 } .c32 { color: #56d364 } .c33 { color: #e3b341 }
                </style><pre><span>\(body.trimmingCharacters(in: .newlines))</span>\n\n</pre>
                """
        }

        /// `text` as HTML.
        private static func escaped(_ text: Substring) -> String {
            String(text).replacing("&", with: "&amp;").replacing("<", with: "&lt;").replacing("\r", with: "")
        }

        @Test(.enabled(if: folder != nil, "only make screenshots asks for them"))
        func `pictures of sessions at a terminal`() throws {
            let folder = try #require(TerminalScreenshots.folder)
            let (process, workspace, port) = try TerminalScreenshots.quickstart()
            defer { try? FileManager.default.removeItem(atPath: TerminalScreenshots.state) }
            let questions = [
                ("www.shop.example", "127.0.0.1"), ("ledger.shop.example", "127.0.0.2"),
                ("api.shop.example", "127.0.0.1"), ("ledger.shop.example", "127.0.0.1"),
            ]
            for (name, source) in questions {
                #expect(try DNSClient(port: port, source: source).resolve(name) != nil)
            }
            let browser = try Browser()
            for (name, commands) in TerminalScreenshots.sessions {
                let text = try TerminalScreenshots.session(commands, workspace)
                for command in commands { #expect(text.contains("$ \(command)\n"), "\(text)") }
                let file = try workspace.write("\(name).html", TerminalScreenshots.page(text))
                try browser.emulate(width: 1_020, height: 200, scheme: .dark)
                try browser.open("file://\(file)")
                let height = try #require(
                    try browser.evaluate("return document.querySelector('pre').offsetHeight") as? Int)
                try browser.emulate(width: 1_020, height: height, scheme: .dark, scale: 1.5)
                try browser.screenshot().write(to: URL(fileURLWithPath: "\(folder)/\(name).png"))
            }
            process.signal(SIGTERM)
            try process.wait()
        }
    }
}
