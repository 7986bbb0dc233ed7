import BasicContainers
import Glibc

/// Every socket that the daemon answers at: those that the service manager keeps open, and its own for the rest.
///
/// All are bound before anything is promised. TCP comes first: UDP ports are shared among workers (`SO_REUSEPORT`), so a
/// second daemon would take queries away from the first until something else stopped it.
struct ListeningSockets: ~Copyable {
    /// The UDP sockets of each worker, in the order of the addresses; each worker has as many, at the same addresses.
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
        // As many for each worker, in the same order, because workers answer for each other; so some may be shared.
        let counts = kept.map { ($0.count + workers - 1) / workers }
        var datagrams = RigidArray<RigidArray<DatagramSocket>>(capacity: workers)
        for worker in 0..<workers {
            var sockets = RigidArray<DatagramSocket>(capacity: counts.reduce(0) { $0 + max($1, 1) })
            for (number, address) in addresses.enumerated() {
                let descriptors = kept[number]
                if descriptors.isEmpty { sockets.append(try DatagramSocket(listeningAt: address)) }
                for place in 0..<counts[number] {
                    let index = (worker + place * workers) % descriptors.count
                    sockets.append(
                        try DatagramSocket(
                            copying: descriptors[index], at: address, isShared: descriptors.count % workers != 0))
                }
            }
            datagrams.append(sockets)
        }
        for descriptor in kept.joined() { close(descriptor) }
        self.streams = streams
        self.datagrams = datagrams
    }

    /// Where the UDP sockets of each worker are bound.
    var addresses: [SocketAddress] {
        var addresses: [SocketAddress] = []
        guard !datagrams.isEmpty else { return addresses }
        for socket in datagrams[0].indices { addresses.append(datagrams[0][socket].address) }
        return addresses
    }

    /// Copies of all of them, which keep them open when these are closed; one of each, also of those that workers share.
    /// - Throws: `SystemError` when there are too many open files.
    func copies() throws(SystemError) -> [FileDescriptorBox] {
        var descriptors: [Int32] = []
        for worker in datagrams.indices {
            for socket in datagrams[worker].indices {
                descriptors.append(datagrams[worker][socket].descriptor.rawValue)
            }
        }
        for socket in streams.indices { descriptors.append(streams[socket].rawValue) }
        var seen: Set<ino_t> = []
        var copies: [FileDescriptorBox] = []
        for descriptor in descriptors {
            var status = stat()
            // A socket has a number of its own, whatever the descriptors that lead to it.
            guard unsafe fstat(descriptor, &status) == 0, seen.insert(status.st_ino).inserted else { continue }
            copies.append(try FileDescriptorBox(copying: descriptor))
        }
        return copies
    }
}
