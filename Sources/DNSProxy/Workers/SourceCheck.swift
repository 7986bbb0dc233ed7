import DNSWire
import FQDNCache

/// Which sources of datagrams cannot be clients. The rest of the question whose queries are taken is `allowQueriesFrom`.
///
/// A query from one of our own listeners is a loop: a message was sent in our name, by a forger or another proxy, so that
/// our reply becomes our next query.
struct SourceCheck {
    /// Where the daemon listens.
    private let listeners: [SocketAddress]
    /// Bit n is set when a listener has a port that is n modulo 64.
    private let ports: UInt64
    /// Whether `allowQueriesFrom` has addresses that are no host's.
    private let allowsImpossible: Bool
    /// The addresses of this host.
    private var local: Set<IPAddress> = []
    /// When they were looked up; nil before the first time.
    private var lookedUp: Moment?

    /// Seconds for which the addresses of the host are remembered.
    private static let memory: Int64 = 1

    /// The check of a daemon that listens at `listeners` and takes queries from `networks`.
    init(listeners: [SocketAddress], networks: [IPPrefix]) {
        self.listeners = listeners
        ports = listeners.reduce(0) { $0 | 1 << UInt64($1.port & 63) }
        let impossible = ["0.0.0.0", "224.0.0.1", "255.255.255.255", "::", "ff02::1"].compactMap { IPAddress($0) }
        allowsImpossible = networks.contains { network in impossible.contains { network.contains($0) } }
    }

    /// Whether a datagram from `address` and `port`, which `allowQueriesFrom` has, needs a closer look.
    @inline(__always)
    func isDoubtful(_ address: IPAddress, port: UInt16) -> Bool {
        ports >> UInt64(port & 63) & 1 != 0 || allowsImpossible && address.isNoHost
    }

    /// Why a datagram from `address` and `port` is dropped; nil when it is not.
    @inline(never)
    mutating func reason(_ address: IPAddress, port: UInt16, isAllowed: Bool, now: Moment) -> DropReason? {
        if port == 0 { return .noPort }
        if address.isNoHost { return .noHost }
        let source = SocketAddress(address, port: port)
        if listeners.contains(where: { $0.port == port }), listeners.take(source, local: localAddresses(now)) {
            return .ownListener
        }
        return isAllowed ? nil : .notAllowed
    }

    /// The addresses of this host, looked up again from time to time.
    private mutating func localAddresses(_ now: Moment) -> Set<IPAddress> {
        guard listeners.contains(where: \.isWildcard) else { return [] }
        if lookedUp.map({ now < $0.adding(seconds: SourceCheck.memory) }) != true {
            local = LocalAddresses.current()
            lookedUp = now
        }
        return local
    }
}

extension IPAddress {
    /// Whether no host has it as its own: multicast, broadcast and unspecified addresses (RFC 1122, section 3.2.1.3;
    /// RFC 4291, sections 2.5.2 and 2.7).
    @inline(__always)
    fileprivate var isNoHost: Bool { isMulticast || isUnspecified }
}
