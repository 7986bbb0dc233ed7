import DNSWire
import NIOCore

/// A reply on its way to its connection.
struct StreamReply: Sendable {
    /// The message.
    let message: [UInt8]
}

/// One client's connection: cuts what comes into queries, counts what waits for an answer, stops reading when that is too
/// much, and closes when nothing happens any more, or too slowly.
///
/// What counts as happening is a whole query or an answer. Single bytes do not, in either direction: a client that sends or
/// takes them one by one costs as much time and memory as one that is silent.
final class StreamConnection: ChannelDuplexHandler {
    typealias InboundIn = ByteBuffer
    typealias OutboundIn = ByteBuffer
    typealias OutboundOut = ByteBuffer

    /// Queries that may wait for their answers; beyond it nothing more is read.
    static let maximumPipelined = 128
    /// Queries that may wait at all, because one read can bring many; beyond it the connection ends.
    static let maximumWaiting = 4_096
    /// Bytes of answers that may wait for the client to take them, beside those in the kernel; beyond it the connection
    /// ends.
    static let maximumUnsent = 512 << 10
    /// How long a query may wait for its answer while nothing else happens; longer than upstreams are waited for.
    static let longestWait = TimeAmount.seconds(10)

    /// The connection's number.
    private let id: ConnectionID
    /// The other end.
    private let client: SocketAddress
    /// The worker that answers.
    private let mailbox: Mailbox
    /// Where dropped queries are counted.
    private let counters: StreamCounters
    /// How long nothing may happen (RFC 7766, section 6.2.3).
    private let idleTimeout: TimeAmount
    /// How long the first query may take.
    private let firstQueryTimeout: TimeAmount
    /// The beginning of a query whose end has not come.
    private var pending = ByteBuffer()
    /// Queries without an answer yet.
    private var waiting = 0
    /// Whether a whole query has come.
    private var hasAsked = false
    /// When a query came or an answer left last.
    private var active = NIODeadline.now()
    /// What looks whether that is long ago.
    private var watch: Scheduled<Void>?
    /// Whether a read was asked for while too much waited.
    private var wantsRead = false
    /// Whether the client sends nothing more.
    private var isHalfClosed = false
    /// Whether it is being closed.
    private var isClosing = false

    /// A connection of `client`, answered by the worker behind `mailbox`, with the timeouts of `limits`; what is dropped goes
    /// into `counters`.
    init(
        id: ConnectionID, client: SocketAddress, mailbox: Mailbox, counters: StreamCounters,
        limits: EngineConfiguration.Limits
    ) {
        self.id = id
        self.client = client
        self.mailbox = mailbox
        self.counters = counters
        idleTimeout = .seconds(Int64(limits.idleTimeout))
        firstQueryTimeout = .seconds(Int64(limits.firstQueryTimeout))
    }

    func handlerAdded(context: ChannelHandlerContext) { startWatch(context) }

    func handlerRemoved(context: ChannelHandlerContext) {
        isClosing = true
        watch?.cancel()
        watch = nil
    }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        var arrived = unwrapInboundIn(data)
        if pending.readableBytes == 0 { pending = arrived } else { pending.writeBuffer(&arrived) }
        while !isClosing, let message = nextQuery() { take(message, context: context) }
        pending.shrinkToContent()
    }

    func read(context: ChannelHandlerContext) {
        if waiting < StreamConnection.maximumPipelined, context.channel.isWritable {
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
            send(reply.message, context: context)
        case ChannelEvent.inputClosed:
            isHalfClosed = true
            // Behind the answers that the client has not taken yet.
            if waiting == 0 { finish(ByteBuffer(), context: context) }
        default:
            context.fireUserInboundEventTriggered(event)
        }
    }

    func errorCaught(context: ChannelHandlerContext, error: any Error) {
        close(context)
    }

    /// The next whole query that has come, or what has come of one that is too long, without its length.
    private func nextQuery() -> [UInt8]? {
        guard let length = pending.getInteger(at: pending.readerIndex, as: UInt16.self).map({ Int($0) }),
            length > DropReason.longestQuery || pending.readableBytes >= 2 + length
        else { return nil }
        pending.moveReaderIndex(forwardBy: 2)
        guard var message = pending.readBytes(length: min(length, pending.readableBytes)) else { return nil }
        // As long as it says that it is, so that it is dropped for what it is.
        if message.count < length { message += Array(repeating: 0, count: length - message.count) }
        return message
    }

    /// Hands a query to the worker, or drops it and closes the connection.
    private func take(_ message: [UInt8], context: ChannelHandlerContext) {
        active = .now()
        hasAsked = true
        // A response cannot come here, and its silence would keep a place forever. No query is longer than 4 KiB, over
        // UDP or here.
        let reason: DropReason
        if message.count < Header.length || message[2] & 0x80 != 0 {
            reason = .notQuery
        } else if message.count > DropReason.longestQuery {
            reason = .oversized
        } else if waiting < StreamConnection.maximumWaiting,
            mailbox.post(.query(connection: id, client: client, message: message))
        {
            waiting += 1
            return
        } else {
            reason = .overloaded
        }
        counters.drop(message, of: client, reason)
        close(context)
    }

    /// Sends an answer, unless the client leaves too many lying.
    private func send(_ message: [UInt8], context: ChannelHandlerContext) {
        waiting -= 1
        guard !isClosing else { return }
        active = .now()
        let frame = wrapOutboundOut(ByteBuffer(framing: message, allocator: context.channel.allocator))
        if isHalfClosed, waiting == 0 { return finish(unwrapOutboundIn(frame), context: context) }
        context.writeAndFlush(frame, promise: nil)
        if unsent(context) > StreamConnection.maximumUnsent {
            counters.close(.slowReader)
            close(context)
        } else {
            resumeReading(context: context)
        }
    }

    /// Sends `last`, and closes the connection when it has left.
    private func finish(_ last: ByteBuffer, context: ChannelHandlerContext) {
        context.writeAndFlush(wrapOutboundOut(last)).assumeIsolated().whenComplete { _ in self.close(context) }
    }

    /// Bytes of answers that the kernel has not taken.
    private func unsent(_ context: ChannelHandlerContext) -> Int {
        guard !context.channel.isWritable else { return 0 }
        return (try? context.channel.syncOptions?.getOption(.bufferedWritableBytes)) ?? 0
    }

    /// Reads on, if that was asked for and there is room again.
    private func resumeReading(context: ChannelHandlerContext) {
        guard wantsRead, waiting < StreamConnection.maximumPipelined, context.channel.isWritable else { return }
        wantsRead = false
        context.read()
    }

    /// How long nothing may happen now.
    private var patience: TimeAmount {
        guard hasAsked else { return firstQueryTimeout }
        return waiting > 0 ? max(idleTimeout, StreamConnection.longestWait) : idleTimeout
    }

    /// Closes the connection when nothing has happened for too long.
    private func startWatch(_ context: ChannelHandlerContext) {
        watch = context.eventLoop.assumeIsolated().scheduleTask(deadline: active + patience) {
            guard self.active + self.patience <= .now() else { return self.startWatch(context) }
            if (try? context.channel.syncOptions?.getOption(.bufferedWritableBytes)) ?? 0 > 0 {
                self.counters.close(.slowReader)
            } else if self.pending.readableBytes > 0 {
                self.counters.close(.slowWriter)
            }
            self.close(context)
        }
    }

    /// Closes the connection.
    private func close(_ context: ChannelHandlerContext) {
        isClosing = true
        context.close(promise: nil)
    }
}

extension ByteBuffer {
    /// Gives back the memory of what has been read, and of what there was room for besides.
    fileprivate mutating func shrinkToContent() {
        if readableBytes == 0 {
            self = ByteBuffer()
        } else if storageCapacity > 2 * DropReason.longestQuery {
            self = ByteBuffer(bytes: readableBytesView)
        } else {
            discardReadBytes()
        }
    }
}
