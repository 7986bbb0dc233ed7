public import DNSWire

/// Where the rules are that match a name, of up to four places: of two names for which it is the same, `rules` of one
/// snapshot without aliases are the same too.
public struct RulePlaces: Hashable, Sendable {
    /// The first place, 0 for none.
    private var first: UInt64 = 0
    /// The second place, 0 for none.
    private var second: UInt64 = 0
    /// The third place, 0 for none.
    private var third: UInt64 = 0
    /// The fourth place, 0 for none.
    private var fourth: UInt64 = 0

    /// No place at all.
    public init() {}

    /// A word whose upper bits tell most places apart.
    public var mixed: UInt64 {
        var mixed = first
        for next in [second, third, fourth] where next != 0 { mixed = (mixed << 23 | mixed >> 41) ^ next }
        return mixed &* 0x9E37_79B9_7F4A_7C15
    }

    /// Adds the place with this number, not 0, behind the `count` that are there; false when there is no room.
    fileprivate mutating func add(_ number: UInt64, behind count: Int) -> Bool {
        switch count {
        case 0: first = number
        case 1: second = number
        case 2: third = number
        case 3: fourth = number
        default: return false
        }
        return true
    }
}

/// Remembers a few places; allocates nothing.
private struct PlacesVisitor: MatchVisitor {
    /// The places.
    var places = RulePlaces()
    /// How many there are.
    private var count = 0
    /// Whether there are more.
    private(set) var hasMore = false

    /// No place yet.
    init() {}

    @inline(__always)
    func isSatisfied(by possible: RuleEffects) -> Bool { hasMore }

    @inline(__always)
    mutating func visit(_ effects: RuleEffects, _ place: RuleTables.Place, _ head: RuleTables.Head) {
        let number: UInt64 =
            switch head {
            case .entry(let index): UInt64(index) << 4 | 1
            case .node(let node): UInt64(node) << 4 | 2
            case .bytes(let offset): UInt64(truncatingIfNeeded: offset) << 4 | 3
            }
        if places.add(number | UInt64(place.rawValue) << 2, behind: count) {
            count += 1
        } else {
            hasMore = true
        }
    }
}

extension PolicySnapshot {
    /// Where the rules are that match `name`; nil when these are more places than can be told.
    public func places(identity: Int, name: borrowing NameBuffer) -> RulePlaces? {
        var found = PlacesVisitor()
        tables.walk(ruleSet(of: identity), name, &found)
        return found.hasMore ? nil : found.places
    }
}
