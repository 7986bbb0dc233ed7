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
            filters all have to fit.

            EXAMPLES:
              dnsproxyd observe --verdict DROPPED --since 5m
              dnsproxyd observe -f --identity production/api --name '**.amazonaws.com'
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
    @Option(name: [.customShort("o"), .customLong("output")], help: "How to write flows.")
    var output = FlowFormat.compact
    @OptionGroup var admin: AdminOption

    func validate() throws {
        if let last, last < 0 { throw ValidationError("--last is a number of flows, so it cannot be \(last)") }
    }

    func run() async throws {
        var writer = FlowWriter(output)
        try await admin.client.lines("/v1/flows", parameters) { (events: [FlowEvent]) in
            for event in events { try writer.write(event) }
            try StandardOutput.flush()
        }
        if follow { throw CommandFailure("the daemon has stopped") }
    }

    /// What the daemon is asked for.
    private var parameters: AdminClient.Parameters {
        /// Values as the list that the API takes.
        func list(_ values: [String]) -> String? { values.isEmpty ? nil : values.joined(separator: ",") }
        let isLimited = last != nil || since != nil
        let recent = last ?? (follow ? 0 : 20)
        return [
            ("follow", follow ? "true" : nil), ("last", isLimited && last == nil ? nil : "\(recent)"), ("since", since),
            ("verdict", list(verdict)), ("outcome", list(outcome)), ("name", list(name)), ("identity", list(identity)),
            ("client", list(client)), ("type", list(type)), ("rcode", list(rcode)),
        ]
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
