import CLinux
import Glibc

/// Sockets that were open before this process was, and stay open when it ends: queries that arrive in between wait in
/// the kernel.
struct InheritedSockets {
    /// What a socket carries.
    enum Kind: String, Hashable, CaseIterable {
        /// Datagrams.
        case datagram = "UDP"
        /// Connections.
        case stream = "TCP"
    }

    /// A socket as messages call it.
    struct Name: Hashable, CustomStringConvertible {
        /// What it carries.
        let kind: Kind
        /// Where it is bound.
        let address: SocketAddress

        /// `UDP 127.0.0.1:53`.
        var description: String { "\(kind.rawValue) \(address)" }
    }

    /// Those that nobody has taken yet.
    private var descriptors: [Name: Int32] = [:]

    /// No sockets.
    init() {}

    /// The sockets that the service manager passed to the process `process`, by what it says in the environment
    /// (sd_listen_fds(3)); none where there is no such manager. They are made non-blocking and closed on exec.
    /// - Throws: `SystemError` for anything that is not a UDP socket or a listening TCP socket of one IP family.
    static func passed(
        environment: (String) -> String? = System.environment, process: Int32 = getpid(), first: Int32 = 3
    ) throws(SystemError) -> InheritedSockets {
        var sockets = InheritedSockets()
        guard let count = environment("LISTEN_FDS").flatMap(Int32.init), (1...1_024).contains(count),
            environment("LISTEN_PID").flatMap(Int32.init) == process
        else { return sockets }
        for descriptor in first..<(first + count) { try sockets.add(descriptor) }
        return sockets
    }

    /// Adds a socket, which belongs to whoever takes it.
    /// - Throws: `SystemError` for anything that is not a UDP socket or a TCP socket of one IP family.
    private mutating func add(_ descriptor: Int32) throws(SystemError) {
        let what = "use the socket that was handed over as descriptor \(descriptor)"
        let flags = fcntl(descriptor, F_GETFL)
        guard flags >= 0, fcntl(descriptor, F_SETFL, flags | O_NONBLOCK) == 0,
            fcntl(descriptor, F_SETFD, FD_CLOEXEC) == 0
        else { throw SystemError(what) }
        let kind: Kind
        switch SocketOption.get(descriptor, SOL_SOCKET, SO_TYPE) {
        case Int32(SOCK_DGRAM.rawValue): kind = .datagram
        case Int32(SOCK_STREAM.rawValue): kind = .stream
        default: throw SystemError("\(what), which is for neither UDP nor TCP", code: EINVAL)
        }
        guard let address = SocketAddress(boundBy: descriptor) else {
            throw SystemError("\(what), which is not bound to an IP address", code: EINVAL)
        }
        let name = Name(kind: kind, address: address)
        // IPv4 clients would come with addresses that no identity and no network has.
        if !address.address.isIPv4, SocketOption.get(descriptor, Int32(IPPROTO_IPV6), IPV6_V6ONLY) != 1 {
            throw SystemError("use \(name), which takes IPv4 too: set BindIPv6Only=ipv6-only in its unit", code: EINVAL)
        }
        guard descriptors.updateValue(descriptor, forKey: name) == nil else {
            throw SystemError("use \(name), which was handed over twice", code: EINVAL)
        }
    }

    /// Takes the socket of that kind at `address`, if there is one.
    mutating func take(_ kind: Kind, at address: SocketAddress) -> Int32? {
        descriptors.removeValue(forKey: Name(kind: kind, address: address))
    }

    /// One that nobody has taken.
    var first: Name? { descriptors.keys.min { $0.description < $1.description } }
}
