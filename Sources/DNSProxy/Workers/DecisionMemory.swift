import DNSWire
import FQDNPolicy

/// What one worker remembers of recent queries: (identity, question) -> verdict, and which cached answer has its
/// mapping acknowledged. Direct-mapped and exact: a slot answers only for the very name that it stores.
///
/// Everything here is void as soon as the epoch moves: a new snapshot, a mapping taken away before its time,
/// an enforcer that has joined.
struct DecisionMemory: ~Copyable {
    /// Longest name that is remembered, in wire bytes; longer ones are judged anew each time.
    static let longestName = 80

    /// One remembered decision.
    struct Slot {
        /// Hash of the name, mixed with identity and type.
        var key: UInt64 = 0
        /// The state of the world that it was made in.
        var epoch: UInt64 = 0
        /// Serial of the cached answer whose addresses are acknowledged for this identity; 0 for none.
        var acknowledgedSerial: UInt64 = 0
        /// Index of the identity in the snapshot.
        var identity: UInt32 = 0
        /// Length of the name; 0 marks an empty slot.
        var count: UInt8 = 0
        /// What the policy said.
        var verdict = Verdict(outcome: .denied, isSelected: false)
        /// The name.
        var name = InlineArray<80, UInt8>(repeating: 0)
    }

    /// Slots, a power of two.
    private var slots: [Slot]
    /// One less than their number.
    private let mask: Int

    /// An empty memory of `1 << bits` slots.
    init(bits: Int = 12) {
        slots = Array(repeating: Slot(), count: 1 << bits)
        mask = (1 << bits) - 1
    }

    /// The key of a question of an identity.
    @inline(__always)
    static func key(_ name: borrowing NameBuffer, type: RecordType, identity: Int) -> UInt64 {
        (name.hash ^ UInt64(type.rawValue) << 32 ^ UInt64(identity)) &* 0x9E37_79B9_7F4A_7C15
    }

    /// Index of the slot that remembers the question in `epoch`, or nil.
    @inline(__always)
    func find(_ key: UInt64, name: borrowing NameBuffer, identity: Int, epoch: UInt64) -> Int? {
        let index = Int(truncatingIfNeeded: key >> 32) & mask
        guard slots[index].key == key, slots[index].epoch == epoch, slots[index].identity == UInt32(identity),
            Int(slots[index].count) == name.count
        else { return nil }
        let bytes = name.span
        for offset in bytes.indices where slots[index].name[offset] != bytes[offset] { return nil }
        return index
    }

    /// The verdict in the slot at `index`.
    @inline(__always)
    func verdict(at index: Int) -> Verdict { slots[index].verdict }

    /// Whether the cached answer `serial` may leave without asking the mapping table.
    @inline(__always)
    func isAcknowledged(at index: Int, serial: UInt64) -> Bool { slots[index].acknowledgedSerial == serial }

    /// Remembers a verdict, in place of whatever was in the slot.
    mutating func store(
        _ key: UInt64, name: borrowing NameBuffer, identity: Int, epoch: UInt64, verdict: Verdict
    ) {
        guard name.count <= DecisionMemory.longestName else { return }
        let index = Int(truncatingIfNeeded: key >> 32) & mask
        slots[index].key = key
        slots[index].epoch = epoch
        slots[index].acknowledgedSerial = 0
        slots[index].identity = UInt32(identity)
        slots[index].count = UInt8(name.count)
        slots[index].verdict = verdict
        let bytes = name.span
        for offset in bytes.indices { slots[index].name[offset] = bytes[offset] }
    }

    /// Remembers that the cached answer `serial` is acknowledged, if the question is remembered at all.
    mutating func acknowledge(
        _ key: UInt64, name: borrowing NameBuffer, identity: Int, epoch: UInt64, serial: UInt64
    ) {
        if let index = find(key, name: name, identity: identity, epoch: epoch) {
            slots[index].acknowledgedSerial = serial
        }
    }
}
