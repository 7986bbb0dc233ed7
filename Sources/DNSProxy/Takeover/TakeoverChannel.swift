import CLinux
import Glibc
import MappingFeed

/// What a daemon and the one that takes over from it say to each other, over a Unix socket that keeps messages apart and
/// carries open sockets (`SOCK_SEQPACKET` and `SCM_RIGHTS`, unix(7)).
///
/// Sendable, because the kernel orders what several threads do with a socket.
final class TakeoverChannel: Sendable {
    /// One message.
    enum Message: Equatable {
        /// The successor: here I am. The version is that of these messages.
        case hello(version: Int)
        /// The predecessor: these are sockets of mine, which come with the message; more may follow.
        case sockets
        /// The predecessor: those were all.
        case allSockets
        /// The successor: what is on the disk is read; from now on I only need the last of it.
        case ready
        /// The predecessor: somebody has asked this and has no answer yet.
        case query(LeftQuery)
        /// The predecessor: nothing is mine any more.
        case yours
        /// The successor: I answer.
        case serving
        /// The predecessor: no, for this reason.
        case refused(String)
    }

    /// The version of the messages.
    static let version = 1
    /// Sockets that one message carries at most.
    static let socketsPerMessage = 64
    /// Bytes that a message may have.
    private static let longest = 8_192

    /// The socket.
    private let descriptor: FileDescriptorBox

    /// A channel over a connected socket.
    init(_ descriptor: consuming FileDescriptor) { self.descriptor = FileDescriptorBox(descriptor) }

    /// Sends a message, and sockets with it, which stay open here too; false when the other side is gone.
    @discardableResult
    func send(_ message: Message, sockets: [Int32] = []) -> Bool {
        let bytes = message.bytes
        let sent = unsafe bytes.withUnsafeBytes { bytes in
            unsafe sockets.withUnsafeBufferPointer { sockets in
                unsafe clinux_send_descriptors(
                    descriptor.rawValue, bytes.baseAddress, bytes.count, sockets.baseAddress, Int32(sockets.count))
            }
        }
        return sent == bytes.count
    }

    /// Waits for the next message; nil when the other side is gone, takes longer than `limit`, or says what is no message.
    func receive(within limit: Duration? = nil) -> (message: Message, sockets: [FileDescriptorBox])? {
        guard isReadable(within: limit) else { return nil }
        var bytes = [UInt8](repeating: 0, count: TakeoverChannel.longest)
        var descriptors = [Int32](repeating: -1, count: TakeoverChannel.socketsPerMessage)
        var count: Int32 = 0
        let received = unsafe bytes.withUnsafeMutableBytes { bytes in
            unsafe descriptors.withUnsafeMutableBufferPointer { descriptors in
                unsafe clinux_receive_descriptors(
                    descriptor.rawValue, bytes.baseAddress, bytes.count, descriptors.baseAddress, &count)
            }
        }
        let sockets = descriptors.prefix(Int(count)).map { FileDescriptorBox(owning: $0) }
        guard received > 0, let message = Message(bytes.prefix(received)) else { return nil }
        return (message, sockets)
    }

    /// The same without a thread that waits; nil also when the task is cancelled.
    func next(within limit: Duration? = nil) async -> Message? {
        await withTaskCancellationHandler {
            await BackgroundThread.run(.normal) { self.receive(within: limit)?.message }
        } onCancel: {
            _ = clinux_shutdown(descriptor.rawValue)
        }
    }

    /// Waits until the other side is gone, `limit` at most.
    func waitForEnd(within limit: Duration) async {
        while await next(within: limit) != nil {}
    }

    /// Whether the other side is still there.
    var isOpen: Bool {
        var poll = pollfd(fd: descriptor.rawValue, events: Int16(POLLOUT), revents: 0)
        return unsafe Glibc.poll(&poll, 1, 0) >= 0 && poll.revents & Int16(POLLHUP | POLLERR) == 0
    }

    /// Who is at the other end; nil if the kernel does not say.
    var peer: PeerCredentials? { PeerCredentials(descriptor.rawValue) }

    /// Whether there is something to receive, the end included; waits `limit` for it, or without end.
    private func isReadable(within limit: Duration?) -> Bool {
        var poll = pollfd(fd: descriptor.rawValue, events: Int16(POLLIN), revents: 0)
        let milliseconds = limit.map { Int32(clamping: Int64($0 / .milliseconds(1))) } ?? -1
        while true {
            let ready = unsafe Glibc.poll(&poll, 1, milliseconds)
            if ready >= 0 || errno != EINTR { return ready > 0 }
        }
    }
}
