import NIOCore
import NIOPosix
import Synchronization

/// An event loop that a test can hold.
final class StuckLoop: Sendable {
    /// The loop's thread.
    private let group = MultiThreadedEventLoopGroup(numberOfThreads: 1)
    /// Whether the loop is held.
    private let isHeld = Atomic(false)

    /// The loop.
    var loop: any EventLoop { group.next() }

    /// Returns when the loop does nothing but wait.
    func hold() async {
        isHeld.store(true, ordering: .releasing)
        await withCheckedContinuation { continuation in
            loop.execute {
                continuation.resume()
                while self.isHeld.load(ordering: .acquiring) {}
            }
        }
    }

    /// Lets the loop go on.
    func letGo() { isHeld.store(false, ordering: .releasing) }

    /// Stops the thread.
    func end() { group.shutdownGracefully { _ in } }
}
