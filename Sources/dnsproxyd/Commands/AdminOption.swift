import ArgumentParser
import DNSProxy
import FoundationEssentials

/// The option `--admin` of every command that talks to a running daemon.
struct AdminOption: ParsableArguments {
    @Option(
        name: .customLong("admin"),
        help: ArgumentHelp(
            "The daemon's admin socket. (default: $DNSPROXYD_ADMIN, or \(ConfigurationFile.DefaultPath.adminSocket))",
            valueName: "path"),
        completion: .file())
    var path: String?

    /// A client of that socket.
    var client: AdminClient { AdminClient(socket: path ?? AdminOption.defaultPath) }

    /// The socket without `--admin`.
    static var defaultPath: String {
        ProcessInfo.processInfo.environment["DNSPROXYD_ADMIN"] ?? ConfigurationFile.DefaultPath.adminSocket
    }
}
