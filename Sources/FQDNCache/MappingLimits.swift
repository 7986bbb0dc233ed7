/// How much the mapping table holds, and so which mapping makes room for another.
public struct MappingLimits: Hashable, Sendable {
    /// Addresses of one name for one identity; those that expire first make room.
    public var addressesPerName: Int
    /// Names of one identity; of those in the new name's shard, the one whose last address expires first makes room.
    /// An identity without a name in that shard may exceed the limit by this one, so by a name a shard at most.
    public var namesPerIdentity: Int
    /// Names of all identities, divided evenly among the shards (at least one each); the one in the new name's shard
    /// whose last address expires first makes room.
    public var names: Int

    /// The limits; less than one counts as one.
    public init(addressesPerName: Int = 1_000, namesPerIdentity: Int = 50_000, names: Int = 1_000_000) {
        self.addressesPerName = min(max(addressesPerName, 1), 65_536)
        self.namesPerIdentity = max(namesPerIdentity, 1)
        self.names = max(names, 1)
    }
}
