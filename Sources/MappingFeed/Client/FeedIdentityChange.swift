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

    /// A change from `old` to `new`.
    public init(id: UInt64, sequence: UInt64, old: FeedIdentity?, new: FeedIdentity?) {
        self.id = id
        self.sequence = sequence
        self.old = old
        self.new = new
    }
}
