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
    /// - Throws: `SystemError` naming the address, also when a socket of a service manager is left over that no address
    ///   asks for.
    init(_ addresses: [SocketAddress], workers: Int, inherited: consuming InheritedSockets) throws(SystemError) {
        var inherited = inherited
        var streams = RigidArray<StreamSocket>(capacity: addresses.count)
        var kept: [[Int32]] = []
        for address in addresses {
            var descriptors = inherited.take(.stream, at: address)[...]
            if let descriptor = descriptors.popFirst() {
                streams.append(try StreamSocket(inherited: descriptor, at: address))
            } else {
                streams.append(try StreamSocket(listeningAt: address))
            }
            for descriptor in descriptors { close(descriptor) }
            kept.append(inherited.take(.datagram, at: address))
        }
        try inherited.finish()
        let most = kept.lazy.map(\.count).max() ?? 0
        var datagrams = RigidArray<RigidArray<DatagramSocket>>(capacity: workers)
        for worker in 0..<workers {
            var sockets = RigidArray<DatagramSocket>(capacity: addresses.count * (1 + most / workers))
            for (address, descriptors) in zip(addresses, kept) {
                if descriptors.isEmpty { sockets.append(try DatagramSocket(listeningAt: address)) }
                // One for each worker if there are as many; else workers share one, or have several.
                let isShared = descriptors.count < workers
                let own = stride(
                    from: isShared && !descriptors.isEmpty ? worker % descriptors.count : worker,
                    to: descriptors.count, by: workers)
                for index in own {
                    sockets.append(try DatagramSocket(copying: descriptors[index], at: address, isShared: isShared))
                }
            }
            datagrams.append(sockets)
        }
        for descriptor in kept.joined() { close(descriptor) }
        self.streams = streams
        self.datagrams = datagrams
    }

    /// Copies of all of them, which keep them open when these are closed.
    /// - Throws: `SystemError` when there are too many open files.
    func copies() throws(SystemError) -> [FileDescriptorBox] {
        var copies: [FileDescriptorBox] = []
        for worker in datagrams.indices {
            for socket in datagrams[worker].indices {
                copies.append(try FileDescriptorBox(copying: datagrams[worker][socket].descriptor.rawValue))
            }
        }
        for socket in streams.indices { copies.append(try FileDescriptorBox(copying: streams[socket].rawValue)) }
        return copies
    }
}
