/// A slot of a shard and a moment that matters to it, ordered by the moment.
struct SlotMoment: Comparable, Sendable {
    /// When.
    let moment: Moment
    /// Which slot.
    let slot: UInt32

    /// Whether the first is due earlier; of equal moments the lower slot.
    static func < (left: SlotMoment, right: SlotMoment) -> Bool {
        (left.moment, left.slot) < (right.moment, right.slot)
    }
}
