/// The seconds for which answers of a shard may be stale, so that an entry needs one byte to say which of them is its.
///
/// There are two as a rule: what the operator has set, and none.
struct StaleLifetimes: Sendable {
    /// The seconds, in the order in which they came; none is the first.
    private var values: [UInt32] = [0]

    /// The seconds that `index` stands for.
    subscript(index: UInt8) -> UInt32 { values.indices.contains(Int(index)) ? values[Int(index)] : 0 }

    /// What stands for `seconds`. Where more are in use than a byte can tell apart, that is the nearest below.
    mutating func index(of seconds: UInt32) -> UInt8 {
        if let index = values.firstIndex(of: seconds) { return UInt8(truncatingIfNeeded: index) }
        if values.count <= Int(UInt8.max) {
            values.append(seconds)
            return UInt8(truncatingIfNeeded: values.count - 1)
        }
        var nearest = 0
        for index in values.indices where values[index] <= seconds && values[index] >= values[nearest] {
            nearest = index
        }
        return UInt8(truncatingIfNeeded: nearest)
    }
}
