/// What one worker remembers of enforcers: which cached answers have their mapping in force, and for whom.
///
/// A serial names one insertion into the cache for the life of the process, and with it the name, the type and the
/// addresses, so that (serial, identity) is all that has to be compared. Four-way associative; what is forgotten is
/// found out again from the mapping table, which costs time and nothing else: ten times what the answer did.
struct AcknowledgedMemory: ~Copyable {
    /// One remembered answer; the serial 0 is never given.
    private struct Slot {
        /// Serial of the cached answer.
        var serial: UInt64 = 0
        /// The state of the world that it was confirmed in.
        var epoch: UInt64 = 0
        /// Index of the identity in that state's snapshot.
        var identity: UInt32 = 0
    }

    /// The logarithm of how many places an answer may have.
    private static let wayBits = 2

    /// Slots, a power of two; those of a set are next to each other.
    private var slots: [Slot]
    /// Shift that leaves the number of a set.
    private var shift: UInt64
    /// The logarithm of how many slots there are at most.
    private let mostBits: Int
    /// Answers remembered since there are as many slots as now.
    private var inserted = 0

    /// An empty memory of up to `1 << bits` answers (bits 2 to 30), which takes the room for many when there are many.
    init(bits: Int = 16) {
        let first = min(bits, 9)
        slots = Array(repeating: Slot(), count: 1 << first)
        shift = UInt64(64 + AcknowledgedMemory.wayBits - first)
        mostBits = bits
    }

    /// What an answer has its places by.
    @inline(__always)
    private func key(_ serial: UInt64, _ identity: UInt32) -> UInt64 {
        (serial ^ UInt64(identity) << 40) &* 0x9E37_79B9_7F4A_7C15
    }

    /// The first slot of the set for an answer.
    @inline(__always)
    private func set(_ key: UInt64) -> Int {
        Int(truncatingIfNeeded: key >> shift) << AcknowledgedMemory.wayBits
    }

    /// Whether the mapping of the answer is known to be in force.
    @inline(__always)
    func contains(serial: UInt64, identity: Int, epoch: UInt64) -> Bool {
        let identity = UInt32(truncatingIfNeeded: identity)
        let first = set(key(serial, identity))
        for index in first..<first + 1 << AcknowledgedMemory.wayBits where matches(index, serial, identity, epoch) {
            return true
        }
        return false
    }

    /// Whether the slot at `index` says so.
    @inline(__always)
    private func matches(_ index: Int, _ serial: UInt64, _ identity: UInt32, _ epoch: UInt64) -> Bool {
        slots[index].serial == serial && slots[index].epoch == epoch && slots[index].identity == identity
    }

    /// Remembers that the mapping of the answer is in force, in place of one of another epoch, or of the one in the place that
    /// the answer would rather have: of answers that are too many for a set only those give way to each other that want the
    /// same place.
    mutating func insert(serial: UInt64, identity: Int, epoch: UInt64) {
        inserted += 1
        if inserted > slots.count / 8 { grow() }
        put(Slot(serial: serial, epoch: epoch, identity: UInt32(truncatingIfNeeded: identity)))
    }

    /// Puts an answer into its set.
    private mutating func put(_ slot: Slot) {
        let key = key(slot.serial, slot.identity)
        let first = set(key)
        let places = first..<first + 1 << AcknowledgedMemory.wayBits
        let place =
            places.first { slots[$0].epoch != slot.epoch } ?? first + Int(key >> 8)
            & (1 << AcknowledgedMemory.wayBits - 1)
        slots[place] = slot
    }

    /// Makes room for eight times as many, if that may be.
    private mutating func grow() {
        let bits = min(64 + AcknowledgedMemory.wayBits - Int(shift) + 3, mostBits)
        inserted = 0
        guard slots.count < 1 << bits else { return }
        let known = slots
        slots = Array(repeating: Slot(), count: 1 << bits)
        shift = UInt64(64 + AcknowledgedMemory.wayBits - bits)
        for slot in known where slot.serial != 0 { put(slot) }
    }
}
