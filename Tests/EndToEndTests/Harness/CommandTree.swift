import Foundation

/// A command as the argument parser of the program describes it.
struct CommandTree: Decodable {
    /// An option, a flag or an argument.
    struct Argument: Decodable {
        /// One way to write it.
        struct Name: Decodable {
            /// `long` or `short`.
            let kind: String
            /// Without dashes.
            let name: String

            /// As it is typed.
            var text: String { (kind == "short" ? "-" : "--") + name }
        }

        /// `option`, `flag` or `positional`.
        let kind: String
        /// All ways to write it; none of an argument.
        let names: [Name]?
        /// What its value is called.
        let valueName: String
        /// Whether the help shows it.
        let shouldDisplay: Bool
    }

    /// Its last word.
    let commandName: String
    /// What it takes.
    let arguments: [Argument]?
    /// The commands below it.
    let subcommands: [CommandTree]?

    /// The program's commands, each with its words, `help` left out.
    static func all() throws -> [(words: [String], command: CommandTree)] {
        /// What the program prints.
        struct Dump: Decodable {
            /// The program itself.
            let command: CommandTree
        }
        let dump = try run([Daemon.program, "--experimental-dump-help"])
        return try JSONDecoder().decode(Dump.self, from: Data(dump.output.utf8)).command.flattened([])
    }

    /// This command and all below it, behind `words`.
    private func flattened(_ words: [String]) -> [(words: [String], command: CommandTree)] {
        let words = words + [commandName]
        let children = (subcommands ?? []).filter { $0.commandName != "help" }
        return [(words, self)] + children.flatMap { $0.flattened(words) }
    }
}
