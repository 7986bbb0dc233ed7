internal import Glibc
public import NIOCore
public import NIOPosix

/// An enforcer's connection to the daemon.
///
/// Iterate over `batches` (or `events`, or `lines`) once, put what comes in force, and say so with `acknowledge`. Pings
/// are answered as they are read; a reader that stands still is one that the daemon gives up after a while.
public final class FeedClient: Sendable {
    /// The connection.
    private let channel: any Channel
    /// Wakes the reader.
    private let sequence: Producer
    /// What arrived.
    private let inbox: FeedInbox
    /// What lets the connection read on.
    private let delegate: ClientDelegate

    /// What wakes the reader; what there is to read is in the inbox.
    typealias Producer = NIOThrowingAsyncSequenceProducer<
        Void, any Error, NIOAsyncSequenceProducerBackPressureStrategies.HighLowWatermark, ClientDelegate
    >

    /// A client of a connection.
    private init(channel: any Channel, sequence: Producer, inbox: FeedInbox, delegate: ClientDelegate) {
        self.channel = channel
        self.sequence = sequence
        self.inbox = inbox
        self.delegate = delegate
    }

    /// Connects to the daemon's socket at `path` and subscribes.
    /// - Throws: `FeedClientError` when nobody listens there or the path cannot be used.
    public static func connect(
        to path: String, subscription: Subscription = Subscription(),
        on group: any EventLoopGroup = MultiThreadedEventLoopGroup.singleton
    ) async throws -> FeedClient {
        do {
            let inbox = FeedInbox()
            let (channel, sequence, delegate) = try await ClientBootstrap(group: group)
                .channelOption(.autoRead, value: false)
                .connect(unixDomainSocketPath: path) { channel in
                    channel.eventLoop.makeCompletedFuture {
                        let loop = channel.eventLoop
                        let delegate = ClientDelegate(channel)
                        let new = Producer.makeSequence(
                            backPressureStrategy: .init(lowWatermark: 2, highWatermark: 16), finishOnDeinit: false,
                            delegate: delegate)
                        let handler = ClientHandler(subscription, inbox, waking: new.source)
                        try channel.pipeline.syncOperations.addHandler(handler)
                        delegate.set(NIOLoopBound(handler, eventLoop: loop))
                        return (channel, new.sequence, delegate)
                    }
                }
            return FeedClient(channel: channel, sequence: sequence, inbox: inbox, delegate: delegate)
        } catch {
            throw FeedClientError(path: path, error)
        }
    }

    /// What arrives, all events at a time that came since the last batch was taken; it ends when the daemon closes the
    /// connection. So a reader that takes long has larger batches, and not more of them.
    public var batches: FeedBatches { FeedBatches(producer: sequence, inbox: inbox, delegate: delegate) }

    /// What arrives, event by event.
    public var events: FeedEvents { FeedEvents(base: batches.makeAsyncIterator()) }

    /// What arrives, line by line as it was sent, without newlines; unknown kinds of events are among them.
    public var lines: FeedLines { FeedLines(base: batches.makeAsyncIterator()) }

    /// Says that everything up to `sequence` is in force.
    public func acknowledge(_ sequence: UInt64) { send(.ack(sequence)) }

    /// Says that a change could not be put in force, and why.
    public func reject(_ sequence: UInt64, error: String) {
        send(.nack(FeedRejection(sequence: sequence, error: error)))
    }

    /// Says which addresses an identity has live connections to; long lists go in several messages.
    public func report(inUse use: AddressesInUse) {
        var rest = use.addresses[...]
        repeat {
            send(.inUse(AddressesInUse(identity: use.identity, addresses: Array(rest.prefix(1000)))))
            rest = rest.dropFirst(1000)
        } while !rest.isEmpty
    }

    /// Closes the connection; what is being iterated over ends.
    public func close() async {
        channel.close(promise: nil)
        try? await channel.closeFuture.get()
    }

    /// Sends a message; if the connection is gone, the sequence tells.
    private func send(_ message: SubscriberMessage) {
        channel.writeAndFlush(ByteBuffer(bytes: message.line), promise: nil)
    }
}

/// Why there is no connection to the daemon.
public struct FeedClientError: Error, CustomStringConvertible, Sendable {
    /// The path of the socket.
    public let path: String
    /// What is wrong, and what to do.
    public let reason: String

    /// An error of connecting to `path`.
    init(path: String, _ error: any Error) {
        self.path = path
        let code = (error as? IOError)?.errnoCode
        switch code {
        case ENOENT, ECONNREFUSED:
            reason = "nobody listens here; is the daemon running, and is its feed.socket this one?"
        case EACCES, EPERM: reason = "permission denied; the socket is for its owner and its group"
        default: reason = "cannot connect: \(error)"
        }
    }

    /// The same as one line of text, for people.
    public var description: String { "\(path): \(reason)" }
}
