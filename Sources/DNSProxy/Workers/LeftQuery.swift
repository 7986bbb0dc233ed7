import CLinux
import DNSWire
import FQDNPolicy
import Glibc

/// A query that has no answer yet when its worker stops, for the process that takes over.
struct LeftQuery: Sendable, Equatable {
    /// Where the daemon was asked: the address that it listens at.
    let listener: SocketAddress
    /// The client.
    let client: SocketAddress
    /// Control data that makes the reply leave from the address that was asked; empty where that is the listener's.
    let control: [UInt8]
    /// The query: its header, the question bit for bit, and what of its OPT record bears on the answer.
    let message: [UInt8]

    /// The query that `waiter` waits for, by way of one of the sockets at `listeners`; nil for one that did not come as a
    /// datagram.
    init?(_ waiter: borrowing Waiter, at listeners: [SocketAddress]) {
        self.init(LeftQuery.message(waiter), of: waiter.origin, waiter.sender, at: listeners)
    }

    /// The query `message` of `origin`, to be answered by way of `sender`, whose socket is one of those at `listeners`; nil for
    /// one that did not come as a datagram.
    init?(_ message: [UInt8], of origin: QueryOrigin, _ sender: Sender, at listeners: [SocketAddress]) {
        guard case .datagram(let socket) = sender.path, listeners.indices.contains(socket) else { return nil }
        listener = listeners[socket]
        client = SocketAddress(
            origin.client, port: origin.port, scope: origin.client.isIPv4 ? 0 : sender.name.sin6_scope_id)
        control = (0..<sender.controlLength).map { sender.control[$0] }
        self.message = message
    }

    /// The query of `waiter`, built anew.
    private static func message(_ waiter: borrowing Waiter) -> [UInt8] {
        let query = waiter.query
        let header = Header(
            id: query.header.id, flags: query.header.flags, additionalCount: query.edns == nil ? 0 : 1)
        var message = [UInt8](repeating: 0, count: Header.length)
        var span = message.mutableSpan
        header.write(to: &span)
        for index in 0..<max(0, query.question.end - Header.length) { message.append(waiter.question[index]) }
        guard let edns = query.edns else { return message }
        // Root, OPT, payload size, extended code, version, flags (RFC 6891, section 6.1.2); then a client's cookie.
        message += [0, 0, 41] + LeftQuery.bytes(UInt16(truncatingIfNeeded: edns.payloadSize))
        message += [0, 0, edns.dnssecOK ? 0x80 : 0, 0]
        guard let cookie = edns.cookie else { return message + [0, 0] }
        return message + LeftQuery.bytes(UInt16(12)) + LeftQuery.bytes(EDNSOption.cookie) + LeftQuery.bytes(UInt16(8))
            + LeftQuery.bytes(cookie.client)
    }

    /// A number in network order.
    private static func bytes(_ value: some FixedWidthInteger) -> [UInt8] {
        unsafe withUnsafeBytes(of: value.bigEndian) { unsafe Array($0) }
    }
}

extension LeftQuery {
    /// Bytes of an address: its two halves, port and scope.
    private static let addressLength = 22

    /// The query as one process writes it to the other: both addresses, the length of the control data, that, the message.
    var bytes: [UInt8] {
        LeftQuery.bytes(listener) + LeftQuery.bytes(client) + [UInt8(truncatingIfNeeded: control.count)] + control
            + message
    }

    /// Reads a query that another process has written; nil when the bytes are none.
    init?(_ bytes: ArraySlice<UInt8>) {
        var rest = bytes
        guard let listener = LeftQuery.takeAddress(&rest), let client = LeftQuery.takeAddress(&rest),
            let controlLength = rest.popFirst(), controlLength <= CLINUX_CONTROL_SIZE, rest.count > controlLength
        else { return nil }
        self.listener = listener
        self.client = client
        control = Array(rest.prefix(Int(controlLength)))
        message = Array(rest.dropFirst(Int(controlLength)))
    }

    /// The way back to the client, by the listening socket with this index.
    func sender(socket: Int) -> Sender {
        var sender = Sender(socket: socket)
        unsafe client.withSockaddr { source, length in
            sender.nameLength = length
            unsafe withUnsafeMutableBytes(of: &sender.name) { name in
                unsafe name.copyMemory(from: UnsafeRawBufferPointer(start: source, count: Int(length)))
            }
        }
        for (index, byte) in control.enumerated() { sender.control[index] = byte }
        sender.controlLength = control.count
        return sender
    }

    /// An address as bytes.
    private static func bytes(_ address: SocketAddress) -> [UInt8] {
        bytes(address.address.high) + bytes(address.address.low) + bytes(address.port) + bytes(address.scope)
    }

    /// Takes an address off the front of `bytes`; nil when there is none.
    private static func takeAddress(_ bytes: inout ArraySlice<UInt8>) -> SocketAddress? {
        guard bytes.count >= addressLength else { return nil }
        /// The next number in network order.
        func take<Number: FixedWidthInteger & UnsignedInteger>(_: Number.Type) -> Number {
            let number = bytes.prefix(Number.bitWidth / 8).reduce(0) { $0 << 8 | Number($1) }
            bytes.removeFirst(Number.bitWidth / 8)
            return number
        }
        let address = IPAddress(high: take(UInt64.self), low: take(UInt64.self))
        return SocketAddress(address, port: take(UInt16.self), scope: take(UInt32.self))
    }
}
