/// How much a `FeedState` keeps; what the daemon keeps at most by default, with room to spare.
public struct FeedStateLimits: Hashable, Sendable {
    /// Identities.
    public var identities = 100_000
    /// Names of all identities together.
    public var names = 2_000_000
    /// Addresses of one name for one identity, those that an event brings counted twice.
    public var addressesPerName = 131_072

    /// The default limits.
    public init() {}
}
