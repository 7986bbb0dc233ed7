import ArgumentParser
import DNSProxy
import FQDNPolicy
import Logging
import ServiceLifecycle
import UnixSignals

/// `dnsproxyd serve`
struct ServeCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "serve",
        abstract: "Answer queries until SIGTERM or SIGINT; SIGHUP reads the documents again.",
        discussion: """
            EXAMPLES:
              dnsproxyd serve -c /etc/dnsproxyd/dnsproxyd.yaml
            """)

    @OptionGroup var file: ConfigurationOption

    func run() async throws {
        let configuration = try file.load()
        let log = configuration.log
        LoggingSystem.bootstrap { _ in LineLogHandler(log) }
        let logger = Logger(label: "dnsproxyd")
        for problem in configuration.problems {
            logger.log(level: problem.severity == .warning ? .warning : .notice, "\(problem)")
        }
        // Caught from here on, so that a reload that comes early does not end the process.
        let hangups = await UnixSignalsSequence(trapping: .sighup)
        do {
            let engine = try Engine(configuration: configuration.engine, logger: logger)
            var quiet = logger
            quiet.logLevel = max(.warning, logger.logLevel)
            let services: [any Service] = [engine, ReloadService(engine: engine, hangups: hangups, logger: logger)]
            let group = ServiceGroupConfiguration(
                services: services, gracefulShutdownSignals: [.sigterm, .sigint], logger: quiet)
            try await ServiceGroup(configuration: group).run()
        } catch EngineError.documents(let problems) {
            throw ProblemReport(problems).failure
        } catch EngineError.system(let message) {
            throw CommandFailure(message)
        } catch {
            throw CommandFailure("\(error)")
        }
    }
}

/// Reads the documents again at every SIGHUP; the engine says in the log what came of it.
private struct ReloadService: Service {
    /// Whose documents.
    let engine: Engine
    /// The signals.
    let hangups: UnixSignalsSequence
    /// Where the signal is noted.
    let logger: Logger

    /// Waits for signals until a graceful shutdown.
    func run() async {
        for await _ in hangups.cancelOnGracefulShutdown() {
            logger.info("SIGHUP: reading the documents again")
            _ = await engine.reload()
        }
    }
}
