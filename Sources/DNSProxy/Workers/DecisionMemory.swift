import DNSWire
import FQDNPolicy

/// What one worker remembers of the policy: (identity, name) -> verdict. Four-way associative and exact: a slot answers
/// only for the very name that it stores, in the epoch that it was stored in.
struct DecisionMemory: ~Copyable {
    /// Longest name that is remembered, in wire bytes; longer ones are judged anew each time.
    static let longestName = 64

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

    /// Where decisions may be.
    private var sets: FourWaySets
    /// All slots.
    private var slots: [Slot]
    /// Their names, each in `wordsPerName` words.
    private var words: [UInt64]

    /// Words of a name.
    private static let wordsPerName = longestName / 8

    /// An empty memory of up to `1 << bits` decisions (bits 2 to 30).
    init(bits: Int = 15) {
        sets = FourWaySets(bits: bits)
        slots = Array(repeating: Slot(), count: sets.count)
        words = Array(repeating: 0, count: DecisionMemory.wordsPerName * sets.count)
    }

    /// The key of a name that an identity asks for; port rules tell the transports apart.
    @inline(__always)
    static func key(_ name: borrowing NameBuffer, identity: Int, transport: QueryTransport) -> UInt64 {
        (name.hash ^ UInt64(truncatingIfNeeded: identity) << 1 ^ (transport == .udp ? 0 : 1)) &* 0x9E37_79B9_7F4A_7C15
    }

    /// The verdict on the name, if it is remembered in `epoch`.
    @inline(__always)
    func verdict(_ key: UInt64, name: borrowing NameBuffer, identity: Int, epoch: UInt64) -> Verdict? {
        for index in sets.places(key) where holds(index, key, name, identity, epoch) { return slots[index].verdict }
        return nil
    }

    /// Whether the slot at `index` has the decision.
    @inline(__always)
    private func holds(
        _ index: Int, _ key: UInt64, _ name: borrowing NameBuffer, _ identity: Int, _ epoch: UInt64
    ) -> Bool {
        let slots = slots.span
        guard slots[index].key == key, slots[index].epoch == epoch,
            slots[index].identity == UInt32(truncatingIfNeeded: identity), Int(slots[index].count) == name.count
        else { return false }
        let words = words.span
        let first = index * DecisionMemory.wordsPerName
        for word in 0..<name.wordCount where words[first + word] != name.word(word) { return false }
        return true
    }

    /// Remembers a verdict. When there is room for more, what was remembered is judged anew once.
    mutating func store(
        _ key: UInt64, name: borrowing NameBuffer, identity: Int, epoch: UInt64, verdict: Verdict
    ) {
        guard name.count <= DecisionMemory.longestName else { return }
        if sets.grow() {
            slots = Array(repeating: Slot(), count: sets.count)
            words = Array(repeating: 0, count: DecisionMemory.wordsPerName * sets.count)
        }
        let index = sets.place(for: key) { slots[$0].epoch != epoch }
        slots[index] = Slot(
            key: key, epoch: epoch, identity: UInt32(truncatingIfNeeded: identity), count: UInt8(name.count),
            verdict: verdict)
        let first = index * DecisionMemory.wordsPerName
        for word in 0..<name.wordCount { words[first + word] = name.word(word) }
    }
}
