import CLinux
import Glibc

/// One listening TCP socket.
struct StreamSocket: ~Copyable {
    /// The kernel's handle.
    private let descriptor: FileDescriptor
    /// Where it listens.
    let address: SocketAddress

    /// Connections that may wait to be taken.
    static let backlog: Int32 = 1_024

    /// Listens at `address`.
    /// - Throws: `SystemError` naming the address.
    init(listeningAt address: SocketAddress) throws(SystemError) {
        let type = Int32(SOCK_STREAM.rawValue | SOCK_NONBLOCK.rawValue | SOCK_CLOEXEC.rawValue)
        let descriptor = try FileDescriptor(socket(address.family, type, 0), "open a TCP socket for \(address)")
        let fd = descriptor.rawValue
        try SocketOption.set(fd, SOL_SOCKET, SO_REUSEADDR, 1, "use TCP \(address)")
        if !address.address.isIPv4 { try SocketOption.set(fd, Int32(IPPROTO_IPV6), IPV6_V6ONLY, 1, "use \(address)") }
        // Two sockets may be bound to one address while neither listens, so this one does from the start.
        guard unsafe address.withSockaddr({ unsafe bind(fd, $0, $1) }) == 0, listen(fd, StreamSocket.backlog) == 0
        else {
            throw SystemError("bind TCP \(address)")
        }
        self.descriptor = descriptor
        self.address = address
    }

    /// Takes over the socket `descriptor`, which is bound to `address`.
    /// - Throws: `SystemError` when it cannot listen.
    init(inherited descriptor: Int32, at address: SocketAddress) throws(SystemError) {
        guard listen(descriptor, StreamSocket.backlog) == 0 else { throw SystemError("listen on TCP \(address)") }
        self.descriptor = try FileDescriptor(descriptor, "use TCP \(address)")
        self.address = address
    }

    /// The kernel's handle.
    var rawValue: Int32 { descriptor.rawValue }

    /// Gives the kernel's handle away.
    consuming func release() -> Int32 { descriptor.release() }
}
