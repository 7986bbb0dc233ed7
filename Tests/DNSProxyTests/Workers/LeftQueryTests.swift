import DNSWire
import FQDNCache
import Testing

@testable import DNSProxy

@Suite struct LeftQueryTests {
    /// A query that came to `listener` from `client`, with the address that it came to.
    private func query(_ client: String, at listener: String) throws -> LeftQuery {
        let client = try #require(SocketAddress(client, defaultPort: 53))
        let listener = try #require(SocketAddress(listener, defaultPort: 53))
        var sender = Sender(socket: 1)
        sender.controlLength = 28
        for index in 0..<28 { sender.control[index] = UInt8(index) }
        let origin = QueryOrigin(
            client: client.address, port: client.port, transport: .udp, arrived: Moment(nanoseconds: 0))
        return try #require(LeftQuery([1, 2, 3], of: origin, sender, at: [client, listener]))
    }

    @Test(arguments: [("192.0.2.1:4711", "192.0.2.2:53"), ("[2001:db8::1]:4711", "[::]:53")])
    func `what one process writes the other one reads`(client: String, listener: String) throws {
        let query = try query(client, at: listener)
        let read = try #require(LeftQuery(query.bytes[...]))
        #expect(read == query)
        #expect("\(read.client)" == client && "\(read.listener)" == listener)
        #expect(read.sender(socket: 0).controlLength == 28 && read.message == [1, 2, 3])
    }

    @Test func `bytes that are cut short or promise too much are no query`() throws {
        let bytes = try query("192.0.2.1:4711", at: "192.0.2.2:53").bytes
        for length in 0..<(bytes.count - 2) { #expect(LeftQuery(bytes.prefix(length)) == nil, "\(length)") }
        var long = bytes
        long[44] = 41
        #expect(LeftQuery(long[...] + [UInt8](repeating: 0, count: 100)) == nil)
    }
}
