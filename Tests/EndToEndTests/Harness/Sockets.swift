import Foundation

/// A socket descriptor with one owner.
final class Socket: @unchecked Sendable {
    /// The descriptor.
    let descriptor: Int32

    /// Takes over `descriptor`.
    init(_ descriptor: Int32) throws {
        guard descriptor >= 0 else { throw HarnessError("no socket: \(String(cString: strerror(errno)))") }
        self.descriptor = descriptor
    }

    deinit { close(descriptor) }

    /// Sets an option that is a number.
    func set(_ option: Int32, of level: Int32, to value: Int32) {
        var value = value
        setsockopt(descriptor, level, option, &value, socklen_t(MemoryLayout<Int32>.size))
    }

    /// Makes receiving fail after `limit`.
    func setTimeout(_ limit: Duration) {
        let parts = limit.components
        var value = timeval(tv_sec: Int(parts.seconds), tv_usec: Int(parts.attoseconds / 1_000_000_000_000))
        setsockopt(descriptor, SOL_SOCKET, SO_RCVTIMEO, &value, socklen_t(MemoryLayout<timeval>.size))
    }

    /// Sends all of `bytes`, or fails; a closed connection is no signal.
    @discardableResult
    func send(_ bytes: [UInt8]) -> Bool {
        var rest = bytes[...]
        while !rest.isEmpty {
            let count = rest.withUnsafeBytes { Glibc.send(descriptor, $0.baseAddress, $0.count, Int32(MSG_NOSIGNAL)) }
            guard count > 0 else { return false }
            rest = rest.dropFirst(count)
        }
        return true
    }

    /// Receives at most 64 KiB; nil at the end, after the timeout, or after an error.
    func receive() -> [UInt8]? {
        var bytes = [UInt8](repeating: 0, count: 65_536)
        let count = recv(descriptor, &bytes, bytes.count, 0)
        return count > 0 ? Array(bytes.prefix(count)) : nil
    }
}

/// An address and port of the Internet protocols.
struct Endpoint {
    /// The address as the kernel wants it.
    private var storage = sockaddr_storage()
    /// Bytes of it that count.
    private var length: socklen_t

    /// The endpoint of a numeric address.
    init(_ address: String, _ port: Int) {
        if address.contains(":") {
            length = socklen_t(MemoryLayout<sockaddr_in6>.size)
            var v6 = sockaddr_in6()
            v6.sin6_family = sa_family_t(AF_INET6)
            v6.sin6_port = UInt16(port).bigEndian
            inet_pton(AF_INET6, address, &v6.sin6_addr)
            withUnsafeMutableBytes(of: &storage) { $0.storeBytes(of: v6, as: sockaddr_in6.self) }
        } else {
            length = socklen_t(MemoryLayout<sockaddr_in>.size)
            var v4 = sockaddr_in()
            v4.sin_family = sa_family_t(AF_INET)
            v4.sin_port = UInt16(port).bigEndian
            inet_pton(AF_INET, address, &v4.sin_addr)
            withUnsafeMutableBytes(of: &storage) { $0.storeBytes(of: v4, as: sockaddr_in.self) }
        }
    }

    /// A fresh socket of the endpoint's family.
    func socket(_ type: __socket_type) throws -> Socket {
        try Socket(Glibc.socket(Int32(storage.ss_family), Int32(type.rawValue), 0))
    }

    /// Calls a kernel function with the address.
    func call(_ function: (UnsafePointer<sockaddr>, socklen_t) -> Int32) -> Bool {
        withUnsafePointer(to: storage) { pointer in
            pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) { function($0, length) == 0 }
        }
    }

    /// Binds `socket` here.
    func bind(_ socket: Socket) -> Bool { call { Glibc.bind(socket.descriptor, $0, $1) } }

    /// Connects `socket` to here.
    func connect(_ socket: Socket) -> Bool { call { Glibc.connect(socket.descriptor, $0, $1) } }
}

/// A socket connected to the Unix socket at `path`; nil when nobody listens there.
func connectUnix(_ path: String, type: __socket_type = SOCK_STREAM) throws -> Socket? {
    let socket = try Socket(Glibc.socket(AF_UNIX, Int32(type.rawValue), 0))
    return try withUnixAddress(path) { connect(socket.descriptor, $0, $1) == 0 } ? socket : nil
}

/// Makes a Unix socket at `path` of `socket`; false when the kernel refuses.
func bindUnix(_ socket: Socket, _ path: String) throws -> Bool {
    try withUnixAddress(path) { bind(socket.descriptor, $0, $1) == 0 }
}

/// Calls a kernel function with the address of the Unix socket at `path`.
private func withUnixAddress(_ path: String, _ body: (UnsafePointer<sockaddr>, socklen_t) -> Bool) throws -> Bool {
    var address = sockaddr_un()
    address.sun_family = sa_family_t(AF_UNIX)
    let fits = withUnsafeMutableBytes(of: &address.sun_path) { target in
        guard path.utf8.count < target.count else { return false }
        target.copyBytes(from: path.utf8)
        return true
    }
    guard fits else { throw HarnessError("\(path) is too long for a Unix socket") }
    return withUnsafePointer(to: address) { pointer in
        pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
            body($0, socklen_t(MemoryLayout<sockaddr_un>.size))
        }
    }
}

/// Ports that nobody else uses.
enum Ports {
    /// Whether this machine has an IPv6 loopback address.
    static let hasIPv6: Bool = {
        let endpoint = Endpoint("::1", 0)
        guard let socket = try? endpoint.socket(SOCK_DGRAM) else { return false }
        return endpoint.bind(socket)
    }()

    /// A port that is free for UDP and TCP on all addresses, by default below those that the kernel hands out by itself.
    static func free(in range: Range<Int> = 12_000..<32_000) throws -> Int {
        for _ in 0..<200 {
            let port = Int.random(in: range)
            if isFree(port) { return port }
        }
        throw HarnessError("no free port")
    }

    /// Whether a server could listen on `port`.
    private static func isFree(_ port: Int) -> Bool {
        for address in hasIPv6 ? ["0.0.0.0", "::"] : ["0.0.0.0"] {
            for type in [SOCK_DGRAM, SOCK_STREAM] {
                let endpoint = Endpoint(address, port)
                guard let socket = try? endpoint.socket(type) else { return false }
                // An IPv6 socket would take IPv4 as well, and collide with the one before.
                if address == "::" { socket.set(IPV6_V6ONLY, of: Int32(IPPROTO_IPV6), to: 1) }
                guard endpoint.bind(socket) else { return false }
            }
        }
        return true
    }
}
