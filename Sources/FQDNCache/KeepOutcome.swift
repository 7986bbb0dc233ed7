/// What became of a report of live connections.
public struct KeepOutcome: Hashable, Sendable {
    /// Addresses that were extended, counted for each name that has them.
    public var extended = 0
    /// Whether the feed took no event, which ended the report; what was extended until then stays so.
    public var refused = false

    /// Nothing was done.
    public init() {}
}
