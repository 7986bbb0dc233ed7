import ArgumentParser
import DNSProxy
import FQDNPolicy

extension PolicyCommand {
    /// `dnsproxyd policy list`
    struct ListCommand: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            commandName: "list", abstract: "List the rules that are in force for each identity, as compiled.",
            discussion: """
                allow and deny are about queries, learn and denyLearning about the addresses in answers.

                EXAMPLES: dnsproxyd policy list
                          dnsproxyd policy list --identity shop/web -o json
                """)

        @Option(help: "Only the rules of this identity: its number, its name, or namespace/name.")
        var identity: String?
        @Option(name: [.customShort("o"), .customLong("output")], help: "How to write the list.")
        var output = ListFormat.table
        @OptionGroup var admin: AdminOption

        func run() async throws {
            var writer = ListWriter<AdminRule>(output, columns: ListCommand.columns)
            let parameters = identity.map { [("identity", $0)] } ?? []
            try await admin.client.each("/v1/policy/rules", parameters) { try writer.write($0) }
            try writer.finish()
        }

        /// The columns of the table.
        private static let columns: [TableColumn<AdminRule>] = [
            TableColumn("Identity") { $0.identityName },
            TableColumn("Kind") { $0.kind.rawValue + ($0.audit ? " (audit)" : "") },
            TableColumn("Rule") { $0.rule },
            TableColumn("For") { ($0.transports + $0.ports.map(\.description)).joined(separator: ",") },
            TableColumn("Policy") { $0.policy },
            TableColumn("Place") { "\($0.file):\($0.line)" },
        ]
    }
}
