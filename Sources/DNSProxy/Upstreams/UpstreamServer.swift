/// A server that questions are forwarded to.
public struct UpstreamServer: Hashable, Sendable, CustomStringConvertible {
    /// How it is spoken to.
    public enum Transport: String, Hashable, Sendable, CaseIterable {
        /// Datagrams, and a connection when an answer was truncated.
        case udp
        /// Connections only.
        case tcp
        /// Connections under TLS only (RFC 7858), to a server whose certificate proves its name.
        case tls
    }

    /// How it is spoken to.
    public var transport: Transport
    /// Where it listens.
    public var address: SocketAddress
    /// The name that its certificate must have (RFC 8310, section 8); nil for the address itself. Of `tls` only.
    public var name: String?
    /// File of the authorities that may have signed its certificate; nil for those of the system. Of `tls` only.
    public var caFile: String?

    /// A server at `address`.
    public init(
        _ address: SocketAddress, transport: Transport = .udp, name: String? = nil, caFile: String? = nil
    ) {
        self.address = address
        self.transport = transport
        self.name = name
        self.caFile = caFile
    }

    /// `192.0.2.1:53`, with `tcp://` or `tls://` in front of a server that is only spoken to over connections, and
    /// `#` with its name behind it.
    public var description: String {
        let scheme = transport == .udp ? "" : "\(transport.rawValue)://"
        return "\(scheme)\(address)\(name.map { "#\($0)" } ?? "")"
    }
}
