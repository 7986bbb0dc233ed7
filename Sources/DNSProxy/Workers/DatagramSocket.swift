import CLinux
import DNSWire
import Glibc

/// One listening UDP socket of one worker, with the batch of replies that leave by it.
struct DatagramSocket: ~Copyable {
    /// The kernel's handle.
    let descriptor: FileDescriptor
    /// Where it listens.
    let address: SocketAddress
    /// Whether the local address of each datagram has to be kept for the reply.
    let wantsLocalAddress: Bool
    /// The replies of this turn.
    private let replies: DatagramBuffers
    /// How many of them are filled.
    private var filled = 0
    /// Replies that the kernel did not take, since the start.
    private(set) var sendFailures: UInt64 = 0

    /// Replies of one batch.
    private static let batch = 64

    /// Listens at `address`, sharing it with the sockets of other workers (`SO_REUSEPORT`).
    /// - Throws: `SystemError` naming the address.
    init(listeningAt address: SocketAddress) throws(SystemError) {
        descriptor = try DatagramSocket.open(address)
        self.address = address
        wantsLocalAddress = address.isWildcard
        replies = DatagramBuffers(count: DatagramSocket.batch, payloadSize: EDNS.ownPayloadSize)
    }

    /// Opens and binds the socket.
    private static func open(_ address: SocketAddress) throws(SystemError) -> FileDescriptor {
        let fd = socket(address.family, Int32(SOCK_DGRAM.rawValue | SOCK_NONBLOCK.rawValue | SOCK_CLOEXEC.rawValue), 0)
        let descriptor = try FileDescriptor(fd, "open a UDP socket for \(address)")
        try DatagramSocket.set(fd, SOL_SOCKET, SO_REUSEPORT, 1, "share UDP \(address)")
        if !address.address.isIPv4 { try DatagramSocket.set(fd, Int32(IPPROTO_IPV6), IPV6_V6ONLY, 1, "use \(address)") }
        // A bigger receive buffer rides out bursts; without CAP_NET_ADMIN the kernel caps it at net.core.rmem_max.
        do throws(SystemError) {
            try DatagramSocket.set(fd, SOL_SOCKET, SO_RCVBUFFORCE, 4 << 20, "")
        } catch {
            try? DatagramSocket.set(fd, SOL_SOCKET, SO_RCVBUF, 4 << 20, "")
        }
        if address.isWildcard, clinux_enable_packet_info(fd, address.family) != 0 {
            throw SystemError("learn local addresses on \(address)")
        }
        guard unsafe address.withSockaddr({ unsafe bind(fd, $0, $1) }) == 0 else {
            throw SystemError("bind UDP \(address)")
        }
        return descriptor
    }

    /// Sets an integer option.
    private static func set(
        _ fd: Int32, _ level: Int32, _ name: Int32, _ value: Int32, _ action: @autoclosure () -> String
    ) throws(SystemError) {
        var value = value
        let size = socklen_t(MemoryLayout<Int32>.size)
        guard unsafe setsockopt(fd, level, name, &value, size) == 0 else { throw SystemError(action()) }
    }

    /// Lets `write` fill a reply to the datagram at `source` of `received`; a length of 0 sends nothing.
    @inline(__always)
    mutating func reply(
        to received: borrowing DatagramBuffers, _ source: Int, _ write: (inout MutableSpan<UInt8>) -> Int
    ) {
        let length = replies.withMutablePayload(filled, write)
        guard length > 0 else { return }
        replies.address(filled, asReplyTo: received, source, length: length)
        filled += 1
        if filled == replies.count { flush() }
    }

    /// Lets `write` fill a reply to `sender`; a length of 0 sends nothing.
    mutating func reply(to sender: Sender, _ write: (inout MutableSpan<UInt8>) -> Int) {
        let length = replies.withMutablePayload(filled, write)
        guard length > 0 else { return }
        replies.address(filled, to: sender, length: length)
        filled += 1
        if filled == replies.count { flush() }
    }

    /// Sends what the batch holds.
    mutating func flush() {
        guard filled > 0 else { return }
        sendFailures += UInt64(replies.send(filled, to: descriptor.rawValue))
        filled = 0
    }
}
