public import DNSWire

/// An address that an identity may connect to.
public struct FeedOpening: Hashable, Sendable {
    /// Whose connections.
    public var identity: UInt64
    /// Where to.
    public var address: IPAddress
    /// The ports that the rules of all names that hold the address open.
    public var ports: PortSet
    /// When the last of those names lets go of it: UTC seconds since the epoch.
    public var expires: Double

    /// An opening.
    public init(identity: UInt64, address: IPAddress, ports: PortSet, expires: Double) {
        self.identity = identity
        self.address = address
        self.ports = ports
        self.expires = expires
    }
}
