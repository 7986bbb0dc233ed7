import ArgumentParser
import DNSProxy
import FQDNPolicy
import Logging
import ServiceLifecycle
import UnixSignals

/// `dnsproxyd serve`
struct ServeCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "serve",
        abstract: "Answer queries until SIGTERM or SIGINT; SIGHUP reads the documents again.",
        discussion: """
            EXAMPLES:
              dnsproxyd serve -c /etc/dnsproxyd/dnsproxyd.yaml

            Replace a daemon that runs by this one, while it answers:
              dnsproxyd serve -c /etc/dnsproxyd/dnsproxyd.yaml --takeover
            """)

    @OptionGroup var file: ConfigurationOption

    @Flag(
        help: """
            Take the sockets of the daemon that runs with the same admin.socket, which then ends; start as usual if there \
            is none.
            """)
    var takeover = false

    /// Does what takes the rights that the process was started with while it has one thread, and serves on others.
    func run() throws {
        let configuration = try file.load()
        let log = configuration.log
        LoggingSystem.bootstrap { _ in LineLogHandler(log) }
        let logger = Logger(label: "dnsproxyd")
        for problem in configuration.problems {
            logger.log(level: problem.severity == .warning ? .warning : .notice, "\(problem)")
        }
        let launch: Launch
        do {
            launch = try Launch(configuration.engine, takesOver: takeover, logger: logger)
        } catch {
            throw ServeCommand.failure(error)
        }
        DNSProxyd.detach { try await ServeCommand.serve(launch, logger) }
    }

    /// Serves until the process is told to end.
    /// - Throws: `CommandFailure` when documents are bad or the system is in the way.
    private static func serve(_ launch: Launch, _ logger: Logger) async throws {
        // Caught from here on, so that a reload that comes early does not end the process.
        let hangups = await UnixSignalsSequence(trapping: .sighup)
        do {
            let daemon = try Daemon(launch, logger: logger)
            var quiet = logger
            quiet.logLevel = max(.warning, logger.logLevel)
            let reloads = ReloadService(daemon: daemon, hangups: hangups, logger: logger)
            let group = ServiceGroupConfiguration(
                services: [
                    // It also ends by itself, when another process has taken over.
                    .init(service: daemon, successTerminationBehavior: .gracefullyShutdownGroup),
                    .init(service: reloads),
                ], gracefulShutdownSignals: [.sigterm, .sigint], logger: quiet)
            try await ServiceGroup(configuration: group).run()
        } catch {
            throw failure(error)
        }
    }

    /// What `error` is for the person who has started the daemon.
    private static func failure(_ error: any Error) -> CommandFailure {
        if case EngineError.documents(let problems) = error { return ProblemReport(problems).failure }
        return CommandFailure("\(error)")
    }
}

/// Reads the documents again at every SIGHUP; the engine says in the log what came of it.
private struct ReloadService: Service {
    /// Whose documents.
    let daemon: Daemon
    /// The signals.
    let hangups: UnixSignalsSequence
    /// Where the signal is noted.
    let logger: Logger

    /// Waits for signals until a graceful shutdown.
    func run() async {
        for await _ in hangups.cancelOnGracefulShutdown() {
            logger.info("SIGHUP: reading the documents again")
            _ = await daemon.reload()
        }
    }
}
