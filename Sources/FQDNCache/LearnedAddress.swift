public import DNSWire

/// An address that a name was seen to have.
public struct LearnedAddress: Hashable, Sendable {
    /// The address.
    public var address: IPAddress
    /// The TTL of the answer, in seconds, for those who read the feed.
    public var ttl: UInt32
    /// When the mapping ends, grace included.
    public var expires: Moment
    /// Where it was seen.
    public var source: MappingSource

    /// Describes an address.
    @inlinable
    public init(address: IPAddress, ttl: UInt32, expires: Moment, source: MappingSource = .answer) {
        self.address = address
        self.ttl = ttl
        self.expires = expires
        self.source = source
    }
}
