/// An identity that is new, different, or gone.
public struct FeedIdentityChange: Hashable, Sendable {
    /// Its number.
    public var id: UInt64
    /// The last event that touched it.
    public var sequence: UInt64
    /// What it was; nil if it was not there.
    public var old: FeedIdentity?
    /// What it is; nil if it is gone.
    public var new: FeedIdentity?
}
