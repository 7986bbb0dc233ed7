import Foundation
import Testing

extension EndToEnd {
    /// What shells and `man` are given.
    @Suite struct Shells {
        /// Writes the completion script for a shell, and returns its path.
        private static func script(_ shell: String, to workspace: Workspace) throws -> String {
            let result = try run([Daemon.program, "--generate-completion-script", shell])
            #expect(result.status == 0 && !result.output.isEmpty, "\(result.errors)")
            return try workspace.write("_dnsproxyd.\(shell)", result.output)
        }

        /// The folder of the program, which the scripts find it by.
        private static let path = [
            "PATH": (Daemon.program as NSString).deletingLastPathComponent + ":"
                + (ProcessInfo.processInfo.environment["PATH"] ?? "/usr/bin:/bin")
        ]

        @Test(arguments: ["bash", "zsh", "fish"])
        func `the completions are what the shell can read`(_ shell: String) throws {
            let workspace = try Workspace()
            let result = try run([shell, "-n", Shells.script(shell, to: workspace)])
            #expect(result.status == 0 && result.errors.isEmpty, "\(result.errors)")
        }

        @Test func `bash completes commands, formats, files and the identities of the running daemon`() throws {
            var setup = Setup()
            setup.policies = ["web.yaml": Setup.policy("web")]
            let daemon = try Daemon(setup)
            let script = try Shells.script("bash", to: daemon.workspace)
            /// What bash offers behind `words`, the last of which is not finished.
            func offers(_ words: [String]) throws -> Set<Substring> {
                let list = words.map { "'\($0)'" }.joined(separator: " ")
                let line = """
                    cd '\(daemon.workspace.path)'
                    . '\(script)'
                    COMP_WORDS=(\(list)); COMP_CWORD=\(words.count - 1); COMP_LINE="${COMP_WORDS[*]}"
                    COMP_POINT=${#COMP_LINE}
                    _dnsproxyd dnsproxyd '\(words.last ?? "")' '\(words.dropLast().last ?? "")'; printf '%s\\n' "${COMPREPLY[@]}"
                    """
                let result = try run(
                    ["bash", "-c", line],
                    environment: Shells.path.merging(["DNSPROXYD_ADMIN": daemon.adminSocket]) { $1 })
                return Set(result.output.split(separator: "\n").map { $0.prefix { $0 != " " } })
            }
            #expect(try offers(["dnsproxyd", "cache", ""]).isSuperset(of: ["list", "clean"]))
            #expect(try offers(["dnsproxyd", "cache", "list", "-o", ""]) == ["table", "wide", "json", "yaml"])
            #expect(try offers(["dnsproxyd", "cache", "list", "-s", ""]) == ["lookup", "connection"])
            #expect(try offers(["dnsproxyd", "check", "-c", "dns"]).contains("dnsproxyd.yaml"))
            #expect(try offers(["dnsproxyd", "policy", "list", "-e", "shop/w"]).contains("shop/web"))
            // Without a daemon there is nothing to offer, and nothing is said.
            #expect(
                try offers(["dnsproxyd", "policy", "list", "--admin", "/nowhere", "-e", "shop/w"]).isEmpty)
        }

        @Test func `fish completes commands and formats`() throws {
            let workspace = try Workspace()
            let script = try Shells.script("fish", to: workspace)
            for (line, word) in [("dnsproxyd cache ", "list"), ("dnsproxyd status -o ", "yaml")] {
                let result = try run(
                    ["fish", "--no-config", "-c", "source \(script); complete -C '\(line)'"],
                    environment: Shells.path.merging(["HOME": workspace.path]) { $1 })
                let words = result.output.split(separator: "\n").map { $0.prefix { $0 != "\t" } }
                #expect(words.contains { $0 == word }, "\(line): \(result.output) \(result.errors)")
            }
        }

        @Test func `every command has a manual page that mandoc has nothing to say against`() throws {
            let workspace = try Workspace()
            let result = try run(["\(repositoryRoot)/scripts/manual", Daemon.program, workspace.file("man")])
            #expect(result.status == 0, "\(result.errors)")
            for (words, command) in try CommandTree.all() {
                let page = workspace.file("man/\(words.joined(separator: "-")).1")
                let lint = try run(["mandoc", "-T", "lint", "-W", "warning", page])
                #expect(lint.status == 0 && lint.output.isEmpty, "\(lint.output)")
                let text = try run(["mandoc", "-T", "ascii", page]).output
                // Bold is a character, a backspace and the character again.
                let plain = text.replacing(/.\u{8}/, with: "")
                for name in (command.arguments ?? []).flatMap({ $0.names ?? [] }) {
                    #expect(plain.contains(name.text), "\(words): \(name.text)")
                }
                #expect(
                    plain.contains("EXAMPLES")
                        && plain.contains("dnsproxyd \(words.dropFirst().joined(separator: " "))"))
            }
        }
    }
}
