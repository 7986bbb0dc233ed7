/// What is told about an answer when it is stored.
public struct StoredAnswer: Hashable, Sendable {
    /// What it says.
    public var kind: AnswerKind
    /// Seconds for which it is fresh, counted from the moment it is stored; 0 is not stored at all.
    public var lifetime: UInt32
    /// Seconds behind its lifetime for which it may be served stale (RFC 8767); 0 for never.
    public var staleLifetime: UInt32
    /// Whether it carries addresses, which have to be learned before a client sees them.
    public var carriesAddresses: Bool

    /// Describes an answer.
    @inlinable
    public init(kind: AnswerKind, lifetime: UInt32, staleLifetime: UInt32 = 0, carriesAddresses: Bool = false) {
        self.kind = kind
        self.lifetime = lifetime
        self.staleLifetime = staleLifetime
        self.carriesAddresses = carriesAddresses
    }
}
