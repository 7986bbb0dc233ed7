import Foundation

/// `nft-enforcer` as a process on the node.
final class Enforcer {
    /// The program: what `DNSPROXYD_ENFORCER` names, else where `make` builds it; nil if there is none.
    static let program: String? = {
        if let path = ProcessInfo.processInfo.environment["DNSPROXYD_ENFORCER"] { return path }
        let path = "\(repositoryRoot)/.build/debug/nft-enforcer"
        return access(path, X_OK) == 0 ? path : nil
    }()

    /// Whether the proof can be given here, or has to fail: its absence must not go unnoticed in `make e2e`.
    static let isExpected =
        NetworkNamespace.isAvailable
        && (program != nil || ProcessInfo.processInfo.environment["DNSPROXYD_REQUIRE_ENFORCER"] == "1")

    /// The process of the last start.
    private(set) var process: RunningProcess
    /// The command that starts it.
    private let command: [String]

    /// Starts it in `node` on the feed at `socket`; `inUse` is the number of seconds between reports of live
    /// connections, 0 for none.
    init(in node: Namespace, socket: String, inUse: Int) throws {
        command = try node.command(
            Enforcer.arguments("run", "--socket", socket, "--policy", "drop", "--in-use", "\(inUse)"))
        process = try Enforcer.launch(command)
    }

    /// Starts it again after its end.
    func restart() throws {
        try process.wait()
        process = try Enforcer.launch(command)
    }

    /// Ends it as a service manager does, and returns its exit status; its rules stay.
    func stop() throws -> Int32 {
        process.signal(SIGTERM)
        return try process.wait()
    }

    /// Removes the rules from `node`.
    static func removeRules(in node: Namespace) throws {
        let result = try node.execute(arguments("remove"))
        guard result.status == 0 else { throw HarnessError("remove: \(result.output) \(result.errors)") }
    }

    /// A command line of the program.
    private static func arguments(_ arguments: String...) throws -> [String] {
        guard let program else { throw HarnessError("nft-enforcer is not built; make e2e builds it") }
        return [program] + arguments
    }

    /// Starts the program without waiting for anything.
    private static func launch(_ command: [String]) throws -> RunningProcess {
        try RunningProcess(command, environment: ["SWIFT_BACKTRACE": "enable=no"])
    }
}
