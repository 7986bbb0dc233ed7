public import DNSWire

/// One change of the mapping table, as the feed publishes it.
public struct MappingChange: Hashable, Sendable {
    /// What happens to the addresses.
    public enum Kind: Hashable, Sendable {
        /// They are new, live longer, or are now selected by other rules.
        case upsert
        /// They are gone.
        case delete(MappingRemovalReason)
    }

    /// What happens to the addresses.
    public let kind: Kind
    /// For whom.
    public let identity: UInt64
    /// The address that asked.
    public let client: IPAddress
    /// The name that was asked for.
    public let name: DomainName
    /// The targets of the aliases between the name and the addresses, in order.
    public let chain: [DomainName]
    /// The addresses concerned, and no others.
    public let addresses: [LearnedAddress]
    /// The rules that selected the name, by their handle.
    public let ruleSet: UInt32
}
