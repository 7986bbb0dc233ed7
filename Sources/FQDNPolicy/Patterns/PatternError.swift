/// Why a text is not a pattern; the description finishes the sentence "`matchPattern` …".
public enum PatternError: Error, Equatable, Sendable {
    /// Nothing but blanks.
    case empty
    /// More than 255 characters.
    case tooLong
    /// A character that no pattern of this field may have.
    case character(Unicode.Scalar, Pattern.Field)
    /// A star in a `matchName`.
    case starInName
    /// A star of `domainNames` that is not in front of the whole name, followed by a dot.
    case starNotInFront
    /// A name of `domainNames` with one label only.
    case singleLabel
    /// A label of `domainNames` that starts or ends with `-` or `_`.
    case labelEnd
    /// Two dots in a row, or one at the start.
    case emptyLabel
    /// More than 63 characters between two dots that every matching name would have to have.
    case labelTooLong
    /// Every matching name would be longer than 255 bytes.
    case nameTooLong
}

extension PatternError: CustomStringConvertible {
    public var description: String {
        switch self {
        case .empty: "is empty"
        case .tooLong: "is longer than 255 characters"
        case .character(let scalar, let field):
            "contains \(quoted(String(scalar))): only letters, digits, \"-\", \"_\""
                + (field == .matchName ? " and \".\"" : ", \".\" and \"*\"") + " are allowed"
                + (scalar.isASCII ? "" : "; write international names in their \"xn--\" form")
        case .starInName: "contains a star: a matchName is one exact name, use matchPattern"
        case .starNotInFront: "may have a star only at its start, followed by a dot, as in \"*.example.com\""
        case .singleLabel: "needs at least two labels, as in \"example.com\""
        case .labelEnd: "has a label that starts or ends with \"-\" or \"_\""
        case .emptyLabel: "has an empty label: two dots in a row, or a dot at the start"
        case .labelTooLong: "has a label of more than 63 characters, which no name has"
        case .nameTooLong: "matches no name: names have at most 255 bytes"
        }
    }
}
