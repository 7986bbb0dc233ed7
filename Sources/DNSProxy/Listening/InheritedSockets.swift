import CLinux
import Glibc

/// Sockets that were open before this process was, a service manager's or those of the daemon that it takes over from:
/// queries that arrive in between wait in the kernel.
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
    private var descriptors: [Name: [Int32]] = [:]
    /// Whether they are of use to nobody else, so that those which nobody takes are closed.
    private let isOwner: Bool

    /// No sockets.
    private init(isOwner: Bool) { self.isOwner = isOwner }

    /// Copies of the sockets of another daemon.
    /// - Throws: `SystemError` when one cannot be copied, or is not one that a daemon has.
    init(copying sockets: [FileDescriptorBox]) throws(SystemError) {
        self.init(isOwner: true)
        for socket in sockets {
            try add(FileDescriptor(fcntl(socket.rawValue, F_DUPFD_CLOEXEC, 0), "copy a socket").release())
        }
    }

    /// The sockets that the service manager passed to the process `process`, by what it says in the environment
    /// (sd_listen_fds(3)); none where there is no such manager. They are made non-blocking and closed on exec.
    /// - Throws: `SystemError` for anything that is not a UDP socket or a listening TCP socket of one IP family.
    static func passed(
        environment: (String) -> String? = System.environment, process: Int32 = getpid(), first: Int32 = 3
    ) throws(SystemError) -> InheritedSockets {
        var sockets = InheritedSockets(isOwner: false)
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
        descriptors[name, default: []].append(descriptor)
    }

    /// Takes the sockets of that kind at `address`.
    mutating func take(_ kind: Kind, at address: SocketAddress) -> [Int32] {
        descriptors.removeValue(forKey: Name(kind: kind, address: address)) ?? []
    }

    /// One that nobody has taken.
    var first: Name? { descriptors.keys.min { $0.description < $1.description } }

    /// Sees to those that nobody has taken.
    /// - Throws: `SystemError` when they are a service manager's, which has been told to keep them open for something.
    consuming func finish() throws(SystemError) {
        if isOwner {
            for descriptor in descriptors.values.joined() { close(descriptor) }
        } else if let name = first {
            throw SystemError(
                "use the socket for \(name) that was handed over, which `listen` does not name", code: EINVAL)
        }
    }
}
