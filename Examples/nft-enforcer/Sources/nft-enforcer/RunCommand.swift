public import ArgumentParser
import Enforcement
public import Logging
import MappingFeed
import NIOPosix
import UnixSignals

/// Follows the feed and keeps the kernel's table in line with it.
struct RunCommand: AsyncParsableCommand {
    /// What the command does.
    static let configuration = CommandConfiguration(
        commandName: "run",
        abstract: "Follows the daemon's mapping feed and keeps an nftables table in line with it.",
        discussion: "SIGTERM and SIGINT end it; the rules stay in force. `nft-enforcer remove` takes them away.")

    /// Where the daemon is.
    @Option(help: "The daemon's feed.socket.")
    var socket = "/run/dnsproxyd/feed.sock"

    /// Which table.
    @OptionGroup var options: TableOption

    /// What happens to everything else.
    @Option(help: "What happens to forwarded packets of clients that are not known: drop or accept.")
    var policy = Ruleset.Policy.drop

    /// How often live connections are reported.
    @Option(help: "Seconds between reports of live connections, which keep their addresses open; 0 for none.")
    var inUse = 15

    /// How much is logged.
    @Option(help: "What is logged: trace, debug, info, notice, warning, error or critical.")
    var logLevel = Logger.Level.info

    /// Checks what the parser cannot.
    /// - Throws: `ValidationError`.
    func validate() throws {
        guard (0...86_400).contains(inUse) else { throw ValidationError("--in-use is from 0 to 86400 seconds") }
    }

    /// Runs until a signal comes.
    func run() async throws {
        var logger = Logger(label: "nft-enforcer") { StreamLogHandler.standardError(label: $0) }
        logger.logLevel = logLevel
        let log = logger
        // One thread for the feed and the kernel: between an event and its acknowledgement nothing else has to wake up.
        let thread = MultiThreadedEventLoopGroup(numberOfThreads: 1)
        let session = FeedSession(path: socket, runningOn: thread.next())
        let enforcer: Enforcer
        do {
            enforcer = try Enforcer(
                ruleset: Ruleset(table: options.table, policy: policy), nftables: NFTables(), session: session,
                logger: logger)
        } catch {
            throw Failure(error)
        }
        let signals = await UnixSignalsSequence(trapping: .sigterm, .sigint)
        try await withThrowingTaskGroup(of: Void.self) { group in
            group.addTask {
                try await session.run { event in
                    switch event {
                    case .events(let events): await enforcer.apply(events)
                    case .disconnected(let error): log.warning("\(error); the rules stay, trying again")
                    }
                }
            }
            if inUse > 0 {
                let reporter = UseReporter(enforcer: enforcer, session: session, logger: log)
                let interval = Duration.seconds(inUse)
                group.addTask {
                    await reporter.run(every: interval)
                }
            }
            group.addTask {
                for await _ in signals { break }
            }
            try await group.next()
            group.cancelAll()
            try await group.waitForAll()
        }
        let summary = await enforcer.summary.map { "; \($0)" } ?? ""
        log.info("stopped, the rules stay in force\(summary)")
    }
}

extension Ruleset.Policy: ExpressibleByArgument {}

extension Logger.Level: @retroactive ExpressibleByArgument {}
