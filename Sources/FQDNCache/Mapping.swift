public import DNSWire

/// All that is known about one name for one identity, as an owned value for listings and the journal.
public struct Mapping: Hashable, Sendable {
    /// For whom.
    public var identity: UInt64
    /// The address that asked last, when something was published for it.
    public var client: IPAddress
    /// The name that was asked for.
    public var name: DomainName
    /// The targets of the aliases between the name and the addresses, in order.
    public var chain: [DomainName]
    /// The addresses, in no particular order.
    public var addresses: [MappedAddress]
    /// The rules that selected the name, by their handle.
    public var ruleSet: UInt32
    /// When something was last published for it.
    public var learnedAt: Moment

    /// Describes a mapping.
    public init(
        identity: UInt64, client: IPAddress, name: DomainName, chain: [DomainName] = [], addresses: [MappedAddress],
        ruleSet: UInt32, learnedAt: Moment
    ) {
        self.identity = identity
        self.client = client
        self.name = name
        self.chain = chain
        self.addresses = addresses
        self.ruleSet = ruleSet
        self.learnedAt = learnedAt
    }
}
