import BasicContainers
import Glibc

/// Every socket that the daemon answers at: those that the service manager keeps open, and its own for the rest.
///
/// All are bound before anything is promised. TCP comes first: UDP ports are shared among workers (`SO_REUSEPORT`), so a
/// second daemon would take queries away from the first until something else stopped it.
struct ListeningSockets: ~Copyable {
    /// The UDP sockets of each worker, in the order of the addresses.
    var datagrams: RigidArray<RigidArray<DatagramSocket>>
    /// The TCP sockets, in the order of the addresses.
    var streams: RigidArray<StreamSocket>

    /// Sockets at `addresses` for so many workers; those that are `inherited` are used instead of new ones.
    /// - Throws: `SystemError` naming the address, also when a socket is left over that no address asks for.
    init(_ addresses: [SocketAddress], workers: Int, inherited: consuming InheritedSockets) throws(SystemError) {
        var inherited = inherited
        var streams = RigidArray<StreamSocket>(capacity: addresses.count)
        var kept: [SocketAddress: Int32] = [:]
        for address in addresses {
            if let descriptor = inherited.take(.stream, at: address) {
                streams.append(try StreamSocket(inherited: descriptor, at: address))
            } else {
                streams.append(try StreamSocket(listeningAt: address))
            }
            kept[address] = inherited.take(.datagram, at: address)
        }
        if let socket = inherited.first {
            throw SystemError(
                "use the socket for \(socket) that was handed over, which `listen` does not name", code: EINVAL)
        }
        var datagrams = RigidArray<RigidArray<DatagramSocket>>(capacity: workers)
        for _ in 0..<workers {
            var sockets = RigidArray<DatagramSocket>(capacity: addresses.count)
            for address in addresses {
                if let descriptor = kept[address] {
                    sockets.append(try DatagramSocket(sharing: descriptor, at: address))
                } else {
                    sockets.append(try DatagramSocket(listeningAt: address))
                }
            }
            datagrams.append(sockets)
        }
        for descriptor in kept.values { close(descriptor) }
        self.streams = streams
        self.datagrams = datagrams
    }
}
