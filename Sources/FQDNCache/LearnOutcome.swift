/// What became of the addresses of an answer.
public struct LearnOutcome: Hashable, Sendable {
    /// The highest sequence number among the events that published these addresses: once it is acknowledged, all are in
    /// force. 0 if there were none.
    public var sequence: UInt64
    /// Whether something new was published.
    public var changed: Bool
    /// Whether the feed took no event; nothing was learned then, though a mapping may already have made room.
    public var refused: Bool
    /// Addresses that the limit of addresses per name kept out; only an answer with more of them than that has any.
    public var leftOut: Int

    /// Puts an outcome together.
    @inlinable
    public init(sequence: UInt64 = 0, changed: Bool = false, refused: Bool = false, leftOut: Int = 0) {
        self.sequence = sequence
        self.changed = changed
        self.refused = refused
        self.leftOut = leftOut
    }
}
