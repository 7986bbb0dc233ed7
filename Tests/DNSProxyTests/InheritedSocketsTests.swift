import DNSWire
import Glibc
import Testing

@testable import DNSProxy

/// Sockets of a service manager: which are taken, and what is said of the others.
@Suite struct InheritedSocketsTests {
    /// What a manager passes to this process: the socket `descriptor` alone.
    private func passed(_ descriptor: Int32, to process: Int32 = getpid()) throws(SystemError) -> InheritedSockets {
        let variables = ["LISTEN_FDS": "1", "LISTEN_PID": "\(process)"]
        return try InheritedSockets.passed(environment: { variables[$0] }, process: getpid(), first: descriptor)
    }

    /// A socket that is bound to an address of which the kernel chooses the port.
    private func bound(_ type: __socket_type, to address: String) throws -> FileDescriptor {
        let address = SocketAddress(try #require(IPAddress(address)), port: 0)
        let descriptor = try FileDescriptor(socket(address.family, Int32(type.rawValue), 0), "open a socket")
        try #require(unsafe address.withSockaddr { unsafe bind(descriptor.rawValue, $0, $1) } == 0)
        return descriptor
    }

    @Test func `a socket is found by its kind and address, once`() throws {
        let socket = try bound(SOCK_DGRAM, to: "127.0.0.1")
        let address = try #require(SocketAddress(boundBy: socket.rawValue))
        var sockets = try passed(socket.rawValue)
        #expect(address.port > 0 && address.address == IPAddress("127.0.0.1"))
        #expect(sockets.first?.description == "UDP \(address)")
        #expect(sockets.take(.stream, at: address) == [])
        #expect(sockets.take(.datagram, at: address) == [socket.rawValue])
        #expect(sockets.take(.datagram, at: address) == [] && sockets.first == nil)
        #expect(fcntl(socket.rawValue, F_GETFL) & O_NONBLOCK != 0 && fcntl(socket.rawValue, F_GETFD) == FD_CLOEXEC)
    }

    @Test func `sockets for another process are left alone`() throws {
        let socket = try bound(SOCK_DGRAM, to: "127.0.0.1")
        #expect(try passed(socket.rawValue, to: 1).first == nil)
    }

    @Test func `what is no UDP or TCP socket of one family is refused by name`() throws {
        let unix = try FileDescriptor(socket(AF_UNIX, Int32(SOCK_STREAM.rawValue), 0), "open a socket")
        #expect(refusal(unix.rawValue)?.contains("not bound to an IP address") == true)
        #expect(refusal(100_000)?.contains("descriptor 100000") == true)
        // Takes both families, as long as nobody asks for another; a machine without IPv6 has no such socket.
        guard let both = try? bound(SOCK_DGRAM, to: "::") else { return }
        #expect(refusal(both.rawValue)?.contains("BindIPv6Only=ipv6-only") == true)
    }

    /// Why a socket is refused.
    private func refusal(_ descriptor: Int32) -> String? {
        do {
            _ = try passed(descriptor)
            return nil
        } catch {
            return error.description
        }
    }
}
