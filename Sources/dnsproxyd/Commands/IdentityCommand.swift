import ArgumentParser
import DNSProxy

/// `dnsproxyd identity`
struct IdentityCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "identity", abstract: "Look at the identities of a running daemon.",
        discussion: """
            EXAMPLES:
              dnsproxyd identity list
            """,
        subcommands: [ListCommand.self])

    /// `dnsproxyd identity list`
    struct ListCommand: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            commandName: "list", abstract: "List identities with their labels and addresses.",
            discussion: """
                EXAMPLES:
                  dnsproxyd identity list
                  dnsproxyd identity list -o json | jq '.[] | select(.isRestricted)'
                """)

        @OptionGroup var output: ListOutputOption
        @OptionGroup var admin: AdminOption

        func run() async throws {
            var writer = ListWriter<AdminIdentity>(output.format, columns: ListCommand.columns)
            try await admin.client.each("/v1/identities", []) { try writer.write($0) }
            try writer.finish()
        }

        /// The columns of the table.
        private static let columns: [TableColumn<AdminIdentity>] = [
            TableColumn("ID") { "\($0.id)" },
            TableColumn("Namespace") { $0.namespace },
            TableColumn("Name", isFlexible: true) { $0.name },
            TableColumn("Labels", list: { $0.labels.sorted { $0.key < $1.key }.map { "\($0)=\($1)" } }),
            TableColumn("Restricted") { $0.isRestricted ? "yes" : "no" },
            TableColumn("Rules") { "\($0.rules)" },
            TableColumn("Addresses", list: { $0.addresses }),
            TableColumn("Policies", isWide: true, list: { $0.policies }),
        ]
    }
}
