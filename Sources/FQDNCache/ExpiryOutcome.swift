/// What one round of expiry did.
public struct ExpiryOutcome: Hashable, Sendable {
    /// Addresses that expired.
    public var expired = 0
    /// When there may be work again; nil if the table has nothing that can expire.
    public var next: Moment?
    /// Whether the feed took no event, which ended the round: `next` is then in the past, and trying can wait.
    public var refused = false

    /// Nothing was done, and nothing is due.
    public init() {}
}
