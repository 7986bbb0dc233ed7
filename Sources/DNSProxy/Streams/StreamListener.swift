import DNSWire
import FQDNPolicy
import Logging
import NIOCore
import NIOPosix
import Synchronization

/// The TCP side of the daemon (RFC 7766): takes connections, cuts them into queries, hands each to a worker, and sends
/// the replies in whatever order they come.
final class StreamListener: StreamReplies {
    /// Connections at a time, over all clients; a further one is closed at once.
    static let maximumConnections = 4_096
    /// Connections of one client at a time.
    static let maximumConnectionsPerClient = 256
    /// Queries of one connection that may wait for their answers; beyond it nothing more is read.
    static let maximumPipelined = 128
    /// Queries of one connection that may wait at all, because one read can bring many; beyond it the connection ends.
    static let maximumWaiting = 4_096
    /// How long a connection may be silent (RFC 7766, section 6.2.3).
    static let idleTimeout = TimeAmount.seconds(10)

    /// The connections that are open.
    struct State {
        /// By number.
        var channels: [ConnectionID: any Channel] = [:]
        /// How many each client has.
        var byClient: [IPAddress: Int] = [:]
        /// The next number.
        var next: UInt64 = 1
    }

    /// The connections that are open.
    private let state = Mutex(State())
    /// The workers' mailboxes, taken in turn.
    private let mailboxes: [Mailbox]
    /// What never reaches a worker.
    private let dropped: StreamCounters
    /// Runs the connections.
    private let group: any EventLoopGroup
    /// The listening channels.
    private let listeners = Mutex<[any Channel]>([])

    /// A listener that hands queries to the workers of `shared`.
    init(group: any EventLoopGroup, shared: EngineShared) {
        self.group = group
        mailboxes = shared.mailboxes
        dropped = StreamCounters(flows: shared.flows, snapshots: shared.snapshots)
    }

    /// What was counted of connections and queries that no worker has seen.
    var counters: WorkerCounters { dropped.asWorkerCounters }

    /// Connections that are open.
    var connectionCount: Int { state.withLock { $0.channels.count } }

    /// Takes connections from `socket`.
    /// - Throws: `SystemError` naming the address.
    func listen(_ socket: consuming StreamSocket) async throws {
        let bootstrap = ServerBootstrap(group: group)
            .serverChannelOption(.backlog, value: StreamSocket.backlog)
            .childChannelOption(.socketOption(.tcp_nodelay), value: 1)
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
        return channel.eventLoop.makeCompletedFuture {
            try channel.pipeline.syncOperations.addHandlers([
                IdleStateHandler(allTimeout: StreamListener.idleTimeout),
                ByteToMessageHandler(StreamMessageDecoder(), maximumBufferSize: 2 * 65_537),
                StreamConnection(id: id, client: client, mailbox: mailbox, counters: self.dropped),
            ])
        }
    }

    /// Counts a connection in; nil when there are too many.
    private func admit(_ channel: any Channel, _ client: IPAddress) -> ConnectionID? {
        state.withLock { state in
            let own = state.byClient[client, default: 0]
            guard state.channels.count < StreamListener.maximumConnections,
                own < StreamListener.maximumConnectionsPerClient
            else { return nil }
            let id = ConnectionID(rawValue: state.next)
            state.next += 1
            state.channels[id] = channel
            state.byClient[client] = own + 1
            return id
        }
    }

    /// Counts a connection out.
    private func forget(_ id: ConnectionID, _ client: IPAddress) {
        state.withLock { state in
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

/// A reply on its way to its connection.
struct StreamReply: Sendable {
    /// The message.
    let message: [UInt8]
}

/// One client's connection: counts what waits for an answer, stops reading when that is too much, and closes when
/// nothing happens any more.
final class StreamConnection: ChannelDuplexHandler {
    typealias InboundIn = ByteBuffer
    typealias OutboundIn = ByteBuffer
    typealias OutboundOut = ByteBuffer

    /// The connection's number.
    private let id: ConnectionID
    /// The other end.
    private let client: SocketAddress
    /// The worker that answers.
    private let mailbox: Mailbox
    /// Where dropped queries are counted.
    private let counters: StreamCounters
    /// Queries without an answer yet.
    private var waiting = 0
    /// Whether a read was asked for while too much waited.
    private var wantsRead = false
    /// Whether the client sends nothing more.
    private var isHalfClosed = false

    /// A connection of `client`, answered by the worker behind `mailbox`; what is dropped goes into `counters`.
    init(id: ConnectionID, client: SocketAddress, mailbox: Mailbox, counters: StreamCounters) {
        self.id = id
        self.client = client
        self.mailbox = mailbox
        self.counters = counters
    }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        let message = [UInt8](unwrapInboundIn(data).readableBytesView)
        // A response cannot come here, and its silence would keep a place forever. No query is longer than 4 KiB, over
        // UDP or here.
        let reason: DropReason
        if message.count < Header.length || message[2] & 0x80 != 0 {
            reason = .notQuery
        } else if message.count > DropReason.longestQuery {
            reason = .oversized
        } else if waiting < StreamListener.maximumWaiting,
            mailbox.post(.query(connection: id, client: client, message: message))
        {
            waiting += 1
            return
        } else {
            reason = .overloaded
        }
        counters.drop(message, of: client, reason)
        context.close(promise: nil)
    }

    func read(context: ChannelHandlerContext) {
        if waiting < StreamListener.maximumPipelined, context.channel.isWritable {
            context.read()
        } else {
            wantsRead = true
        }
    }

    func channelWritabilityChanged(context: ChannelHandlerContext) {
        resumeReading(context: context)
        context.fireChannelWritabilityChanged()
    }

    func userInboundEventTriggered(context: ChannelHandlerContext, event: Any) {
        switch event {
        case let reply as StreamReply:
            waiting -= 1
            let frame = ByteBuffer(framing: reply.message, allocator: context.channel.allocator)
            let written = context.writeAndFlush(wrapOutboundOut(frame))
            if isHalfClosed, waiting == 0 {
                written.assumeIsolated().whenComplete { _ in context.close(promise: nil) }
            } else {
                resumeReading(context: context)
            }
        case is IdleStateHandler.IdleStateEvent:
            context.close(promise: nil)
        case ChannelEvent.inputClosed:
            isHalfClosed = true
            if waiting == 0 { context.close(promise: nil) }
        default:
            context.fireUserInboundEventTriggered(event)
        }
    }

    func errorCaught(context: ChannelHandlerContext, error: any Error) {
        context.close(promise: nil)
    }

    /// Reads on, if that was asked for and there is room again.
    private func resumeReading(context: ChannelHandlerContext) {
        guard wantsRead, waiting < StreamListener.maximumPipelined, context.channel.isWritable else { return }
        wantsRead = false
        context.read()
    }
}
