/// What a removal from the mapping table did.
public struct RemovalOutcome: Hashable, Sendable {
    /// Names that were removed.
    public var removed = 0
    /// Whether the feed took no event, which ended the removal; what is left can be removed by trying again.
    public var refused = false

    /// Nothing was done.
    public init() {}
}
