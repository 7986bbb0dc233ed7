public import FQDNPolicy
public import Logging
public import ServiceLifecycle
import Synchronization

/// The daemon as a service: one engine, and after a hand-over that failed another one at the same sockets.
public final class Daemon: Service {
    /// What it was told.
    private let configuration: EngineConfiguration
    /// Where it logs.
    private let logger: Logger
    /// The engine that answers now.
    private let engine: Mutex<Engine>

    /// Prepares everything that can fail, with the rights that `launch` has left.
    /// - Throws: `EngineError`, see there.
    public init(_ launch: Launch, logger: Logger) throws(EngineError) {
        configuration = launch.configuration
        self.logger = logger
        engine = Mutex(
            try Engine(
                configuration: launch.configuration, from: launch.source, prepared: launch.takePrepared(),
                logger: logger))
    }

    /// Answers until a graceful shutdown, or until another process has taken over.
    /// - Throws: `EngineError.system` when something cannot listen.
    public func run() async throws {
        while true {
            let engine = engine.withLock { $0 }
            guard case .abandoned(let sockets) = try await engine.run() else { return }
            let next = try Engine(configuration: configuration, from: .sockets(sockets), logger: logger)
            self.engine.withLock { $0 = next }
        }
    }

    /// Reads the documents again; see `Engine.reload`.
    @discardableResult
    public func reload() async -> [DocumentProblem] { await engine.withLock { $0 }.reload() }
}
