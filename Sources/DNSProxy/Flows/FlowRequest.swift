/// Which flows somebody wants to see.
public struct FlowRequest: Sendable {
    /// Which ones.
    public var filter = FlowFilter()
    /// Which of those are left out; nil for none.
    public var exclusion: FlowFilter?
    /// How many of the recent ones at most, the latest; nil for all.
    public var last: Int?
    /// How many milliseconds old they are at most; nil for any age.
    public var sinceMilliseconds: Int?
    /// Whether those that come are wanted too, for as long as the reader stays.
    public var follows = false

    /// All recent flows.
    public init() {}
}
