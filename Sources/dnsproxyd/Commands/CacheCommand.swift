import ArgumentParser
import DNSProxy
import Glibc

/// `dnsproxyd cache`
struct CacheCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "cache", abstract: "Look at and empty what a running daemon remembers.",
        discussion: "EXAMPLE: dnsproxyd cache list -p '*.example.com'",
        subcommands: [ListCommand.self, CleanCommand.self])

    /// `dnsproxyd cache list`
    struct ListCommand: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            commandName: "list", abstract: "List the mappings that were learned, or the answers that are cached.",
            discussion: """
                EXAMPLES: dnsproxyd cache list -p '*.amazonaws.com' -e production/api
                          dnsproxyd cache list --answers -o json
                """)

        @Flag(help: "List cached answers instead of mappings.")
        var answers = false
        @Option(name: [.customShort("p"), .customLong("pattern")], help: "Only names that this matchPattern matches.")
        var pattern: String?
        @Option(
            name: [.customShort("e"), .customLong("endpoint")],
            help: "Only mappings of this identity: its number, name, or namespace/name.")
        var identity: String?
        @Option(name: [.customShort("o"), .customLong("output")], help: "How to write the list.")
        var output = ListFormat.table
        @OptionGroup var admin: AdminOption

        func validate() throws {
            if answers, identity != nil {
                throw ValidationError("cached answers belong to no identity: -e is for mappings")
            }
        }

        func run() async throws {
            let parameters = [("pattern", pattern), ("identity", identity)]
            if answers {
                var writer = ListWriter<AdminAnswer>(output, columns: ListCommand.answerColumns)
                try await admin.client.each("/v1/answers", parameters) { try writer.write($0) }
                try writer.finish()
            } else {
                var writer = ListWriter<MappingListing>(output, columns: ListCommand.mappingColumns)
                try await admin.client.each("/v1/mappings", parameters) { try writer.write($0) }
                try writer.finish()
            }
        }

        /// The columns of mappings, as `cilium-dbg fqdn cache list` has them, and the client.
        private static let mappingColumns: [TableColumn<MappingListing>] = [
            TableColumn("Endpoint") { $0.endpoint.isEmpty ? "\($0.endpointID)" : $0.endpoint },
            TableColumn("Client") { $0.client },
            TableColumn("Source") { $0.source },
            TableColumn("FQDN") { $0.fqdn },
            TableColumn("TTL") { "\($0.ttl)" },
            TableColumn("ExpirationTime") { $0.expirationTime },
            TableColumn("IPs") { $0.ips.joined(separator: ",") },
        ]

        /// The columns of answers.
        private static let answerColumns: [TableColumn<AdminAnswer>] = [
            TableColumn("Name") { $0.name },
            TableColumn("Type") { $0.type },
            TableColumn("RCode") { $0.rcode },
            TableColumn("TTL") { "\($0.ttl)" },
            TableColumn("Hits") { "\($0.hits)" },
            TableColumn("Size") { "\($0.size)" },
            TableColumn("State") { $0.state.rawValue },
            TableColumn("Data") { $0.data.joined(separator: ", ") },
        ]
    }

    /// `dnsproxyd cache clean`
    struct CleanCommand: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            commandName: "clean", abstract: "Forget cached answers, and with --mappings what was learned from them.",
            discussion: """
                Forgotten mappings are published as deletions: enforcers close what they had opened for them.

                EXAMPLE: dnsproxyd cache clean -p 'api.example.com' -f
                """)

        @Option(name: [.customShort("p"), .customLong("pattern")], help: "Only names that this matchPattern matches.")
        var pattern: String?
        @Flag(name: [.customShort("f"), .customLong("force")], help: "Do not ask.")
        var force = false
        @Flag(help: "Forget mappings too.")
        var mappings = false
        @OptionGroup var admin: AdminOption

        func run() async throws {
            guard try force || isConfirmed() else { throw CommandFailure("nothing was forgotten") }
            let client = admin.client
            let answers: AdminRemoval = try await client.delete("/v1/answers", [("pattern", pattern)])
            try StandardOutput.line("answers forgotten: \(answers.removed)")
            if mappings {
                let mappings: AdminRemoval = try await client.delete("/v1/mappings", [("pattern", pattern)])
                try StandardOutput.line("mappings forgotten: \(mappings.removed)")
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
            let names = pattern.map { " of names that match \(printable($0))" } ?? ""
            StandardError.write("Forget all \(what)\(names)? [y/N] ", terminator: "")
            return ["y", "yes"].contains(readLine()?.lowercased() ?? "")
        }
    }
}
