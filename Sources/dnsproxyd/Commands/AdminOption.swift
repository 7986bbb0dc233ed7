import ArgumentParser
import DNSProxy
import FoundationEssentials

/// The option `--admin` of every command that talks to a running daemon.
struct AdminOption: ParsableArguments {
    @Option(
        name: .customLong("admin"),
        help: ArgumentHelp(
            "The daemon's admin socket. (default: $DNSPROXYD_ADMIN, or \(ConfigurationFile.DefaultPath.adminSocket))",
            valueName: "path"))
    var path: String?

    /// A client of that socket.
    var client: AdminClient {
        AdminClient(
            socket: path ?? ProcessInfo.processInfo.environment["DNSPROXYD_ADMIN"]
                ?? ConfigurationFile.DefaultPath.adminSocket)
    }
}

/// How a list is written.
enum ListFormat: String, ExpressibleByArgument, CaseIterable {
    /// Columns for people.
    case table
    /// An array of objects.
    case json
    /// A list of mappings.
    case yaml
}

/// How one thing is written.
enum TextFormat: String, ExpressibleByArgument, CaseIterable {
    /// Lines for people.
    case text
    /// One object.
    case json
}
