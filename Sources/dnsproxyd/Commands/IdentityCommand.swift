import ArgumentParser
import DNSProxy

/// `dnsproxyd identity`
struct IdentityCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "identity", abstract: "Look at the identities of a running daemon.",
        discussion: "EXAMPLE: dnsproxyd identity list", subcommands: [ListCommand.self])

    /// `dnsproxyd identity list`
    struct ListCommand: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            commandName: "list", abstract: "List identities with their labels and addresses.",
            discussion: "EXAMPLE: dnsproxyd identity list -o json")

        @Option(name: [.customShort("o"), .customLong("output")], help: "How to write the list.")
        var output = ListFormat.table
        @OptionGroup var admin: AdminOption

        func run() async throws {
            var writer = ListWriter<AdminIdentity>(output, columns: ListCommand.columns)
            try await admin.client.each("/v1/identities", []) { try writer.write($0) }
            try writer.finish()
        }

        /// The columns of the table.
        private static let columns: [TableColumn<AdminIdentity>] = [
            TableColumn("ID") { "\($0.id)" },
            TableColumn("Namespace") { $0.namespace },
            TableColumn("Name") { $0.name },
            TableColumn("Labels") { $0.labels.sorted { $0.key < $1.key }.map { "\($0)=\($1)" }.joined(separator: ",") },
            TableColumn("Restricted") { $0.isRestricted ? "yes" : "no" },
            TableColumn("Rules") { "\($0.rules)" },
            TableColumn("Addresses") { $0.addresses.joined(separator: ",") },
        ]
    }
}
