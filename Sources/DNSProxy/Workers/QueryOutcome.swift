/// How a query ends. Every query that is received ends in exactly one of these ways and is counted there once, at the
/// moment when its reply leaves or it is clear that there will be none.
public enum QueryOutcome: Int, CaseIterable, Sendable {
    /// Answered from the cache, within the answer's lifetime.
    case hit
    /// Answered from the cache, past the answer's lifetime.
    case stale
    /// Answered by an upstream that was asked for this query.
    case upstream
    /// Answered by an upstream that was asked for an identical query.
    case coalesced
    /// Answered here: from local records, or because of its type.
    case local
    /// Refused by the policy.
    case denied
    /// Refused because no identity owns the client.
    case prohibited
    /// Refused because of what it is: malformed, or not supported.
    case rejected
    /// SERVFAIL because no upstream had a usable answer.
    case failed
    /// SERVFAIL because something was full.
    case overloaded
    /// SERVFAIL because its mapping was not acknowledged (`feed.onDelay: servfail`).
    case unacknowledged
    /// Nothing was sent.
    case dropped

    /// How many there are.
    static let count = 12

    /// What metrics call it.
    public var label: String { "\(self)" }

    /// The outcome that metrics call `label`.
    public init?(label: String) {
        guard let outcome = QueryOutcome.allCases.first(where: { $0.label == label }) else { return nil }
        self = outcome
    }
}

/// A finished reply.
struct Ending {
    /// Its length in bytes.
    let length: Int
    /// How its query ends with it.
    let outcome: QueryOutcome
    /// The upper eight bits of its response code, which are in its OPT record (RFC 6891, section 6.1.3).
    let extendedCode: UInt8

    /// A reply of `length` bytes that ends its query in this way.
    @inline(__always)
    init(_ length: Int, _ outcome: QueryOutcome, extendedCode: UInt8 = 0) {
        self.length = length
        self.outcome = outcome
        self.extendedCode = extendedCode
    }
}
