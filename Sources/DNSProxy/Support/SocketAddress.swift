import CLinux
public import DNSWire
import Glibc

/// An IP address, a port, and for link-local IPv6 addresses the interface: where a socket listens or sends.
public struct SocketAddress: Hashable, Sendable {
    /// The address; `0.0.0.0` and `::` mean every local one.
    public var address: IPAddress
    /// The port, 1 to 65535; 0 lets the kernel choose.
    public var port: UInt16
    /// Interface index of a link-local IPv6 address, else 0.
    public var scope: UInt32

    /// An address and a port.
    public init(_ address: IPAddress, port: UInt16, scope: UInt32 = 0) {
        self.address = address
        self.port = port
        self.scope = scope
    }

    /// Reads `192.0.2.1:53`, `[2001:db8::1]:53`, `[fe80::1%eth0]:53`, or an address alone, with `defaultPort`.
    /// Nil for everything else, a port of 0 included.
    public init?(_ text: String, defaultPort: UInt16) {
        var host = text[...]
        var portText: Substring?
        if text.hasPrefix("[") {
            guard let close = text.lastIndex(of: "]") else { return nil }
            host = text[text.index(after: text.startIndex)..<close]
            let rest = text[text.index(after: close)...]
            if !rest.isEmpty {
                guard rest.hasPrefix(":") else { return nil }
                portText = rest.dropFirst()
            }
        } else if text.count(where: { $0 == ":" }) == 1, let colon = text.firstIndex(of: ":") {
            host = text[..<colon]
            portText = text[text.index(after: colon)...]
        }
        var scope: UInt32 = 0
        if let percent = host.firstIndex(of: "%") {
            let interface = String(host[host.index(after: percent)...])
            scope = unsafe if_nametoindex(interface)
            guard scope != 0 else { return nil }
            host = host[..<percent]
        }
        guard let address = IPAddress(host) else { return nil }
        var port = defaultPort
        if let portText {
            guard portText.allSatisfy(\.isASCII), let value = UInt16(portText), value > 0 else { return nil }
            port = value
        }
        self.init(address, port: port, scope: scope)
    }

    /// Where the socket `descriptor` is bound; nil when that is no IP address.
    init?(boundBy descriptor: Int32) {
        var name = sockaddr_in6()
        var length = socklen_t(MemoryLayout<sockaddr_in6>.size)
        let code = unsafe withUnsafeMutablePointer(to: &name) {
            unsafe $0.withMemoryRebound(to: sockaddr.self, capacity: 1) { unsafe getsockname(descriptor, $0, &length) }
        }
        guard code == 0 else { return nil }
        switch Int32(name.sin6_family) {
        case AF_INET: address = IPAddress(ipv4: UInt32(bigEndian: name.sin6_flowinfo))
        case AF_INET6:
            let bytes = unsafe withUnsafeBytes(of: name.sin6_addr) { unsafe Array($0) }
            let halves = [0, 8].map { start in bytes[start..<start + 8].reduce(0) { $0 << 8 | UInt64($1) } }
            address = IPAddress(high: halves[0], low: halves[1])
        default: return nil
        }
        port = UInt16(bigEndian: name.sin6_port)
        scope = name.sin6_family == sa_family_t(AF_INET6) ? name.sin6_scope_id : 0
    }

    /// `AF_INET` or `AF_INET6`.
    var family: Int32 { address.isIPv4 ? AF_INET : AF_INET6 }

    /// Whether this stands for every local address.
    var isWildcard: Bool { address == IPAddress(ipv4: 0) || (address.high == 0 && address.low == 0) }

    /// Calls `body` with the address as the kernel wants it.
    func withSockaddr<R>(_ body: (UnsafePointer<sockaddr>, socklen_t) -> R) -> R {
        if address.isIPv4 {
            var raw = sockaddr_in()
            raw.sin_family = sa_family_t(AF_INET)
            raw.sin_port = port.bigEndian
            raw.sin_addr.s_addr = address.ipv4.bigEndian
            return unsafe withUnsafePointer(to: &raw) {
                unsafe $0.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                    unsafe body($0, socklen_t(MemoryLayout<sockaddr_in>.size))
                }
            }
        }
        var raw = sockaddr_in6()
        raw.sin6_family = sa_family_t(AF_INET6)
        raw.sin6_port = port.bigEndian
        raw.sin6_scope_id = scope
        unsafe withUnsafeMutableBytes(of: &raw.sin6_addr) { bytes in
            for index in 0..<16 { unsafe bytes[index] = address.byte(index) }
        }
        return unsafe withUnsafePointer(to: &raw) {
            unsafe $0.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                unsafe body($0, socklen_t(MemoryLayout<sockaddr_in6>.size))
            }
        }
    }
}

extension SocketAddress: CustomStringConvertible {
    /// `192.0.2.1:53` or `[2001:db8::1]:53`.
    public var description: String { address.isIPv4 ? "\(address):\(port)" : "[\(address)]:\(port)" }
}
