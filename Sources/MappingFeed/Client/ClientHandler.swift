internal import NIOCore

/// Subscribes, cuts what a client reads into events for its inbox, and answers pings: all that has to be in time, however
/// busy the program is.
final class ClientHandler: ChannelDuplexHandler {
    /// What the channel reads.
    typealias InboundIn = ByteBuffer
    /// What goes on to the channel unchanged.
    typealias OutboundIn = ByteBuffer
    /// What is written to the channel.
    typealias OutboundOut = ByteBuffer

    /// What is subscribed to.
    private let subscription: Subscription
    /// Where events go.
    private let inbox: FeedInbox
    /// What wakes the reader.
    private let source: FeedClient.Producer.Source
    /// What was read.
    private var buffer = LineBuffer()
    /// Whether the reader has enough for now.
    private var isPaused = false
    /// Whether a read is due when the reader wants more.
    private var wantsRead = false
    /// Where the channel is.
    private var context: ChannelHandlerContext?

    /// A handler that subscribes, fills `inbox` and wakes its reader with `source`.
    init(_ subscription: Subscription, _ inbox: FeedInbox, waking source: FeedClient.Producer.Source) {
        self.subscription = subscription
        self.inbox = inbox
        self.source = source
    }

    /// Keeps the place in the channel.
    func handlerAdded(context: ChannelHandlerContext) { self.context = context }

    /// Lets go of the place in the channel.
    func handlerRemoved(context: ChannelHandlerContext) { self.context = nil }

    /// The connection is there: subscribes.
    func channelActive(context: ChannelHandlerContext) {
        let line = SubscriberMessage.subscribe(subscription).line
        context.writeAndFlush(wrapOutboundOut(ByteBuffer(bytes: line)), promise: nil)
        context.fireChannelActive()
        context.read()
    }

    /// Takes bytes, and hands over the lines that they complete.
    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        buffer.append(unwrapInboundIn(data))
        var lines: [[UInt8]] = []
        var events: [FeedEvent] = []
        do {
            while let line = buffer.next() {
                lines.append(Array(line))
                guard let event = try FeedEvent.decode(line.span) else { continue }
                if case .ping = event {
                    context.writeAndFlush(wrapOutboundOut(ByteBuffer(bytes: SubscriberMessage.pong.line)), promise: nil)
                }
                events.append(event)
            }
            guard buffer.pending <= FeedEvent.maxLineLength else {
                throw FeedSyntaxError(.lineTooLong, at: FeedEvent.maxLineLength)
            }
        } catch {
            deliver(lines, events)
            source.finish(error)
            context.close(promise: nil)
            return
        }
        deliver(lines, events)
    }

    /// Puts a batch into the inbox, and wakes the reader if that was empty.
    private func deliver(_ lines: [[UInt8]], _ events: [FeedEvent]) {
        guard !lines.isEmpty else { return }
        let (isFirst, isFull) = inbox.put(FeedBatch(lines: lines, events: events))
        isPaused = isFull
        if isFirst, case .dropped = source.yield(()) { context?.close(promise: nil) }
    }

    /// Reads on, unless the reader has enough for now.
    func channelReadComplete(context: ChannelHandlerContext) {
        if isPaused { wantsRead = true } else { context.read() }
        context.fireChannelReadComplete()
    }

    /// Goes on reading.
    func resume() {
        isPaused = false
        guard wantsRead else { return }
        wantsRead = false
        context?.read()
    }

    /// The connection is gone: the sequence ends.
    func channelInactive(context: ChannelHandlerContext) {
        source.finish()
        context.fireChannelInactive()
    }

    /// Reading or writing failed: the sequence ends with the error.
    func errorCaught(context: ChannelHandlerContext, error: any Error) {
        source.finish(error)
        context.close(promise: nil)
    }
}

/// Tells a client's channel what its reader wants.
final class ClientDelegate: NIOAsyncSequenceProducerDelegate {
    /// The channel.
    private let channel: any Channel
    /// The handler, on its loop.
    private let handler: NIOLoopBoundBox<NIOLoopBound<ClientHandler>?>

    /// A delegate of `channel`.
    init(_ channel: any Channel) {
        self.channel = channel
        handler = .makeEmptyBox(eventLoop: channel.eventLoop)
    }

    /// Takes the handler; on the loop.
    func set(_ handler: NIOLoopBound<ClientHandler>) { self.handler.value = handler }

    /// The reader is ready for a token; what it lacks are events, see `readOn`.
    func produceMore() {}

    /// The reader took what was there, and more may be read.
    func readOn() {
        let handler = handler
        channel.eventLoop.execute { handler.value?.value.resume() }
    }

    /// The reader is gone.
    func didTerminate() { channel.close(promise: nil) }
}
