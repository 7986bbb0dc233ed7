import NIOCore
import NIOPosix
import Synchronization

/// Upstreams that are asked over TCP: one connection to each server, opened when it is needed, shared by all
/// questions that are under way (RFC 7766, section 6.2.1), and closed when it has been idle.
final class StreamUpstreams: Sendable {
    /// How long a connection may take to open.
    static let connectTimeout = TimeAmount.milliseconds(1_500)
    /// How long a connection is kept on which nothing arrives, be it idle or dead.
    static let idleTimeout = TimeAmount.seconds(10)
    /// Questions under way on one connection; beyond it a question fails at once.
    static let maximumPipelined = 4_096

    /// What becomes of a question.
    typealias Completion = @Sendable ([UInt8]?) -> Void

    /// Runs the connections.
    private let group: any EventLoopGroup
    /// Connections by server, opening ones included.
    private let connections = Mutex<[SocketAddress: EventLoopFuture<any Channel>]>([:])

    /// No connections yet.
    init(group: any EventLoopGroup) {
        self.group = group
    }

    /// Asks `server` the question in `message`, whose ID does not matter, and calls `completion` once, on some thread:
    /// with the response under that ID, or nil when the connection failed.
    func ask(_ server: SocketAddress, message: [UInt8], completion: @escaping Completion) {
        connection(to: server).whenComplete { result in
            switch result {
            case .success(let channel):
                let request = StreamRequest(message: message, completion: completion)
                channel.writeAndFlush(request).whenFailure { _ in completion(nil) }
            case .failure:
                completion(nil)
            }
        }
    }

    /// Closes every connection.
    func close() async {
        for channel in connections.withLock({ Array($0.values) }) { try? await channel.get().close().get() }
    }

    /// The connection to `server`, opened if there is none.
    private func connection(to server: SocketAddress) -> EventLoopFuture<any Channel> {
        connections.withLock { connections in
            if let open = connections[server] { return open }
            let loop = group.next()
            let opening: EventLoopFuture<any Channel>
            do {
                let target = try NIOCore.SocketAddress(ipAddress: server.address.description, port: Int(server.port))
                opening = ClientBootstrap(group: loop)
                    .connectTimeout(StreamUpstreams.connectTimeout)
                    .channelOption(.socketOption(.tcp_nodelay), value: 1)
                    .channelInitializer { channel in
                        channel.eventLoop.makeCompletedFuture {
                            try channel.pipeline.syncOperations.addHandlers([
                                IdleStateHandler(readTimeout: StreamUpstreams.idleTimeout),
                                ByteToMessageHandler(StreamMessageDecoder(), maximumBufferSize: 2 * 65_537),
                                StreamQuestions(),
                            ])
                        }
                    }
                    .connect(to: target)
            } catch {
                opening = loop.makeFailedFuture(error)
            }
            connections[server] = opening
            opening.flatMap(\.closeFuture).whenComplete { _ in self.forget(server, opening) }
            return opening
        }
    }

    /// Forgets a connection that has closed or never opened.
    private func forget(_ server: SocketAddress, _ opening: EventLoopFuture<any Channel>) {
        connections.withLock { if $0[server] === opening { $0[server] = nil } }
    }
}

/// A question on its way to a connection.
struct StreamRequest: Sendable {
    /// The message, whose ID the connection replaces.
    let message: [UInt8]
    /// What becomes of it.
    let completion: StreamUpstreams.Completion
}

/// The questions that are under way on one connection, each under an ID of its own.
final class StreamQuestions: ChannelDuplexHandler {
    typealias InboundIn = ByteBuffer
    typealias OutboundIn = StreamRequest
    typealias OutboundOut = ByteBuffer

    /// A question under way.
    private struct Question {
        /// The ID that whoever asked expects.
        let id: (UInt8, UInt8)
        /// What becomes of it.
        let completion: StreamUpstreams.Completion
    }

    /// By ID on this connection.
    private var questions: [UInt16: Question] = [:]

    func write(context: ChannelHandlerContext, data: NIOAny, promise: EventLoopPromise<Void>?) {
        let request = unwrapOutboundIn(data)
        guard questions.count < StreamUpstreams.maximumPipelined, request.message.count > 2 else {
            promise?.fail(ChannelError.outputClosed)
            return
        }
        var id = UInt16.random(in: .min ... .max)
        while questions[id] != nil { id &+= 1 }
        questions[id] = Question(id: (request.message[0], request.message[1]), completion: request.completion)
        var message = request.message
        message[0] = UInt8(truncatingIfNeeded: id >> 8)
        message[1] = UInt8(truncatingIfNeeded: id)
        // From here on it is the connection's end, and nothing else, that fails the question.
        promise?.succeed()
        context.write(wrapOutboundOut(ByteBuffer(framing: message, allocator: context.channel.allocator)), promise: nil)
    }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        var message = [UInt8](unwrapInboundIn(data).readableBytesView)
        guard message.count > 2,
            let question = questions.removeValue(forKey: UInt16(message[0]) << 8 | UInt16(message[1]))
        else { return }
        (message[0], message[1]) = question.id
        question.completion(message)
    }

    func channelInactive(context: ChannelHandlerContext) {
        failAll()
        context.fireChannelInactive()
    }

    func userInboundEventTriggered(context: ChannelHandlerContext, event: Any) {
        if event is IdleStateHandler.IdleStateEvent {
            context.close(promise: nil)
        } else {
            context.fireUserInboundEventTriggered(event)
        }
    }

    func errorCaught(context: ChannelHandlerContext, error: any Error) {
        context.close(promise: nil)
    }

    /// Tells everybody who waits that no answer will come.
    private func failAll() {
        let failed = questions
        questions = [:]
        for question in failed.values { question.completion(nil) }
    }
}
