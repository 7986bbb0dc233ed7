import DNSWire
import FQDNPolicy
import Logging
import MappingFeed
import NIOCore
import NIOPosix
import Synchronization

/// The TCP side of the daemon (RFC 7766): takes connections, cuts them into queries, hands each to a worker, and sends
/// the replies in whatever order they come.
final class StreamListener: StreamReplies {
    /// Connections at a time of all clients together that may not ask anything. They are taken at all so that what they
    /// ask is seen and counted.
    static let maximumStrangers = 64

    /// The connections that are open.
    struct State {
        /// By number.
        var channels: [ConnectionID: any Channel] = [:]
        /// How many each client has.
        var byClient: [IPAddress: Int] = [:]
        /// How many are of clients that may not ask.
        var strangers = 0
        /// The next number.
        var next: UInt64 = 1
    }

    /// The connections that are open.
    private let state = Mutex(State())
    /// The workers' mailboxes, taken in turn.
    private let mailboxes: [Mailbox]
    /// What never reaches a worker.
    private let dropped: StreamCounters
    /// What says who may ask.
    private let shared: EngineShared
    /// Connections at a time, over all clients; a further one is closed at once.
    let maximumConnections: Int
    /// Runs the connections.
    private let group: any EventLoopGroup
    /// The listening channels.
    private let listeners = Mutex<[any Channel]>([])

    /// A listener that hands queries to the workers of `shared`.
    init(group: any EventLoopGroup, shared: EngineShared) {
        self.group = group
        self.shared = shared
        mailboxes = shared.mailboxes
        dropped = StreamCounters(flows: shared.flows, snapshots: shared.snapshots)
        maximumConnections = DescriptorBudget.connections(
            wanted: shared.limits.connections, descriptors: System.fileLimit, workers: shared.mailboxes.count,
            servers: shared.routes.load().servers.count)
    }

    /// What was counted of connections and queries that no worker has seen.
    var counters: WorkerCounters { dropped.asWorkerCounters }

    /// Connections that are open.
    var connectionCount: Int { state.withLock { $0.channels.count } }

    /// Tells when there may be fewer connections than are configured.
    func reportLimit(to logger: Logger) {
        guard maximumConnections < shared.limits.connections else { return }
        logger.warning(
            "fewer connections than limits.connections: raise the limit of open files (LimitNOFILE= in the unit)",
            metadata: ["connections": "\(maximumConnections)", "descriptors": "\(System.fileLimit)"])
    }

    /// Takes connections from `socket`.
    /// - Throws: `SystemError` naming the address.
    func listen(_ socket: consuming StreamSocket) async throws {
        let bootstrap = ServerBootstrap(group: group)
            .serverChannelOption(.backlog, value: StreamSocket.backlog)
            .serverChannelInitializer { channel in
                channel.eventLoop.makeCompletedFuture {
                    try channel.pipeline.syncOperations.addHandler(
                        AcceptPause { [dropped = self.dropped] _ in dropped.failToAccept() })
                }
            }
            .childChannelOption(.tcpOption(.tcp_nodelay), value: 1)
            .childChannelOption(.allowRemoteHalfClosure, value: true)
            .childChannelOption(.maxMessagesPerRead, value: 4)
            .childChannelInitializer { channel in self.prepare(channel) }
        let address = socket.address
        do {
            let channel = try await bootstrap.withBoundSocket(socket.release()).get()
            listeners.withLock { $0.append(channel) }
        } catch let error as IOError {
            throw SystemError("listen on TCP \(address)", code: error.errnoCode)
        }
    }

    /// Takes no more connections.
    func stopListening() async {
        for channel in listeners.withLock({ $0 }) { try? await channel.close().get() }
    }

    /// Closes every connection.
    func closeConnections() async {
        for channel in state.withLock({ Array($0.channels.values) }) { try? await channel.close().get() }
    }

    func send(_ message: [UInt8], to connection: ConnectionID) {
        guard let channel = state.withLock({ $0.channels[connection] }) else { return }
        channel.eventLoop.execute {
            channel.pipeline.fireUserInboundEventTriggered(StreamReply(message: message))
        }
    }

    /// Sets a new connection up, or refuses it.
    private func prepare(_ channel: any Channel) -> EventLoopFuture<Void> {
        guard let client = channel.remoteAddress.flatMap(SocketAddress.init), let id = admit(channel, client.address)
        else {
            dropped.refuseConnection()
            return channel.eventLoop.makeFailedFuture(SystemError("take another connection", code: 24))
        }
        channel.closeFuture.whenComplete { _ in self.forget(id, client.address) }
        let mailbox = mailboxes[Int(id.rawValue % UInt64(mailboxes.count))]
        let limits = shared.limits
        return channel.eventLoop.makeCompletedFuture {
            try channel.pipeline.syncOperations.addHandler(
                StreamConnection(
                    id: id, client: client, mailbox: mailbox, counters: self.dropped, limits: limits))
        }
    }

    /// Counts a connection in; nil when there are too many.
    private func admit(_ channel: any Channel, _ client: IPAddress) -> ConnectionID? {
        let isStranger = !shared.takesQueries(from: client)
        return state.withLock { state in
            let own = state.byClient[client, default: 0]
            guard state.channels.count < maximumConnections, own < shared.limits.connectionsPerClient,
                !isStranger || state.strangers < StreamListener.maximumStrangers
            else { return nil }
            if isStranger { state.strangers += 1 }
            let id = ConnectionID(rawValue: state.next)
            state.next += 1
            state.channels[id] = channel
            state.byClient[client] = own + 1
            return id
        }
    }

    /// Counts a connection out.
    private func forget(_ id: ConnectionID, _ client: IPAddress) {
        let isStranger = !shared.takesQueries(from: client)
        state.withLock { state in
            if isStranger { state.strangers -= 1 }
            state.channels[id] = nil
            let own = state.byClient[client, default: 1] - 1
            state.byClient[client] = own > 0 ? own : nil
        }
    }
}

extension SocketAddress {
    /// The address of a NIO channel's peer; nil for one that is no IP address.
    init?(_ address: NIOCore.SocketAddress) {
        guard let text = address.ipAddress, let port = address.port,
            let ip = IPAddress(text.prefix { $0 != "%" })
        else { return nil }
        self.init(ip, port: UInt16(truncatingIfNeeded: port))
    }
}
