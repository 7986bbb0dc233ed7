/// The names of what is said about valid documents, at the end of each message; documentation and scripts refer to them.
package enum LintCode: String, CaseIterable, CustomStringConvertible {
    /// A rule that another one covers.
    case hidden = "hidden-rule"
    /// An allowing rule that a denying one makes useless.
    case denied = "always-denied"
    /// A name that is learned but may not be asked for.
    case unasked = "never-asked"
    /// A selector that selects nobody.
    case noIdentity = "no-identity"
    /// A rule that no query can match.
    case neverMatches = "never-matches"
    /// A pattern that matches names of strangers.
    case publicSuffix = "public-suffix"
    /// A rule that opens every name beside one that lists names.
    case everyName = "every-name"
    /// Stars in a row that mean no more than one.
    case doubleStar = "double-star"
    /// A port that has a name only.
    case namedPort = "named-port"
    /// A part of a document that is not about names.
    case notEnforced = "not-enforced"

    package var description: String { rawValue }
}
