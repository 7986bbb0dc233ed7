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

    /// Where answers may be.
    private var sets: FourWaySets
    /// All slots.
    private var slots: [Slot]

    /// An empty memory of up to `1 << bits` answers (bits 2 to 30).
    init(bits: Int = 16) {
        sets = FourWaySets(bits: bits)
        slots = Array(repeating: Slot(), count: sets.count)
    }

    /// What an answer has its places by.
    @inline(__always)
    private func key(_ serial: UInt64, _ identity: UInt32) -> UInt64 {
        (serial ^ UInt64(identity) << 40) &* 0x9E37_79B9_7F4A_7C15
    }

    /// Whether the mapping of the answer is known to be in force.
    @inline(__always)
    func contains(serial: UInt64, identity: Int, epoch: UInt64) -> Bool {
        let identity = UInt32(truncatingIfNeeded: identity)
        for index in sets.places(key(serial, identity)) where matches(index, serial, identity, epoch) { return true }
        return false
    }

    /// Whether the slot at `index` says so.
    @inline(__always)
    private func matches(_ index: Int, _ serial: UInt64, _ identity: UInt32, _ epoch: UInt64) -> Bool {
        slots[index].serial == serial && slots[index].epoch == epoch && slots[index].identity == identity
    }

    /// Remembers that the mapping of the answer is in force.
    mutating func insert(serial: UInt64, identity: Int, epoch: UInt64) {
        if sets.grow() {
            let known = slots
            slots = Array(repeating: Slot(), count: sets.count)
            for slot in known where slot.serial != 0 { put(slot) }
        }
        put(Slot(serial: serial, epoch: epoch, identity: UInt32(truncatingIfNeeded: identity)))
    }

    /// Puts an answer into its set; what is of another epoch is as good as gone.
    private mutating func put(_ slot: Slot) {
        let place = sets.place(for: key(slot.serial, slot.identity)) { slots[$0].epoch != slot.epoch }
        slots[place] = slot
    }
}
