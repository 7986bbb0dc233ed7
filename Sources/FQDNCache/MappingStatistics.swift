/// What the mapping table holds.
public struct MappingStatistics: Hashable, Sendable {
    /// Identities with at least one name.
    public var identities = 0
    /// Pairs of identity and name.
    public var names = 0
    /// Addresses of all names.
    public var addresses = 0
    /// Names that a limit has removed since the start.
    public var evictedNames: UInt64 = 0
    /// Addresses that the limit for each name has removed or kept out since the start.
    public var evictedAddresses: UInt64 = 0

    /// An empty table.
    public init() {}
}
