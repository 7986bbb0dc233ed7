import ArgumentParser
import DNSProxy
import DNSWire
import FQDNPolicy

/// `dnsproxyd observe`
struct ObserveCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "observe", abstract: "Show queries that a running daemon has answered or refused, and why.",
        discussion: """
            Queries that the cache answers are noted only while somebody follows; all others always, so that what went \
            wrong can be seen afterwards. A filter that is given more than once takes any of its values; different \
            filters all have to fit. Those with --not before them leave out what fits all of them.

            EXAMPLES:
              dnsproxyd observe --verdict DROPPED --since 5m
              dnsproxyd observe -f --identity production/api --name '**.amazonaws.com'
              dnsproxyd observe -f --not --verdict FORWARDED
              dnsproxyd observe -f -o jsonpb | jq .flow.l7.dns
            """)

    @Flag(name: [.customShort("f"), .customLong("follow")], help: "Go on with what comes.")
    var follow = false
    @Option(
        help: "At most so many recent flows, the latest. (default: 20 without -f and --since; else 0 with -f, or all)")
    var last: Int?
    @Option(help: ArgumentHelp("Only recent flows of this age, such as 30s, 5m or 2h.", valueName: "age"))
    var since: String?
    @Option(help: "FORWARDED, DROPPED, AUDIT or ERROR.")
    var verdict: [String] = []
    @Option(help: "How they ended, as dnsproxyd_outcomes_total calls it, such as hit, upstream or failed.")
    var outcome: [String] = []
    @Option(help: ArgumentHelp("Names that this matchPattern matches.", valueName: "pattern"))
    var name: [String] = []
    @Option(
        name: [.customShort("e"), .customLong("identity"), .customLong("endpoint")],
        help: "Who asked: the identity's number, its name, or namespace/name.", completion: IdentityOption.completion)
    var identity: [String] = []
    @Option(help: ArgumentHelp("The client's address, or its network.", valueName: "address"))
    var client: [String] = []
    @Option(help: "The record type, such as AAAA.")
    var type: [String] = []
    @Option(help: "The response code, such as NXDOMAIN.")
    var rcode: [String] = []
    @Option(
        parsing: .unconditionalSingleValue,
        help: ArgumentHelp("Leave out what the next filter fits, as in --not --type AAAA.", valueName: "filter"),
        completion: .list(filters.keys.sorted()))
    var not: [String] = []
    @Option(name: [.customShort("o"), .customLong("output")], help: "How to write flows.")
    var output = FlowFormat.compact
    @OptionGroup var admin: AdminOption
    /// Values of the filters behind `--not`, which the parser takes for arguments.
    @Argument(help: .hidden) var negatedValues: [String] = []

    /// Filters by what they are called here, and what the API calls them.
    private static let filters = [
        "--verdict": "verdict", "--outcome": "outcome", "--name": "name", "--identity": "identity",
        "--endpoint": "identity", "-e": "identity", "--client": "client", "--type": "type", "--rcode": "rcode",
    ]

    func validate() throws {
        if let last, last < 0 { throw ValidationError("--last is a number of flows, so it cannot be \(last)") }
        for (name, values) in wanted + (try negated()) where values.contains("") {
            throw ValidationError("--\(name) has an empty value")
        }
    }

    /// The filters without `--not`, by what the API calls them.
    private var wanted: [(name: String, values: [String])] {
        [
            ("verdict", verdict), ("outcome", outcome), ("name", name), ("identity", identity), ("client", client),
            ("type", type), ("rcode", rcode),
        ]
    }

    /// What the filters behind `--not` want, by what the API calls them.
    /// - Throws: `ValidationError` when there is something else behind it, or an argument that belongs to none.
    private func negated() throws -> [(name: String, values: [String])] {
        var values = negatedValues[...]
        var result: [String: [String]] = [:]
        for text in not {
            let parts = text.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false).map(String.init)
            guard let name = parts.first.flatMap({ ObserveCommand.filters[$0] }) else {
                throw ValidationError("--not stands before a filter such as --verdict, not before \(text)")
            }
            guard let value = parts.count == 2 ? parts[1] : values.popFirst() else {
                throw ValidationError("\(text) has no value")
            }
            result[name, default: []].append(value)
        }
        if let extra = values.first { throw ValidationError("unexpected argument '\(extra)'") }
        return result.map { ($0.key, $0.value) }
    }

    func run() async throws {
        var writer = FlowWriter(output)
        try await admin.client.lines("/v1/flows", parameters(try negated())) { (events: [FlowEvent]) in
            for event in events { try writer.write(event) }
            try StandardOutput.flush()
        }
        if follow { throw CommandFailure("the daemon has stopped") }
    }

    /// What the daemon is asked for; what `negated` fits is left out.
    private func parameters(_ negated: [(name: String, values: [String])]) -> AdminClient.Parameters {
        let isLimited = last != nil || since != nil
        let recent = last ?? (follow ? 0 : 20)
        let scope: AdminClient.Parameters = [
            ("follow", follow ? "true" : nil), ("last", isLimited && last == nil ? nil : "\(recent)"), ("since", since),
        ]
        let filters = wanted + negated.map { ("not-\($0.name)", $0.values) }
        return scope + filters.filter { !$0.values.isEmpty }.map { ($0.name, $0.values.joined(separator: ",")) }
    }
}

/// How flows are written.
enum FlowFormat: String, ExpressibleByArgument, CaseIterable {
    /// A line for people.
    case compact
    /// The JSON of Hubble, an object a line.
    case jsonpb
    /// Columns for people.
    case table
}
