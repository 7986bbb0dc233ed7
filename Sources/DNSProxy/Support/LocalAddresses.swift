import DNSWire
import Glibc

/// The addresses of this host's interfaces.
enum LocalAddresses {
    /// All of them, as they are now; none when the kernel does not say.
    static func current() -> Set<IPAddress> {
        var list: UnsafeMutablePointer<ifaddrs>?
        guard unsafe getifaddrs(&list) == 0 else { return [] }
        defer { unsafe freeifaddrs(list) }
        var addresses: Set<IPAddress> = []
        var next = unsafe list
        while let entry = unsafe next {
            if let name = unsafe entry.pointee.ifa_addr, let address = unsafe IPAddress(name) {
                addresses.insert(address)
            }
            unsafe next = entry.pointee.ifa_next
        }
        return addresses
    }
}

extension IPAddress {
    /// The address in a socket's name; nil when that is of another family.
    fileprivate init?(_ name: UnsafeMutablePointer<sockaddr>) {
        switch Int32(unsafe name.pointee.sa_family) {
        case AF_INET:
            self = unsafe name.withMemoryRebound(to: sockaddr_in.self, capacity: 1) {
                IPAddress(ipv4: UInt32(bigEndian: unsafe $0.pointee.sin_addr.s_addr))
            }
        case AF_INET6:
            let words = unsafe name.withMemoryRebound(to: sockaddr_in6.self, capacity: 1) {
                unsafe $0.pointee.sin6_addr.__in6_u.__u6_addr32
            }
            self.init(
                high: UInt64(UInt32(bigEndian: words.0)) << 32 | UInt64(UInt32(bigEndian: words.1)),
                low: UInt64(UInt32(bigEndian: words.2)) << 32 | UInt64(UInt32(bigEndian: words.3)))
        default:
            return nil
        }
    }
}

extension [SocketAddress] {
    /// Whether one of these is where a datagram to `target` arrives, when the host has the addresses `local`: the very
    /// address, or a wildcard with its port.
    func take(_ target: SocketAddress, local: Set<IPAddress>) -> Bool {
        contains { listener in
            guard listener.port == target.port else { return false }
            return listener.address == target.address
                || listener.isWildcard && listener.address.isIPv4 == target.address.isIPv4
                    && (target.address.isLoopback || local.contains(target.address))
        }
    }
}
