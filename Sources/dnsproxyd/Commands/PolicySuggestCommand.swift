import ArgumentParser
import DNSProxy

extension PolicyCommand {
    /// `dnsproxyd policy suggest`
    struct SuggestCommand: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            commandName: "suggest", abstract: "Write a policy from the names that an identity asked for.",
            discussion: """
                Run the identity under audit, or without a policy, for as long as its work takes to show what it needs; \
                the names that were asked and answered since the daemon started become a CiliumNetworkPolicy. Names that \
                differ in one label only are folded into a pattern, never one that reaches beyond a registered domain.

                EXAMPLES:
                  dnsproxyd policy suggest --identity shop/web > policies/web.yaml
                  dnsproxyd policy suggest --identity shop/web -o json | jq .names
                """)

        @Option(
            name: [.customShort("e"), .customLong("identity"), .customLong("endpoint")],
            help: "The identity: its number, its name, or namespace/name.", completion: IdentityOption.completion)
        var identity: String
        @OptionGroup var output: TextOutputOption
        @OptionGroup var admin: AdminOption

        func run() async throws {
            let suggestion: AdminSuggestion = try await admin.client.get(
                "/v1/policy/suggestion", [("identity", identity)])
            let name = printable(suggestion.identityName)
            guard suggestion.names > 0 else {
                throw CommandFailure("\(name) has asked for nothing that was answered since the daemon started")
            }
            let more = suggestion.isComplete ? "" : "; it asked for more than is kept, so look again with this in force"
            StandardError.write("\(name): names: \(suggestion.names), let pass by audit: \(suggestion.audited)\(more)")
            try output.format.write(suggestion) { try StandardOutput.line(suggestion.document.utf8.dropLast()) }
        }
    }
}
