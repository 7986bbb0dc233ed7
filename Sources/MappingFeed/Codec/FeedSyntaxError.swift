/// Why a line is not an event, and where.
public struct FeedSyntaxError: Error, Hashable, Sendable {
    /// What is wrong.
    public let reason: Reason
    /// Bytes from the start of the line to where it was noticed.
    public let offset: Int

    /// What can be wrong with a line.
    public enum Reason: Hashable, Sendable {
        /// More bytes than the reader takes.
        case lineTooLong
        /// The line ends inside a value.
        case truncated
        /// A byte that cannot stand where it stands.
        case unexpectedByte
        /// Arrays and objects inside one another beyond the limit.
        case tooDeep
        /// Bytes that are not UTF-8, or a control character inside a string.
        case badString
        /// An escape that JSON does not have (RFC 8259, section 7), half a surrogate pair included.
        case badEscape
        /// A number of the wrong form or out of the field's range.
        case badNumber
        /// Bytes behind the closing brace.
        case trailingBytes
        /// A field that the event cannot be without.
        case missingField(String)
        /// Text that is not what the field holds: a name, an address, one of a few words.
        case badValue(String)
        /// A message that this version does not know.
        case unknownMessage
    }

    /// An error at `offset` bytes from the start of the line.
    public init(_ reason: Reason, at offset: Int) {
        self.reason = reason
        self.offset = offset
    }
}

extension FeedSyntaxError: CustomStringConvertible {
    /// The same as one line of text, for people.
    public var description: String { "\(reason) at byte \(offset)" }
}

extension FeedSyntaxError.Reason: CustomStringConvertible {
    /// The same as one line of text, for people.
    public var description: String {
        switch self {
        case .lineTooLong: "the line is too long"
        case .truncated: "the line ends early"
        case .unexpectedByte: "unexpected byte"
        case .tooDeep: "values are nested too deeply"
        case .badString: "a string is not valid UTF-8 or holds a control character"
        case .badEscape: "bad escape in a string"
        case .badNumber: "bad number"
        case .trailingBytes: "something follows the event"
        case .missingField(let field): "no field \"\(field)\""
        case .badValue(let field): "bad value of \"\(field)\""
        case .unknownMessage: "unknown message"
        }
    }
}
