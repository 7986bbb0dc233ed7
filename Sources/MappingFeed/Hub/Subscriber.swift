internal import NIOCore

/// One connection to the hub.
final class Subscriber {
    /// The connection.
    let channel: any Channel
    /// Where it stands.
    var phase: Phase
    /// Everything up to here is in force, as far as it has said; nil if it does not acknowledge.
    var acknowledged: UInt64?
    /// It was sent everything up to here that is for it, and may acknowledge that.
    var sent: UInt64 = 0
    /// Everything up to here was told it by a snapshot, if by anything.
    var snapshotEnd: UInt64 = 0
    /// The identities that it has asked for; nil for all.
    var selection: Selection?
    /// What it owes acknowledgements for, where it has asked for some identities only.
    var pending = PendingAcknowledgements()
    /// When something was last written to it.
    var lastWrite: NIODeadline
    /// When the oldest ping that it has not answered was sent; nil if there is none.
    var pinged: NIODeadline?
    /// What tells its connection from others in the log.
    let number: UInt64
    /// Who it is.
    let peer: PeerCredentials
    /// When it connected, in seconds since the epoch.
    let connected: Double

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
        /// What is still to be sent.
        var listing: SnapshotListing
        /// Whether a chunk is being read.
        var isReading = false
    }

    /// A connection of `peer` that has until `deadline` to subscribe.
    init(
        _ channel: any Channel, number: UInt64, peer: PeerCredentials, now: NIODeadline, until deadline: NIODeadline
    ) {
        self.channel = channel
        self.number = number
        self.peer = peer
        connected = JournalClock.wallSeconds()
        phase = .greeted(until: deadline)
        lastWrite = now
    }

    /// Whether it has said what it wants.
    var hasSubscribed: Bool {
        if case .greeted = phase { false } else { true }
    }

    /// Everything up to here is in force or was not for it, as far as it has said; nil if it does not acknowledge.
    var confirmed: UInt64? {
        guard let acknowledged else { return nil }
        return selection == nil ? acknowledged : max(acknowledged, pending.confirmed(sent: sent))
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
    /// Bytes that were read after the disconnect.
    private var ignored = 0

    /// Bytes that a connection may send after it was told to go.
    private static let maxIgnored = 1 << 20

    /// A handler of a connection to `core`.
    init(_ core: HubCore) {
        self.core = core
    }

    /// The connection is there: it is greeted.
    func channelActive(context: ChannelHandlerContext) {
        subscriber = core.admit(context.channel)
        // Only now: a write that fails ends the connection at once, and then it has to be known here.
        if let subscriber { core.greet(subscriber) }
        context.fireChannelActive()
    }

    /// Takes bytes, and acts on the lines that they complete.
    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        let bytes = unwrapInboundIn(data)
        guard let subscriber, core.isConnected(subscriber) else {
            // Read and thrown away, so that it can read why it has to go; but who does not stop is cut off.
            ignored += bytes.readableBytes
            if ignored > SubscriberHandler.maxIgnored { context.close(promise: nil) }
            return
        }
        lines.append(bytes)
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
        if let subscriber, core.isConnected(subscriber) {
            core.pump(subscriber)
            // What is not for a subscriber is confirmed when it is passed over.
            if subscriber.selection != nil { core.updateReleased() }
        }
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
