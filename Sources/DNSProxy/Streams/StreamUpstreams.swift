import NIOCore
import NIOPosix
import NIOSSL
import Synchronization

/// Upstreams that are asked over TCP or TLS: one connection to each server, opened when it is needed, shared by all
/// questions that are under way (RFC 7766, section 6.2.1; RFC 7858, section 3.4), and closed when it has been idle.
final class StreamUpstreams: Sendable {
    /// How long a connection may take to open.
    static let connectTimeout = TimeAmount.milliseconds(1_500)
    /// How long a connection is kept on which nothing arrives.
    static let idleTimeout = TimeAmount.seconds(10)
    /// How long questions may be under way without anything arriving before the connection counts as dead.
    static let silenceTimeout = TimeAmount.nanoseconds(UpstreamTiming.streamAttempt)
    /// Questions under way on one connection; beyond it a question fails at once.
    static let maximumPipelined = 4_096

    /// What becomes of a question.
    typealias Completion = @Sendable (StreamAnswer) -> Void

    /// Runs the connections.
    private let group: any EventLoopGroup
    /// How certificates are checked.
    private let trust: StreamTrust
    /// The numbers of servers.
    private let routes: PublishedCell<RouteTable>
    /// Where what is wrong with a connection is shown.
    private let board: UpstreamBoard
    /// Connections by server, opening ones included.
    private let connections = Mutex<[UpstreamServer: Connection]>([:])

    /// A connection, or one to be.
    private struct Connection {
        /// What tells it from others to the same server.
        let number: UInt64
        /// When it is open.
        let opening: EventLoopFuture<any Channel>
    }

    /// The number of the last connection.
    private let lastNumber = Atomic<UInt64>(0)

    /// Messages that answered no question.
    private let strays = Atomic<UInt64>(0)

    /// Messages from servers, since the start, that answered no question that was under way.
    var strayMessages: UInt64 { strays.load(ordering: .relaxed) }

    /// No connections yet; certificates are checked with `trust`.
    init(group: any EventLoopGroup, trust: StreamTrust, routes: PublishedCell<RouteTable>, board: UpstreamBoard) {
        self.group = group
        self.trust = trust
        self.routes = routes
        self.board = board
    }

    /// Asks `server` the question in `message`, whose ID does not matter, and calls `completion` once, on some thread.
    ///
    /// When a connection that has worked ends under the question, which servers may do to idle ones at any time, it is
    /// asked once more over a new one (RFC 7766, section 6.2.4).
    func ask(_ server: UpstreamServer, message: [UInt8], completion: @escaping Completion) {
        let message = server.transport == .tls ? StreamPadding.padded(message) : message
        send(message, to: server) { outcome in
            switch outcome {
            case .answer(let answer): completion(answer)
            case .lost:
                self.send(message, to: server) { outcome in
                    if case .answer(let answer) = outcome { completion(answer) } else { completion(.failed) }
                }
            }
        }
    }

    /// Closes every connection.
    func close() async {
        for channel in connections.withLock({ $0.values.map(\.opening) }) {
            try? await channel.get().close().get()
        }
    }

    /// Sends `message` over the connection to `server`.
    private func send(
        _ message: [UInt8], to server: UpstreamServer, completion: @escaping StreamRequest.Completion
    ) {
        connection(to: server).whenComplete { result in
            switch result {
            case .success(let channel):
                let request = StreamRequest(message: message, completion: completion)
                channel.writeAndFlush(request).whenFailure { _ in completion(.lost) }
            case .failure:
                completion(.answer(.failed))
            }
        }
    }

    /// The connection to `server`, opened if there is none.
    private func connection(to server: UpstreamServer) -> EventLoopFuture<any Channel> {
        if let known = connections.withLock({ $0[server] }) { return known.opening }
        let opened = group.next().makePromise(of: (any Channel).self)
        let (connection, isNew) = connections.withLock { connections in
            if let known = connections[server] { return (known, false) }
            let number = lastNumber.wrappingAdd(1, ordering: .relaxed).newValue
            let new = Connection(number: number, opening: opened.futureResult)
            connections[server] = new
            return (new, true)
        }
        guard isNew else {
            opened.fail(ChannelError.alreadyClosed)
            return connection.opening
        }
        connection.opening.flatMap(\.closeFuture).whenComplete { _ in self.forget(server, connection.number) }
        // Not under the lock: it may be over before it returns.
        open(server, connection.number, on: opened.futureResult.eventLoop).cascade(to: opened)
        return connection.opening
    }

    /// Opens the connection `number`, to `server`, on `loop`.
    private func open(
        _ server: UpstreamServer, _ number: UInt64, on loop: any EventLoop
    ) -> EventLoopFuture<any Channel> {
        do {
            let target = try NIOCore.SocketAddress(
                ipAddress: server.address.address.description, port: Int(server.address.port))
            return ClientBootstrap(group: loop)
                .connectTimeout(StreamUpstreams.connectTimeout)
                .channelOption(.tcpOption(.tcp_nodelay), value: 1)
                .channelInitializer { channel in
                    channel.eventLoop.makeCompletedFuture {
                        let pipeline = channel.pipeline.syncOperations
                        try pipeline.addHandler(IdleStateHandler(readTimeout: StreamUpstreams.idleTimeout))
                        if server.transport == .tls {
                            try pipeline.addHandler(try self.trust.handler(for: server))
                        }
                        try pipeline.addHandlers([
                            ByteToMessageHandler(StreamMessageDecoder(), maximumBufferSize: 2 * 65_537),
                            StreamQuestions(
                                onProblem: { self.note($0, of: server) },
                                onStray: { self.strays.wrappingAdd(1, ordering: .relaxed) },
                                onEnd: { self.forget(server, number) }),
                        ])
                    }
                }
                .connect(to: target)
        } catch {
            return loop.makeFailedFuture(error)
        }
    }

    /// Shows what is wrong with connections to `server`.
    private func note(_ problem: StreamTrust.Problem, of server: UpstreamServer) {
        guard let number = routes.load().servers.firstIndex(of: server) else { return }
        board.set(number, server, problem: problem.text(server))
    }

    /// Forgets a connection that has closed or never opened.
    private func forget(_ server: UpstreamServer, _ number: UInt64) {
        connections.withLock { if $0[server]?.number == number { $0[server] = nil } }
    }
}
