/// How many names the mapping table has.
struct NameCounts: Sendable {
    /// Those of each identity that has any, over all shards.
    private(set) var ofIdentity: [UInt64: Int] = [:]
    /// All.
    private(set) var total = 0

    /// Counts a name of `identity` that came (1) or went (-1).
    mutating func add(_ difference: Int, to identity: UInt64) {
        total += difference
        let own = ofIdentity[identity, default: 0] + difference
        ofIdentity[identity] = own > 0 ? own : nil
    }
}
