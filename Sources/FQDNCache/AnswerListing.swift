public import DNSWire

/// One cached answer as a listing shows it.
public struct AnswerListing: Hashable, Sendable {
    /// The name.
    public let name: DomainName
    /// Type (`AnswerKey.everyType` for an NXDOMAIN that covers all), class and query bits.
    public let key: AnswerKey
    /// What it says.
    public let kind: AnswerKind
    /// The response code in its header, 0 to 15.
    public let responseCode: UInt8
    /// Seconds of its lifetime left, rounded up; 0 when stale.
    public let remaining: UInt32
    /// Hits so far under its key.
    public let hits: UInt32
    /// Bytes it occupies, header included.
    public let size: Int
    /// The message, its TTLs as they were stored.
    public let image: [UInt8]
    /// Whether it is past its lifetime but may still be served.
    public let isStale: Bool
}
