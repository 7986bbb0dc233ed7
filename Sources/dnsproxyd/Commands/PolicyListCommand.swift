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

                EXAMPLES:
                  dnsproxyd policy list
                  dnsproxyd policy list --identity shop/web -o json
                """)

        @OptionGroup var owner: IdentityOption
        @OptionGroup var output: ListOutputOption
        @OptionGroup var admin: AdminOption

        func run() async throws {
            var writer = ListWriter<AdminRule>(output.format, columns: ListCommand.columns)
            try await admin.client.each("/v1/policy/rules", [("identity", owner.identity)]) { try writer.write($0) }
            try writer.finish()
        }

        /// `"*.example.com"` of `matchPattern: "*.example.com"`.
        private static func pattern(_ rule: String) -> String {
            guard let colon = rule.firstIndex(of: ":") else { return rule }
            return String(rule[rule.index(after: colon)...].drop { $0 == " " })
        }

        /// The columns of the table.
        private static let columns: [TableColumn<AdminRule>] = [
            TableColumn("Identity") { $0.identityName },
            TableColumn("Kind") { $0.kind.rawValue + ($0.audit ? " (audit)" : "") },
            TableColumn("Rule", short: "Rule", isFlexible: true, { $0.rule }, short: { pattern($0.rule) }),
            TableColumn("For", list: { $0.transports + $0.ports.map(\.description) }),
            TableColumn("Policy") { $0.policy },
            TableColumn("Place") { "\($0.file):\($0.line)" },
            TableColumn("PolicyKind", isWide: true) { $0.policyKind },
            TableColumn("Path", isWide: true) { $0.path },
            TableColumn("MatchAliases", isWide: true) { $0.matchAliases ? "yes" : "no" },
        ]
    }
}
