import NIOCore

/// Closes the connection of a client that does not read what it asked for, so that an answer in the making, and the memory
/// that waits for it, is not held for ever.
final class StalledClientHandler: ChannelInboundHandler, RemovableChannelHandler {
    /// What comes in passes through untouched.
    typealias InboundIn = NIOAny

    /// How long more than 64 KiB, where SwiftNIO stops taking more, may wait for the client.
    private let limit: TimeAmount
    /// The end of the client's patience with itself; nil while it reads.
    private var closing: Scheduled<Void>?

    /// Bytes that the kernel may hold for a client beside those; by itself it would take megabytes.
    private static let sendBuffer: SocketOptionValue = 65_536

    /// Closes what has been stuck for `limit`.
    init(limit: TimeAmount) {
        self.limit = limit
    }

    func handlerAdded(context: ChannelHandlerContext) {
        // A kernel that refuses keeps its own size; the limit holds all the same.
        _ = context.channel.setOption(.socketOption(.so_sndbuf), value: StalledClientHandler.sendBuffer)
    }

    func channelWritabilityChanged(context: ChannelHandlerContext) {
        closing?.cancel()
        closing = nil
        if !context.channel.isWritable {
            closing = context.eventLoop.scheduleTask(in: limit) { [channel = context.channel] in
                channel.close(promise: nil)
            }
        }
        context.fireChannelWritabilityChanged()
    }

    func handlerRemoved(context: ChannelHandlerContext) {
        closing?.cancel()
    }
}
