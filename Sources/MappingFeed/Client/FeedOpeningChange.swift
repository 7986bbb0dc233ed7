public import DNSWire

/// An address that opened, closed, or is open otherwise than before.
public struct FeedOpeningChange: Hashable, Sendable {
    /// The last event that touched it.
    public var sequence: UInt64
    /// The name that the last event was about; nil when that was the end of the identity, or a snapshot.
    public var name: DomainName?
    /// What was open; nil for nothing.
    public var old: FeedOpening?
    /// What is open; nil for nothing.
    public var new: FeedOpening?

    /// A change from `old` to `new`.
    public init(sequence: UInt64, name: DomainName?, old: FeedOpening?, new: FeedOpening?) {
        self.sequence = sequence
        self.name = name
        self.old = old
        self.new = new
    }

    /// What happened.
    public var kind: Kind {
        guard let old else { return .added }
        guard let new else { return .removed }
        return old.ports == new.ports && new.expires > old.expires ? .extended : .changed
    }

    /// What can happen to an opening.
    public enum Kind: Hashable, Sendable {
        /// It was not there.
        case added
        /// The same ports, for longer.
        case extended
        /// Other ports, or for less long.
        case changed
        /// It is gone.
        case removed
    }
}
