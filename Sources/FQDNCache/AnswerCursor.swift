/// How far a listing of answers has come.
public struct AnswerCursor: Hashable, Sendable {
    /// The shard to go on with.
    var shard = 0
    /// The slot of its index to go on with.
    var slot = 0

    /// The start of a listing.
    public init() {}

    /// A place in the middle.
    init(shard: Int, slot: Int) {
        self.shard = shard
        self.slot = slot
    }
}
