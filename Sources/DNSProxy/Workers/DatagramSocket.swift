import CLinux
import DNSWire
import FQDNCache
import Glibc

/// One listening UDP socket of one worker, with the batch of replies that leave by it.
struct DatagramSocket: ~Copyable {
    /// The kernel's handle.
    let descriptor: FileDescriptor
    /// Where it listens.
    let address: SocketAddress
    /// Whether other workers receive from the same socket.
    let isShared: Bool
    /// Whether the local address of each datagram has to be kept for the reply.
    let wantsLocalAddress: Bool
    /// The replies of this turn.
    private let replies: DatagramBuffers
    /// How many of them are filled.
    private var filled = 0
    /// Replies that the kernel did not take, since the start.
    private(set) var sendFailures: UInt64 = 0
    /// Who floods it.
    var flood: FloodFilter

    /// Replies of one batch.
    private static let batch = 64
    /// Bytes that the kernel may keep of datagrams that nobody has received yet, its own bookkeeping included; it takes twice as
    /// many: some 30,000 queries at least, which is what comes in 0.6 s at 50,000 a second. A quarter of them may have been
    /// received already, because the kernel gives back what it has counted in lots.
    private static let receiveBuffer: Int32 = 16 << 20

    /// Listens at `address`, beside the sockets of other workers (`SO_REUSEPORT`): the kernel deals datagrams out among
    /// them.
    /// - Throws: `SystemError` naming the address.
    init(listeningAt address: SocketAddress) throws(SystemError) {
        self.init(try DatagramSocket.open(address), at: address, isShared: false, flood: FloodFilter())
    }

    /// Listens at `address` by a copy of the socket `descriptor`, which other workers use too if it `isShared`.
    /// - Throws: `SystemError` naming the address.
    init(copying descriptor: Int32, at address: SocketAddress, isShared: Bool) throws(SystemError) {
        try DatagramSocket.prepare(descriptor, at: address)
        let own = try FileDescriptor(fcntl(descriptor, F_DUPFD_CLOEXEC, 0), "use UDP \(address)")
        self.init(own, at: address, isShared: isShared, flood: FloodFilter(mayHaveWaited: true))
    }

    /// The socket `descriptor`, which is bound to `address`.
    private init(_ descriptor: consuming FileDescriptor, at address: SocketAddress, isShared: Bool, flood: FloodFilter)
    {
        self.descriptor = descriptor
        self.address = address
        self.isShared = isShared
        wantsLocalAddress = address.isWildcard
        self.flood = flood
        replies = DatagramBuffers(count: DatagramSocket.batch, payloadSize: EDNS.ownPayloadSize)
    }

    /// Opens and binds a socket.
    private static func open(_ address: SocketAddress) throws(SystemError) -> FileDescriptor {
        let type = Int32(SOCK_DGRAM.rawValue | SOCK_NONBLOCK.rawValue | SOCK_CLOEXEC.rawValue)
        let descriptor = try FileDescriptor(socket(address.family, type, 0), "open a UDP socket for \(address)")
        let fd = descriptor.rawValue
        try SocketOption.set(fd, SOL_SOCKET, SO_REUSEPORT, 1, "share UDP \(address)")
        if !address.address.isIPv4 { try SocketOption.set(fd, Int32(IPPROTO_IPV6), IPV6_V6ONLY, 1, "use \(address)") }
        try prepare(fd, at: address)
        guard unsafe address.withSockaddr({ unsafe bind(fd, $0, $1) }) == 0 else {
            throw SystemError("bind UDP \(address)")
        }
        return descriptor
    }

    /// Sets what every listening socket needs.
    private static func prepare(_ descriptor: Int32, at address: SocketAddress) throws(SystemError) {
        // A bigger receive buffer rides out bursts, and never a smaller one than somebody has seen to. Without
        // CAP_NET_ADMIN the kernel caps it at net.core.rmem_max. What it reports is twice what was asked for.
        let current = SocketOption.get(descriptor, SOL_SOCKET, SO_RCVBUF) ?? 0
        for option in [SO_RCVBUFFORCE, SO_RCVBUF] where current < 2 * receiveBuffer {
            if (try? SocketOption.set(descriptor, SOL_SOCKET, option, receiveBuffer, "")) != nil { break }
        }
        // What a process that had the socket before has left.
        FloodFilter.detach(descriptor)
        if address.isWildcard, clinux_enable_packet_info(descriptor, address.family) != 0 {
            throw SystemError("learn local addresses on \(address)")
        }
    }

    /// Looks after floods, when `received` is a batch that has come, and was full, or when somebody floods already.
    mutating func watchFlood(_ received: borrowing DatagramBuffers, isFull: Bool, now: Moment) {
        if isFull { flood.note(received) }
        guard flood.isDue(now), let backlog = FloodFilter.backlog(of: descriptor.rawValue),
            flood.decide(backlog, now: now)
        else { return }
        flood.apply(to: descriptor.rawValue, isIPv4: address.address.isIPv4)
    }

    /// Lets everything pass again: the socket goes to a process that knows nothing of this flood.
    mutating func endFlood() {
        guard flood.isActive else { return }
        FloodFilter.detach(descriptor.rawValue)
        flood = FloodFilter()
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
