public import DNSWire

/// Addresses that are no longer open for one identity under one name.
public struct MappingDelete: Hashable, Sendable {
    /// Position in the feed; the hub assigns it.
    public var sequence: UInt64
    /// Whose connections are to be stopped.
    public var identity: UInt64
    /// The name that they were learned under.
    public var name: DomainName
    /// What is to be closed, unless another name still holds it open.
    public var addresses: [IPAddress]
    /// Why.
    public var reason: DeleteReason

    /// A removal that has not been published yet.
    public init(
        sequence: UInt64 = 0, identity: UInt64, name: DomainName, addresses: [IPAddress], reason: DeleteReason
    ) {
        self.sequence = sequence
        self.identity = identity
        self.name = name
        self.addresses = addresses
        self.reason = reason
    }
}

/// Why a mapping ended.
public enum DeleteReason: String, Hashable, Sendable, CaseIterable {
    /// TTL and grace are over.
    case expired
    /// Another answer took its place.
    case replaced
    /// A limit of the mapping table was reached.
    case limit
    /// No policy selects it any more.
    case policy
    /// An operator removed it.
    case flushed
}
