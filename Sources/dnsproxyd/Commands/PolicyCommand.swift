import ArgumentParser
import DNSProxy
import DNSWire

/// `dnsproxyd policy`
struct PolicyCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "policy", abstract: "Ask a running daemon about its policy.",
        discussion: """
            EXAMPLES:
              dnsproxyd policy explain --client 10.244.1.17 api.example.com
              dnsproxyd policy list --identity shop/web
              dnsproxyd policy suggest --identity shop/web
            """,
        subcommands: [ExplainCommand.self, ListCommand.self, SuggestCommand.self])

    /// `dnsproxyd policy explain`
    struct ExplainCommand: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            commandName: "explain", abstract: "Tell what would happen to a query, and which rule decides.",
            discussion: """
                The exit status is 0 whatever the verdict is; "verdict" of -o json has it for scripts.

                EXAMPLES:
                  dnsproxyd policy explain --client 10.244.1.17 api.example.com
                  dnsproxyd policy explain --client fd00::17 api.example.com AAAA
                  dnsproxyd policy explain --client fd00::17 a.example -o json | jq .verdict
                """)

        @Option(help: "The address that would ask.", transform: ExplainCommand.client)
        var client: IPAddress
        @Argument(help: "The name that would be asked.", transform: ExplainCommand.name)
        var name: DomainName
        @Argument(
            help: "The record type.", completion: .list(["A", "AAAA", "HTTPS", "SVCB", "SRV", "MX", "TXT", "PTR"]),
            transform: ExplainCommand.type)
        var type: RecordType = .a
        @Flag(help: "Explain a query over TCP instead of UDP.")
        var tcp = false
        @OptionGroup var output: TextOutputOption
        @OptionGroup var admin: AdminOption

        func run() async throws {
            let explanation: AdminExplanation = try await admin.client.get(
                "/v1/policy/explain",
                [("client", "\(client)"), ("name", "\(name)"), ("type", "\(type)"), ("transport", tcp ? "tcp" : "udp")])
            try output.format.write(explanation) {
                for line in explanation.lines {
                    let style = line.hasPrefix("verdict") ? ExplainCommand.style(of: explanation.verdict) : nil
                    try StandardOutput.line(Terminal.styled(printable(line), style))
                }
            }
        }

        /// How a verdict stands out.
        private static func style(of verdict: String) -> TextStyle {
            switch verdict {
            case "allowed": .good
            case "audited": .warning
            default: .bad
            }
        }

        /// Reads the value of `--client`.
        private static func client(_ text: String) throws -> IPAddress {
            guard let address = IPAddress(text) else { throw ValidationError("expected an IP address") }
            return address
        }

        /// Reads the name.
        private static func name(_ text: String) throws -> DomainName {
            do throws(NameError) {
                return try DomainName(text)
            } catch {
                throw ValidationError("not a domain name: \(error)")
            }
        }

        /// Reads the type.
        private static func type(_ text: String) throws -> RecordType {
            guard let type = RecordType(text) else {
                throw ValidationError("expected a record type such as AAAA or TYPE65")
            }
            return type
        }
    }
}
