/// The bits of a query that make its answer another one.
public struct AnswerOptions: OptionSet, Hashable, Sendable {
    /// One bit for each member.
    public let rawValue: UInt8
    /// The set of the bits in `rawValue`.
    @inlinable public init(rawValue: UInt8) { self.rawValue = rawValue }

    /// DO: signatures wanted (RFC 3225, section 3).
    public static let dnssecOK = AnswerOptions(rawValue: 1)
    /// CD: unvalidated data wanted (RFC 4035, section 3.2.2).
    public static let checkingDisabled = AnswerOptions(rawValue: 2)
}
