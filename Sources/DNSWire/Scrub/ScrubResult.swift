/// What an upstream's response turned out to be, and how long the image of it is.
public struct ScrubResult: Equatable, Sendable {
    /// What the response says about the question.
    public var outcome: ScrubOutcome
    /// Length of the image in bytes; 0 when the response was malformed.
    public var length: Int = 0
    /// The smallest TTL in the image, in seconds; 0 when it holds no record.
    public var minimumTTL: UInt32 = 0
    /// Seconds that a negative answer may be kept, chain included (RFC 2308, section 5); nil without SOA.
    public var negativeTTL: UInt32?
    /// Whether the image may be kept at all: an answer to one type, or a negative answer with its SOA.
    public var isCacheable = false
    /// Records of the answer and authority sections that are not in the image, duplicates included.
    public var dropped: Int = 0
    /// Work done, in bytes of names and records looked at; linear in the response.
    public var steps: Int = 0

    /// Whether the zone's SOA is in the image.
    public var hasSOA: Bool { negativeTTL != nil }
}

/// What a response says about its question.
public enum ScrubOutcome: Equatable, Sendable {
    /// The RRset that was asked for is there, perhaps behind aliases.
    case answer
    /// The name at the end of the chain has no such RRset, or the upstream did not give it.
    case noData
    /// The name at the end of the chain does not exist (RFC 2308, section 2.1).
    case nameError
    /// The upstream failed or refused; the image has no records.
    case failure(ResponseCode)
    /// The response cannot be believed; there is no image.
    case malformed(AnswerDefect)
}

/// Why a response cannot be believed.
public enum AnswerDefect: Error, Equatable, Sendable {
    /// Its bytes are not a message of at most 4,096 records, or do not fit the image.
    case wire(WireError)
    /// The aliases form a loop, or are more than 16.
    case aliasChain
    /// Looking at it all would cost more than any honest response does.
    case tooMuchWork
}

/// An address that a client learns from the image.
public struct ScrubbedAddress: Hashable, Sendable {
    /// The address.
    public let address: IPAddress
    /// Seconds it is valid: the smallest TTL of its RRset and the aliases before it.
    public internal(set) var ttl: UInt32
    /// Whether it is a hint of a SVCB or HTTPS record (RFC 9460, section 7.3) rather than an A or AAAA record.
    public let isHint: Bool

    /// An address with its lifetime.
    public init(address: IPAddress, ttl: UInt32, isHint: Bool) {
        self.address = address
        self.ttl = ttl
        self.isHint = isHint
    }
}
