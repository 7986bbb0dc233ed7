import ArgumentParser
import DNSProxy
import Glibc

/// The program: its commands, and how each way to end becomes an exit status.
@main
struct DNSProxyd: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "dnsproxyd",
        abstract: "A node-local DNS proxy with an FQDN-policy learning cache.",
        discussion: """
            Exit status: 0 done, 1 it failed, 64 wrong usage, 65 bad document, 69 daemon not reachable.

            EXAMPLES:
              dnsproxyd check -c /etc/dnsproxyd/dnsproxyd.yaml
              dnsproxyd serve -c /etc/dnsproxyd/dnsproxyd.yaml
              dnsproxyd policy explain --client 10.244.1.17 api.example.com
            """,
        version: Engine.version,
        subcommands: [
            ServeCommand.self, CheckCommand.self, CacheCommand.self, PolicyCommand.self, IdentityCommand.self,
            FeedCommand.self, ObserveCommand.self, StatusCommand.self,
        ])

    /// Runs the command that the arguments name, and ends the process with its status.
    ///
    /// Not `async`: then the runtime would turn this thread into one of libdispatch's, which valgrind cannot follow.
    static func main() {
        Task.detached { await execute() }
        while true { sleep(.max) }
    }

    /// Runs the command and ends the process.
    private static func execute() async {
        do {
            var command = try await asyncParseAsRoot()
            if var asynchronous = command as? any AsyncParsableCommand {
                try await asynchronous.run()
            } else {
                try command.run()
            }
            try StandardOutput.flush()
            exit(withError: nil)
        } catch let failure as CommandFailure {
            // What was found before it failed is said all the same.
            try? StandardOutput.flush()
            StandardError.write("dnsproxyd: \(failure.message)")
            exit(withError: failure.status)
        } catch  where exitCode(for: error) == .validationFailure {
            StandardError.write("dnsproxyd: \(message(for: error)) (see dnsproxyd --help)")
            exit(withError: ExitCode.validationFailure)
        } catch {
            exit(withError: error)
        }
    }
}

/// Why a command ends early: one line for a person, and a status for a script.
struct CommandFailure: Error {
    /// What to say on standard error, behind the program's name.
    let message: String
    /// What the process ends with.
    let status: ExitCode

    /// A failure that says `message`.
    init(_ message: String, _ status: ExitCode = .failure) {
        self.message = message
        self.status = status
    }
}

extension ExitCode {
    /// A document is bad (`EX_DATAERR` of sysexits.h).
    static let badDocument = ExitCode(65)
    /// The daemon cannot be reached (`EX_UNAVAILABLE`).
    static let unreachable = ExitCode(69)
}
