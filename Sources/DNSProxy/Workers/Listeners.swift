import BasicContainers
import DNSWire

/// The ways by which one worker's replies leave: its own UDP sockets, and the connections of the stream listener.
struct Listeners: ~Copyable {
    /// The UDP sockets.
    var sockets: RigidArray<DatagramSocket>
    /// The connections.
    let streams: any StreamReplies
    /// Room for one reply over a connection.
    private var buffer = [UInt8](repeating: 0, count: 65_535)

    /// Replies by `sockets` and `streams`.
    init(sockets: consuming RigidArray<DatagramSocket>, streams: any StreamReplies) {
        self.sockets = sockets
        self.streams = streams
    }

    /// Lets `write` fill a reply to `sender`; a length of 0 sends nothing.
    mutating func reply(to sender: Sender, _ write: (inout MutableSpan<UInt8>) -> Int) {
        switch sender.path {
        case .datagram(let socket):
            sockets[socket].reply(to: sender, write)
        case .stream(let connection):
            var span = buffer.mutableSpan
            let length = write(&span)
            if length > 0 { streams.send([UInt8](buffer[..<length]), to: connection) }
        }
    }

    /// Where each of the sockets is bound.
    var addresses: [SocketAddress] {
        var addresses: [SocketAddress] = []
        for index in sockets.indices { addresses.append(sockets[index].address) }
        return addresses
    }

    /// The first of the sockets that are bound to `address`; nil when there is none.
    func index(of address: SocketAddress) -> Int? {
        for index in sockets.indices where sockets[index].address == address { return index }
        return nil
    }

    /// Sends what has been collected.
    mutating func flush() {
        for index in sockets.indices { sockets[index].flush() }
    }

    /// Whether somebody floods one of the sockets.
    var areFlooded: Bool {
        for index in sockets.indices where sockets[index].flood.isActive { return true }
        return false
    }

    /// Datagrams that the kernel has dropped in front of the sockets, and how often a client began to be thinned out, since
    /// the start.
    var floodCounts: (drops: UInt64, floods: UInt64) {
        var counts: (drops: UInt64, floods: UInt64) = (0, 0)
        for index in sockets.indices {
            counts.drops += sockets[index].flood.drops
            counts.floods += sockets[index].flood.floods
        }
        return counts
    }

    /// Replies that the kernel did not take, since the start.
    var sendFailures: UInt64 {
        var failures: UInt64 = 0
        for index in sockets.indices { failures += sockets[index].sendFailures }
        return failures
    }
}

/// Where replies go that leave by a connection.
protocol StreamReplies: Sendable {
    /// Sends `message` over `connection`, if that is still there; from any thread.
    func send(_ message: [UInt8], to connection: ConnectionID)
}
