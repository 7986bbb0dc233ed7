import CLinux
import Glibc

/// Who asked, and the way back: what has to be kept of a query that cannot be answered at once.
struct Sender: Sendable {
    /// The way back.
    enum Path: Sendable {
        /// A datagram, from the listening socket of that index.
        case datagram(socket: Int)
        /// A connection.
        case stream(ConnectionID)
    }

    /// The way back.
    var path: Path
    /// The client's address as the kernel gave it.
    var name = sockaddr_in6()
    /// Bytes of `name` that count.
    var nameLength: socklen_t = 0
    /// Control data that makes the reply leave from the address that was asked.
    var control = InlineArray<40, UInt8>(repeating: 0)
    /// Bytes of `control` that count.
    var controlLength = 0

    /// A client on a connection.
    init(connection: ConnectionID) {
        path = .stream(connection)
    }

    /// A client that sent a datagram to the listening socket `socket`.
    init(socket: Int) {
        path = .datagram(socket: socket)
    }
}
