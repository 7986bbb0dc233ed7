import NIOCore
import NIOPosix

@testable import MappingFeed

/// A connection that sends any bytes and shows every line that comes back, as a subscriber in any language would.
final class RawSubscriber: Sendable {
    /// The connection.
    private let channel: any Channel
    /// What arrives.
    private let lines: AsyncStream<String>

    /// Connects; with `reads` false it never reads.
    init(_ path: String, reads: Bool = true) async throws {
        let (lines, source) = AsyncStream<String>.makeStream()
        self.lines = lines
        channel = try await ClientBootstrap(group: MultiThreadedEventLoopGroup.singleton)
            .channelOption(.autoRead, value: reads)
            .connectTimeout(.seconds(10))
            .channelInitializer { channel in
                channel.eventLoop.makeCompletedFuture {
                    try channel.pipeline.syncOperations.addHandler(Collector(source))
                }
            }
            .connect(unixDomainSocketPath: path).get()
    }

    /// Closes the connection.
    deinit { channel.close(promise: nil) }

    /// Sends text as it is.
    func send(_ text: String) { channel.writeAndFlush(ByteBuffer(string: text), promise: nil) }

    /// Sends a message.
    func send(_ message: SubscriberMessage) { send(String(decoding: message.line, as: UTF8.self)) }

    /// The next line; nil when the connection is closed.
    func next() async -> String? {
        for await line in lines { return line }
        return nil
    }

    /// The next event.
    func event() async throws -> FeedEvent? {
        guard let line = await next() else { return nil }
        return try FeedEvent.decode(Array(line.utf8).span)
    }

    /// Every line up to the end of the connection.
    func rest() async -> [String] {
        var rest: [String] = []
        for await line in lines { rest.append(line) }
        return rest
    }

    /// Closes the connection.
    func close() async throws { try await channel.close() }

    /// Reads from now on.
    func read() async throws { try await channel.setOption(.autoRead, value: true).get() }

    /// Cuts what arrives into lines.
    private final class Collector: ChannelInboundHandler {
        /// What the channel reads.
        typealias InboundIn = ByteBuffer
        /// Where lines go.
        private let source: AsyncStream<String>.Continuation
        /// What was read.
        private var buffer = LineBuffer()

        /// A collector that feeds `source`.
        init(_ source: AsyncStream<String>.Continuation) { self.source = source }

        /// Takes bytes.
        func channelRead(context: ChannelHandlerContext, data: NIOAny) {
            buffer.append(unwrapInboundIn(data))
            while let line = buffer.next() { source.yield(String(decoding: line, as: UTF8.self)) }
        }

        /// The connection is gone.
        func channelInactive(context: ChannelHandlerContext) { source.finish() }

        /// Reading or writing failed.
        func errorCaught(context: ChannelHandlerContext, error: any Error) { context.close(promise: nil) }
    }
}
