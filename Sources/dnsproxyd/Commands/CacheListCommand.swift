public import ArgumentParser
public import DNSProxy

extension MappingListing.Source: ExpressibleByArgument {}

extension CacheCommand {
    /// `dnsproxyd cache list`
    struct ListCommand: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            commandName: "list", abstract: "List the mappings that were learned, or the answers that are cached.",
            discussion: """
                Mappings have the columns and keys of "cilium-dbg fqdn cache list". The source is lookup, or connection \
                when the time of the answer is over but an enforcer has reported a connection to the addresses. The \
                order means nothing.

                EXAMPLES:
                  dnsproxyd cache list -p '*.amazonaws.com' -e production/api
                  dnsproxyd cache list -s connection -o wide
                  dnsproxyd cache list -o json | jq -r '.[].ips[]'
                  dnsproxyd cache list --answers -p '**.example.com'
                """)

        @Flag(help: "List cached answers instead of mappings.")
        var answers = false
        @OptionGroup var names: PatternOption
        @OptionGroup var owner: IdentityOption
        @Option(
            name: [.customShort("s"), .customLong("source")],
            help: "Only mappings that are open for this reason.")
        var source: MappingListing.Source?
        @OptionGroup var output: ListOutputOption
        @OptionGroup var admin: AdminOption

        func validate() throws {
            if answers, owner.identity != nil || source != nil {
                throw ValidationError("cached answers have neither identity nor source: -e and -s are for mappings")
            }
        }

        func run() async throws {
            if answers {
                var writer = ListWriter<AdminAnswer>(output.format, columns: ListCommand.answerColumns)
                try await admin.client.each("/v1/answers", [("pattern", names.pattern)]) { try writer.write($0) }
                try writer.finish()
            } else {
                var writer = ListWriter<MappingListing>(output.format, columns: ListCommand.mappingColumns)
                let parameters = [
                    ("pattern", names.pattern), ("identity", owner.identity), ("source", source?.rawValue),
                ]
                try await admin.client.each("/v1/mappings", parameters) { try writer.write($0) }
                try writer.finish()
            }
        }

        /// `20:24:59Z` of `2026-11-21T20:24:59.015Z`.
        private static func timeOfDay(_ timestamp: String) -> String {
            guard let time = timestamp.split(separator: "T").last else { return timestamp }
            return time.prefix { $0 != "." && $0 != "Z" } + "Z"
        }

        /// The columns of mappings: those of `cilium-dbg fqdn cache list`, and before the last what else there is to
        /// know.
        private static let mappingColumns: [TableColumn<MappingListing>] = [
            TableColumn("Endpoint") { $0.endpoint.isEmpty ? "\($0.endpointID)" : $0.endpoint },
            TableColumn("Source") { $0.source.rawValue },
            TableColumn("FQDN", isFlexible: true) { $0.fqdn },
            TableColumn("TTL") { "\($0.ttl)" },
            TableColumn(
                "ExpirationTime", short: "Expires", { $0.expirationTime }, short: { timeOfDay($0.expirationTime) }),
            TableColumn("Client", isWide: true) { $0.client },
            TableColumn("Origin", isWide: true) { $0.origin },
            TableColumn("LookupTime", isWide: true) { $0.lookupTime ?? "" },
            TableColumn("EndpointID", isWide: true) { "\($0.endpointID)" },
            TableColumn("IPs", list: { $0.ips }),
        ]

        /// The columns of answers.
        private static let answerColumns: [TableColumn<AdminAnswer>] = [
            TableColumn("Name", isFlexible: true) { $0.name },
            TableColumn("Type") { $0.type },
            TableColumn("RCode") { $0.rcode },
            TableColumn("TTL") { "\($0.ttl)" },
            TableColumn("Hits") { "\($0.hits)" },
            TableColumn("Size") { "\($0.size)" },
            TableColumn("State", style: { $0.state == .stale ? .warning : nil }, { $0.state.rawValue }),
            TableColumn("Data", separator: ", ", list: { $0.data }),
        ]
    }
}
