import Glibc
package import NIOCore

/// Lets a listening channel rest when a connection cannot be taken, for want of descriptors or memory. Without it the loop
/// that runs the channel would find the connection waiting again at once, and try without a pause.
///
/// NIO's `AcceptBackoffHandler` delays reads that have not been asked for yet; here one is already under way when accepting
/// fails, and goes on until the channel stops reading by itself.
package final class AcceptPause: ChannelInboundHandler {
    /// Connections that were taken.
    package typealias InboundIn = Channel
    /// The same.
    package typealias InboundOut = Channel

    /// How long it rests.
    static let length = TimeAmount.milliseconds(200)

    /// Hears of each time that a connection could not be taken, and whether one could be taken before that.
    private let onFailure: (_ isNews: Bool) -> Void
    /// Whether it rests.
    private var isPaused = false
    /// Whether nothing has failed since a connection was taken.
    private var isFailureNews = true

    /// Tells `onFailure`, on the channel's loop, of each time that a connection could not be taken, and whether that is news:
    /// the first time, or the first since one was taken.
    package init(onFailure: @escaping (_ isNews: Bool) -> Void) {
        self.onFailure = onFailure
    }

    package func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        isFailureNews = true
        context.fireChannelRead(data)
    }

    package func errorCaught(context: ChannelHandlerContext, error: any Error) {
        guard let error = error as? IOError else { return context.fireErrorCaught(error) }
        // A client that went away while it waited says nothing about the next one.
        guard error.errnoCode != ECONNABORTED else { return }
        // While it rests too: somebody else may have asked for a read meanwhile.
        try? context.channel.syncOptions?.setOption(.autoRead, value: false)
        guard !isPaused else { return }
        isPaused = true
        onFailure(isFailureNews)
        isFailureNews = false
        context.eventLoop.assumeIsolated().scheduleTask(in: AcceptPause.length) {
            self.isPaused = false
            try? context.channel.syncOptions?.setOption(.autoRead, value: true)
        }
    }
}
