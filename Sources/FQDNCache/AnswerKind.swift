/// What an answer says, as far as keeping it goes.
public enum AnswerKind: UInt8, CaseIterable, Sendable {
    /// Records of the type asked for.
    case positive = 0
    /// The name exists, the type does not (RFC 2308, section 2.2).
    case noData = 1
    /// The name does not exist (RFC 2308, section 2.1).
    case nameError = 2
    /// No usable answer could be had (RFC 9520).
    case failure = 3
    /// A record of this node's own.
    case local = 4

    /// Whether the name has what was asked for.
    public var isPositive: Bool { self == .positive || self == .local }
}
