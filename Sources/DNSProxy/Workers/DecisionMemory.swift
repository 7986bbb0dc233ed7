import DNSWire
import FQDNPolicy

/// What one worker remembers of the policy: (identity, name) -> verdict. Direct-mapped and exact: a slot answers only
/// for the very name that it stores, in the epoch that it was stored in.
struct DecisionMemory: ~Copyable {
    /// Longest name that is remembered, in wire bytes; longer ones are judged anew each time.
    static let longestName = 80

    /// One remembered decision.
    struct Slot {
        /// Hash of the name, mixed with the identity and the transport.
        var key: UInt64 = 0
        /// The state of the world that it was made in.
        var epoch: UInt64 = 0
        /// Index of the identity in the snapshot.
        var identity: UInt32 = 0
        /// Length of the name; 0 marks an empty slot.
        var count: UInt8 = 0
        /// What the policy said.
        var verdict = Verdict(outcome: .denied, isSelected: false)
    }

    /// Slots, a power of two.
    private var slots: [Slot]
    /// Their names, each in `longestName / 8` words.
    private var words: [UInt64]
    /// One less than their number.
    private let mask: Int

    /// An empty memory of `1 << bits` slots.
    init(bits: Int = 12) {
        slots = Array(repeating: Slot(), count: 1 << bits)
        words = Array(repeating: 0, count: (DecisionMemory.longestName / 8) << bits)
        mask = (1 << bits) - 1
    }

    /// The key of a name that an identity asks for; port rules tell the transports apart.
    @inline(__always)
    static func key(_ name: borrowing NameBuffer, identity: Int, transport: QueryTransport) -> UInt64 {
        (name.hash ^ UInt64(truncatingIfNeeded: identity) << 1 ^ (transport == .udp ? 0 : 1)) &* 0x9E37_79B9_7F4A_7C15
    }

    /// The verdict on the name, if it is remembered in `epoch`.
    @inline(__always)
    func verdict(_ key: UInt64, name: borrowing NameBuffer, identity: Int, epoch: UInt64) -> Verdict? {
        let index = Int(truncatingIfNeeded: key >> 32) & mask
        let slots = slots.span
        guard slots[index].key == key, slots[index].epoch == epoch,
            slots[index].identity == UInt32(truncatingIfNeeded: identity), Int(slots[index].count) == name.count
        else { return nil }
        let words = words.span
        let first = index * (DecisionMemory.longestName / 8)
        for word in 0..<name.wordCount where words[first + word] != name.word(word) { return nil }
        return slots[index].verdict
    }

    /// Remembers a verdict, in place of whatever was in the slot.
    mutating func store(
        _ key: UInt64, name: borrowing NameBuffer, identity: Int, epoch: UInt64, verdict: Verdict
    ) {
        guard name.count <= DecisionMemory.longestName else { return }
        let index = Int(truncatingIfNeeded: key >> 32) & mask
        slots[index] = Slot(
            key: key, epoch: epoch, identity: UInt32(truncatingIfNeeded: identity), count: UInt8(name.count),
            verdict: verdict)
        let first = index * (DecisionMemory.longestName / 8)
        for word in 0..<name.wordCount { words[first + word] = name.word(word) }
    }
}
