/// What a batch of events changed in a `FeedState`.
public struct FeedChanges: Hashable, Sendable {
    /// Whether a snapshot ended in the batch; the differences are those to what was before it.
    public var isSnapshot: Bool
    /// The identities that are new, different, or gone.
    public var identities: [FeedIdentityChange]
    /// The addresses that opened, closed, or are open otherwise than before.
    public var openings: [FeedOpeningChange]
    /// What to acknowledge when the changes are in force; nil within a snapshot and when nothing was numbered.
    public var sequence: UInt64?
    /// Changes that were not taken, because a limit was reached.
    public var refused: [UInt64]

    /// Whether the packet filter has nothing to do.
    public var isEmpty: Bool { !isSnapshot && identities.isEmpty && openings.isEmpty }
}
