public import DNSWire
import FQDNPolicy

/// The names that a request of the admin API is about: all of them, or those that a pattern matches.
public struct NameFilter: Sendable {
    /// The pattern; nil for every name.
    private let pattern: Pattern?

    /// Every name.
    public static let all = NameFilter(pattern: nil)

    /// The names that `pattern` matches.
    private init(pattern: Pattern?) {
        self.pattern = pattern
    }

    /// The names that the pattern `text` matches, in the language of `matchPattern` in `rules.dns`.
    /// - Throws: `PatternError` when it is not a pattern.
    init(_ text: String) throws(PatternError) {
        self.init(pattern: try Pattern(.matchPattern, text))
    }

    /// Whether every name is selected, so that a table can be emptied at once.
    public var isAll: Bool { pattern == nil }

    /// Whether `name` is selected.
    public func selects(_ name: borrowing NameBuffer) -> Bool {
        pattern?.matches(name, for: .query) ?? true
    }

    /// Whether `name` is selected.
    public func selects(_ name: DomainName) -> Bool {
        pattern == nil || selects(NameBuffer(name))
    }
}
