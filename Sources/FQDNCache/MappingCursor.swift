/// How far a listing of mappings has come.
public struct MappingCursor: Hashable, Sendable {
    /// The shard to go on with.
    var shard = 0
    /// The slot in it to go on with.
    var slot = 0

    /// The start of a listing.
    public init() {}

    /// The cursor that `rawValue` stands for; any number is taken, one that never was a cursor as some place or the
    /// end.
    public init(rawValue: UInt64) {
        self.init(shard: Int(rawValue >> 32 & 0xFFFF), slot: Int(rawValue & 0xFFFF_FFFF))
    }

    /// The cursor as one number, below 2^48, for those who have to hand it around.
    public var rawValue: UInt64 { UInt64(shard) << 32 | UInt64(slot) }

    /// A place in the middle.
    init(shard: Int, slot: Int) {
        self.shard = shard
        self.slot = slot
    }
}
