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
    /// Not `async`: then there would be other threads before `serve` has given up its rights, and the runtime would turn this
    /// one into one of libdispatch's, which valgrind cannot follow.
    static func main() {
        do {
            var command = try parseAsRoot()
            if let asynchronous = command as? any AsyncParsableCommand {
                detach {
                    var command = asynchronous
                    try await command.run()
                }
            }
            try command.run()
            end(nil)
        } catch {
            end(error)
        }
    }

    /// Runs `body` on other threads, and ends the process with what becomes of it.
    static func detach(_ body: sending @escaping () async throws -> Void) -> Never {
        Task.detached {
            do {
                try await body()
                end(nil)
            } catch {
                end(error)
            }
        }
        while true { sleep(.max) }
    }

    /// Writes what is to be said, and ends the process with the status of `error`, if there is one.
    private static func end(_ error: (any Error)?) -> Never {
        var error = error
        do throws(CommandFailure) {
            // What was found before it failed is said all the same.
            try StandardOutput.flush()
        } catch let failure {
            error = error ?? failure
        }
        switch error {
        case nil: exit(withError: nil)
        case let failure as CommandFailure:
            StandardError.write("dnsproxyd: \(failure.message)")
            exit(withError: failure.status)
        case let error? where exitCode(for: error) == .validationFailure:
            StandardError.write("dnsproxyd: \(message(for: error)) (see dnsproxyd --help)")
            exit(withError: ExitCode.validationFailure)
        case let error?: exit(withError: error)
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
