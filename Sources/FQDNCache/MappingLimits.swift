/// How much the mapping table holds, and so which mapping makes room for another.
///
/// Names are counted over all shards, but only a name of the new one's shard makes room. Where there is none to choose,
/// a limit of names may be exceeded by this one, so by a name a shard at most.
public struct MappingLimits: Hashable, Sendable {
    /// Addresses of one name for one identity. Those of the answer at hand stay if it fits; of the others those that
    /// expire first make room.
    public var addressesPerName: Int
    /// Names of one identity; the one whose last address expires first makes room.
    public var namesPerIdentity: Int
    /// Names of all identities; the one whose last address expires first makes room.
    public var names: Int

    /// The limits; less than one counts as one.
    public init(addressesPerName: Int = 1_000, namesPerIdentity: Int = 50_000, names: Int = 1_000_000) {
        self.addressesPerName = min(max(addressesPerName, 1), 65_536)
        self.namesPerIdentity = max(namesPerIdentity, 1)
        self.names = max(names, 1)
    }
}
