/// The ports that something is open for: the union of what several rules say.
///
/// Ranges that share a port become one; single ports that are neighbours do not, because a packet filter looks single
/// ports up faster than ranges.
public struct PortSet: Hashable, Sendable {
    /// Whether every protocol is open, also those without ports; `ranges` is empty then.
    public private(set) var isEverything: Bool
    /// Ranges that share no port, in order; `transport` is never `any`.
    public private(set) var ranges: [PortRange]

    /// Every port of every protocol.
    public static let everything = PortSet(isEverything: true, ranges: [])

    /// Nothing at all.
    public static let nothing = PortSet(isEverything: false, ranges: [])

    /// Whether nothing is open.
    public var isEmpty: Bool { !isEverything && ranges.isEmpty }

    /// A set of parts that are in order and disjoint.
    private init(isEverything: Bool, ranges: [PortRange]) {
        self.isEverything = isEverything
        self.ranges = ranges
    }

    /// What `rules` open together: a rule without ports opens everything, no rules open nothing, and a range that
    /// ends before it begins opens nothing either.
    public init(_ rules: [MappingRule]) {
        guard !rules.contains(where: \.ports.isEmpty) else {
            self = .everything
            return
        }
        self.init(
            isEverything: false,
            ranges: PortSet.merge(rules.flatMap { rule in rule.ports.flatMap { PortRange.ranges(of: $0) } }))
    }

    /// What is in this set or in `other`.
    public func union(_ other: PortSet) -> PortSet {
        if isEverything || other.isEverything { return .everything }
        if other.ranges.isEmpty || self == other { return self }
        return PortSet(isEverything: false, ranges: PortSet.merge(ranges + other.ranges))
    }

    /// The ranges in order, those that share a port made one.
    private static func merge(_ ranges: [PortRange]) -> [PortRange] {
        var merged: [PortRange] = []
        for range in ranges.sorted() {
            if let last = merged.last, last.transport == range.transport, range.first <= last.last {
                merged[merged.count - 1].last = max(last.last, range.last)
            } else {
                merged.append(range)
            }
        }
        return merged
    }
}
