import Glibc
import Hummingbird
import HummingbirdCore
import Logging
import MappingFeed
import NIOCore
import ServiceLifecycle

/// Everything that operators and their tools connect to: the admin API on a Unix socket, metrics, and health.
struct AdminServer {
    /// Where to listen.
    private let configuration: EngineConfiguration.Admin
    /// Who knows the answers.
    private let backend: any AdminBackend
    /// Where connections are served.
    private let eventLoopGroup: any EventLoopGroup
    /// Where starts, stops and failures go.
    private let logger: Logger

    /// Connections of each listener at once; those beyond wait in the kernel's queue.
    private static let connectionLimit = 64
    /// How long a connection may be idle.
    private static let idleTimeout = TimeAmount.seconds(60)
    /// How long a client may leave what it asked for unread.
    private static let stallLimit = TimeAmount.seconds(10)
    /// How long requests in progress may take to finish when the daemon stops.
    private static let shutdownLimit = Duration.seconds(2)

    /// A server for `backend` that does not listen yet.
    init(
        _ configuration: EngineConfiguration.Admin, backend: any AdminBackend, eventLoopGroup: any EventLoopGroup,
        logger: Logger
    ) {
        self.configuration = configuration
        self.backend = backend
        self.eventLoopGroup = eventLoopGroup
        self.logger = logger
    }

    /// Listens and serves until a graceful shutdown, or until `end` is over; returns at once when every part is switched off.
    /// - Throws: `SystemError` when it cannot listen.
    func run(until end: AsyncStream<Never>) async throws {
        var listeners: [any Service] = []
        if let path = configuration.socket {
            listeners.append(
                listener("admin socket \(path)", .unixDomainSocket(path: path), AdminRoutes(backend).router(), path))
        }
        if let address = configuration.http {
            let events = PageEvents()
            let page =
                configuration.page
                ? PageRoutes(backend, events: events, isLocal: address.address.isLoopback) : nil
            listeners.append(
                listener("metrics \(address)", bindAddress(address), MetricsRoutes(backend, page: page).router()))
            // Services stop in the reverse order: viewers leave before their listener waits for them.
            if page != nil { listeners.append(PageTicker(backend: backend, events: events)) }
        }
        if let address = configuration.health {
            listeners.append(listener("health \(address)", bindAddress(address), HealthRoutes(backend).router()))
        }
        guard !listeners.isEmpty else { return }
        var group = ServiceGroupConfiguration(services: listeners, logger: quietLogger)
        group.maximumGracefulShutdownDuration = AdminServer.shutdownLimit
        let services = ServiceGroup(configuration: group)
        async let _: Void = {
            for await _ in end {}
            await services.triggerGracefulShutdown()
        }()
        try await services.run()
    }

    /// One listening socket with what it serves.
    private func listener(
        _ name: String, _ address: BindAddress, _ router: Router<BasicRequestContext>, _ path: String? = nil
    ) -> some Service {
        let configuration = ApplicationConfiguration(
            address: address, availableConnectionsDelegate: MaximumAvailableConnections(AdminServer.connectionLimit))
        let logger = logger
        let application = Application(
            router: router,
            server: .http1(
                configuration: .init(
                    additionalChannelHandlers: [StalledClientHandler(limit: AdminServer.stallLimit)],
                    idleTimeout: AdminServer.idleTimeout)),
            configuration: configuration,
            onServerRunning: { channel in
                if let path { AdminSocket.restrict(path, logger: logger) }
                await AdminServer.pauseWithoutDescriptors(channel, name, logger)
                logger.info("listening", metadata: ["on": "\(name)"])
            },
            eventLoopGroupProvider: .shared(eventLoopGroup), logger: quietLogger)
        return AdminListener(name: name, path: path, application: application)
    }

    /// Lets the listening `channel`, called `name`, rest when a connection cannot be taken, and says so.
    private static func pauseWithoutDescriptors(_ channel: any Channel, _ name: String, _ logger: Logger) async {
        try? await channel.eventLoop.submit {
            // In front of NIO's handler for the same, which keeps the error for itself.
            try channel.pipeline.syncOperations.addHandler(
                AcceptPause { isNews in
                    guard isNews else { return }
                    logger.warning(
                        "nobody can connect: no descriptors or no memory left", metadata: ["to": "\(name)"])
                }, position: .first)
        }.get()
    }

    /// The logger of the packages underneath, which report every connection that comes and goes.
    private var quietLogger: Logger {
        var logger = logger
        logger.logLevel = max(.warning, logger.logLevel)
        return logger
    }

    /// An address in the form that the HTTP server wants.
    private func bindAddress(_ address: SocketAddress) -> BindAddress {
        .hostname("\(address.address)", port: Int(address.port))
    }
}

/// One listening socket of the admin server.
private struct AdminListener<Responder: HTTPResponder>: Service
where Responder.Context: InitializableFromSource<ApplicationRequestContextSource> {
    /// What it is, for messages.
    let name: String
    /// The socket's file, if it is a Unix socket.
    let path: String?
    /// What listens and serves.
    let application: Application<Responder>

    /// Makes way for the socket, serves until a graceful shutdown, and cleans up.
    /// - Throws: `SystemError` when it cannot listen.
    func run() async throws {
        if let path { try AdminSocket.prepare(path) }
        do {
            try await application.run()
        } catch let error as IOError {
            throw SystemError("listen on \(name)", code: error.errnoCode)
        }
        if let path { AdminSocket.remove(path) }
    }
}
