import ArgumentParser
import DNSProxy
import Glibc

/// `dnsproxyd cache`
struct CacheCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "cache", abstract: "Look at and empty what a running daemon remembers.",
        discussion: """
            EXAMPLES:
              dnsproxyd cache list -p '*.example.com'
              dnsproxyd cache clean -p api.example.com -f
            """,
        subcommands: [ListCommand.self, CleanCommand.self])

    /// `dnsproxyd cache clean`
    struct CleanCommand: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            commandName: "clean", abstract: "Forget cached answers, and with --mappings what was learned from them.",
            discussion: """
                Forgotten mappings are published as deletions: enforcers close what they had opened for them.

                EXAMPLES:
                  dnsproxyd cache clean -p api.example.com -f
                  dnsproxyd cache clean --mappings -f -o json
                """)

        @OptionGroup var names: PatternOption
        @Flag(name: [.customShort("f"), .customLong("force")], help: "Do not ask.")
        var force = false
        @Flag(help: "Forget mappings too.")
        var mappings = false
        @OptionGroup var output: TextOutputOption
        @OptionGroup var admin: AdminOption

        /// What was forgotten.
        private struct Removed: Encodable {
            /// Cached answers.
            let answers: Int
            /// Mappings; nil when they were not to be forgotten.
            let mappings: Int?
        }

        func run() async throws {
            guard try force || isConfirmed() else { throw CommandFailure("nothing was forgotten") }
            let client = admin.client
            let parameters = [("pattern", names.pattern)]
            let answers: AdminRemoval = try await client.delete("/v1/answers", parameters)
            let mappings: AdminRemoval? = mappings ? try await client.delete("/v1/mappings", parameters) : nil
            try output.format.write(Removed(answers: answers.removed, mappings: mappings?.removed)) {
                try StandardOutput.line("answers forgotten: \(answers.removed)")
                if let mappings { try StandardOutput.line("mappings forgotten: \(mappings.removed)") }
            }
        }

        /// Asks the person at the terminal.
        /// - Throws: `CommandFailure` when there is no terminal.
        private func isConfirmed() throws(CommandFailure) -> Bool {
            guard isatty(STDIN_FILENO) == 1 else {
                throw CommandFailure(
                    "standard input is no terminal, so nobody can confirm; -f does it without", .validationFailure)
            }
            let what = mappings ? "cached answers and learned mappings" : "cached answers"
            let which = names.pattern.map { " of names that match \(printable($0))" } ?? ""
            StandardError.write("Forget all \(what)\(which)? [y/N] ", terminator: "")
            return ["y", "yes"].contains(readLine()?.lowercased() ?? "")
        }
    }
}
