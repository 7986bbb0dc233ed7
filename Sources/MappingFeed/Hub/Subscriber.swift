internal import NIOCore

/// One connection to the hub.
final class Subscriber {
    /// The connection.
    let channel: any Channel
    /// Where it stands.
    var phase: Phase
    /// Everything up to here is in force, as far as it has said; nil if it does not acknowledge.
    var acknowledged: UInt64?
    /// The last sequence number that it was sent, and that it may acknowledge.
    var sent: UInt64 = 0
    /// When something was last written to it.
    var lastWrite: NIODeadline
    /// When the oldest ping that it has not answered was sent; nil if there is none.
    var pinged: NIODeadline?
    /// What tells its connection from others in the log.
    let number: UInt64

    /// Where a connection stands.
    enum Phase {
        /// It has not said what it wants, and has until then to do so.
        case greeted(until: NIODeadline)
        /// It is sent everything up to a sequence number.
        case snapshot(SnapshotProgress)
        /// It is sent what is published.
        case live
    }

    /// A snapshot that is being sent.
    struct SnapshotProgress {
        /// Every change up to here is in it.
        let sequence: UInt64
        /// Where the next chunk begins.
        var cursor: UInt64
        /// Events that were sent.
        var count: UInt64
        /// Whether a chunk is being read.
        var isReading: Bool
    }

    /// A connection that has until `deadline` to subscribe.
    init(_ channel: any Channel, number: UInt64, now: NIODeadline, until deadline: NIODeadline) {
        self.channel = channel
        self.number = number
        phase = .greeted(until: deadline)
        lastWrite = now
    }
}

/// Turns what happens on a subscriber's channel into calls of the hub.
final class SubscriberHandler: ChannelInboundHandler {
    /// What the channel reads.
    typealias InboundIn = ByteBuffer
    /// What is written to the channel.
    typealias OutboundOut = ByteBuffer

    /// The hub.
    private let core: HubCore
    /// The connection, from the greeting to the disconnect.
    private var subscriber: Subscriber?
    /// What was read.
    private var lines = LineBuffer()

    /// A handler of a connection to `core`.
    init(_ core: HubCore) {
        self.core = core
    }

    /// The connection is there: it is greeted.
    func channelActive(context: ChannelHandlerContext) {
        subscriber = core.greet(context.channel)
        context.fireChannelActive()
    }

    /// Takes bytes, and acts on the lines that they complete.
    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        // What a connection says after it was told to go is not read.
        guard let subscriber, core.isConnected(subscriber) else { return }
        lines.append(unwrapInboundIn(data))
        while let line = lines.next() {
            core.receive(line, from: subscriber)
            guard core.isConnected(subscriber) else { return }
        }
        if lines.pending > SubscriberMessage.maxLineLength {
            core.disconnect(subscriber, .lineTooLong, "a line is longer than \(SubscriberMessage.maxLineLength) bytes")
        }
    }

    /// Everything that came at once was acted on: `released` is computed once for it.
    func channelReadComplete(context: ChannelHandlerContext) {
        core.updateReleased()
        context.fireChannelReadComplete()
    }

    /// The subscriber has read: more can be sent.
    func channelWritabilityChanged(context: ChannelHandlerContext) {
        if let subscriber, core.isConnected(subscriber) { core.pump(subscriber) }
        context.fireChannelWritabilityChanged()
    }

    /// The connection is gone.
    func channelInactive(context: ChannelHandlerContext) {
        if let subscriber { core.forget(subscriber, .closed, "closed by the subscriber") }
        subscriber = nil
        context.fireChannelInactive()
    }

    /// Reading or writing failed.
    func errorCaught(context: ChannelHandlerContext, error: any Error) {
        if let subscriber { core.forget(subscriber, .ioError, "\(error)") }
        context.close(promise: nil)
    }
}
