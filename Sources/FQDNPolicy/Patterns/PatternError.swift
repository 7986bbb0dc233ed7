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
        case .emptyLabel: "has an empty label: two dots in a row, or a dot at the start"
        case .labelTooLong: "has a label of more than 63 characters, which no name has"
        case .nameTooLong: "matches no name: names have at most 255 bytes"
        }
    }
}
