public import DNSWire

/// A name that an identity asked for, and how often.
public struct SeenName: Hashable, Sendable {
    /// The name.
    public let name: DomainName
    /// How often it was asked for.
    public let count: UInt64

    /// A name from its parts.
    public init(_ name: DomainName, count: UInt64 = 1) {
        self.name = name
        self.count = count
    }
}

/// A policy document written from the names that an identity was seen to ask for.
///
/// It allows the names themselves, and what they were folded into. Names are folded when `minimumSiblings` of them are
/// the same but for one label, which has at least one label between itself and the public suffix; the part of that
/// label that they share stays. So no pattern ever reaches beyond names that belong to one registered domain, and the
/// document says in comments which names each pattern stands for.
public struct PolicySuggestion: Sendable {
    /// How names are folded and bounded.
    public struct Options: Sendable {
        /// Names that differ in one label only from which on they are folded; at least 2.
        public var minimumSiblings: Int
        /// Most names that are looked at; the ones that were asked for least are left out.
        public var maximumNames: Int
        /// Whether the names are learned as well: whether the document has `toFQDNs`.
        public var learns: Bool
        /// Whether comments say how often names were asked for; only who has counted that knows it.
        public var showsCounts: Bool

        /// Options that fold from five names on.
        public init(
            minimumSiblings: Int = 5, maximumNames: Int = 10_000, learns: Bool = true, showsCounts: Bool = false
        ) {
            self.minimumSiblings = max(2, minimumSiblings)
            self.maximumNames = max(0, maximumNames)
            self.learns = learns
            self.showsCounts = showsCounts
        }
    }

    /// One name or pattern of the document.
    public struct Entry: Hashable, Sendable {
        /// The text of the `matchName` or `matchPattern`.
        public let text: String
        /// Whether it is a pattern that names were folded into.
        public let isPattern: Bool
        /// Names that it stands for.
        public let names: Int
        /// How often they were asked for.
        public let queries: UInt64
        /// One of the names.
        let example: String
    }

    /// The names and patterns, in canonical order of the names that they stand for.
    public let entries: [Entry]
    /// The names that no pattern can express: with bytes that none may have.
    public let inexpressible: [DomainName]
    /// Names that there was no room for.
    public let omitted: Int
    /// The document.
    public let text: String

    /// The suggestion for `identity`, which was seen to ask for `names`; a name may be there several times.
    public init(
        identity: Identity, names: [SeenName], suffixes: PublicSuffixes, options: Options = Options()
    ) {
        var counts: [DomainName: UInt64] = [:]
        for seen in names { counts[seen.name] = (counts[seen.name] ?? 0).addingSaturating(seen.count) }
        let sorted = counts.sorted { ($1.value, $0.key) < ($0.value, $1.key) }
        let kept = sorted.prefix(options.maximumNames)
        omitted = sorted.count - kept.count
        let expressible = kept.filter { $0.key.isExpressible }
        inexpressible = kept.filter { !$0.key.isExpressible }.map(\.key).sorted()
        entries = NameFolder(suffixes, minimum: options.minimumSiblings).entries(
            Dictionary(uniqueKeysWithValues: expressible.map { ($0.key, $0.value) }))
        text =
            SuggestedDocument(
                identity: identity, entries: entries, inexpressible: inexpressible, omitted: omitted,
                suffixSource: suffixes.source, options: options
            ).text
    }
}

extension DomainName {
    /// Whether a `matchName` can be this name.
    var isExpressible: Bool {
        isRoot || (try? Pattern(.matchName, description)) != nil
    }

    /// The labels from the left, as text; meaningful for expressible names.
    var labels: [String] {
        isRoot ? [] : description.dropLast().split(separator: ".", omittingEmptySubsequences: false).map(String.init)
    }
}

extension UInt64 {
    /// The sum, or the largest number when that would be exceeded.
    func addingSaturating(_ other: UInt64) -> UInt64 {
        let (sum, overflow) = addingReportingOverflow(other)
        return overflow ? .max : sum
    }
}
