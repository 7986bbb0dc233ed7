/// An answer that was found; its bytes are in the caller's buffer, TTLs counted down.
public struct AnswerHit: Hashable, Sendable {
    /// Bytes of the message, which may be more than were copied.
    public let length: Int
    /// Identifies this very insertion for as long as the process lives: the same serial, the same records.
    public let serial: UInt64
    /// When it was stored.
    public let storedAt: Moment
    /// When it stops being fresh; in the past for a stale hit.
    public let expires: Moment
    /// Seconds for which clients may keep it: what is left of the lifetime, rounded up, or 30 when stale.
    public let remaining: UInt32
    /// Seconds of its whole lifetime.
    public let lifetime: UInt32
    /// Hits so far under this key, this one included; stays at its maximum.
    public let hits: UInt32
    /// What it says.
    public let kind: AnswerKind
    /// Whether it is past its lifetime, all its TTLs set to 30 (RFC 8767, section 4).
    public let isStale: Bool
    /// Whether it carries addresses.
    public let carriesAddresses: Bool

    /// The TTL of every record of a stale answer, in seconds (RFC 8767, section 4).
    public static let staleTTL: UInt32 = 30
}
