public import DNSWire
public import MappingFeed

/// A mapping as a listing shows it: what a name turned into for one identity.
public struct AdminMapping: Sendable {
    /// The identity's number.
    public var identity: UInt64
    /// The identity's name as `namespace/name`; empty for one that is in no document any more.
    public var identityName: String
    /// The address that asked last.
    public var client: IPAddress
    /// The name that was asked.
    public var name: DomainName
    /// Its addresses.
    public var addresses: [Address]

    /// A mapping of `name` for `identity`.
    public init(
        identity: UInt64, identityName: String, client: IPAddress, name: DomainName, addresses: [Address]
    ) {
        self.identity = identity
        self.identityName = identityName
        self.client = client
        self.name = name
        self.addresses = addresses
    }

    /// One address of a mapping.
    public struct Address: Sendable {
        /// The address.
        public var ip: IPAddress
        /// The TTL that the client was given, in seconds.
        public var ttl: UInt32
        /// When an answer last carried it: UTC seconds since the epoch; nil when that is not known.
        public var lookedUp: Double?
        /// When it ends, grace included: UTC seconds since the epoch.
        public var expires: Double
        /// Where it comes from.
        public var source: MappingSource

        /// An address that is open until `expires`.
        public init(ip: IPAddress, ttl: UInt32, lookedUp: Double? = nil, expires: Double, source: MappingSource) {
            self.ip = ip
            self.ttl = ttl
            self.lookedUp = lookedUp
            self.expires = expires
            self.source = source
        }
    }
}
