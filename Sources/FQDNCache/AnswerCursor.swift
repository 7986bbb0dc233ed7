/// How far a listing of answers has come.
public struct AnswerCursor: Hashable, Sendable {
    /// The shard to go on with.
    var shard = 0
    /// The slot of its index to go on with.
    var slot = 0
    /// How many slots that index had; with another number of them its answers are in other places.
    var slotCount = 0

    /// The start of a listing.
    public init() {}

    /// The start of a shard.
    init(shard: Int) {
        self.shard = shard
    }
}
