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

    /// The logarithm of how many places a decision may have.
    private static let wayBits = 2

    /// Slots, a power of two; those of a set are next to each other.
    private var slots: [Slot]
    /// Their names, each in `wordsPerName` words.
    private var words: [UInt64]
    /// Shift that leaves the number of a set.
    private var shift: UInt64
    /// The logarithm of how many slots there are at most.
    private let mostBits: Int
    /// Decisions stored since there are as many slots as now.
    private var stored = 0

    /// Words of a name.
    private static let wordsPerName = longestName / 8

    /// An empty memory of up to `1 << bits` decisions (bits 2 to 30), which takes the room for many when there are many.
    init(bits: Int = 15) {
        let first = min(bits, 9)
        slots = Array(repeating: Slot(), count: 1 << first)
        words = Array(repeating: 0, count: DecisionMemory.wordsPerName << first)
        shift = UInt64(64 + DecisionMemory.wayBits - first)
        mostBits = bits
    }

    /// The key of a name that an identity asks for; port rules tell the transports apart.
    @inline(__always)
    static func key(_ name: borrowing NameBuffer, identity: Int, transport: QueryTransport) -> UInt64 {
        (name.hash ^ UInt64(truncatingIfNeeded: identity) << 1 ^ (transport == .udp ? 0 : 1)) &* 0x9E37_79B9_7F4A_7C15
    }

    /// The verdict on the name, if it is remembered in `epoch`.
    @inline(__always)
    func verdict(_ key: UInt64, name: borrowing NameBuffer, identity: Int, epoch: UInt64) -> Verdict? {
        let places = places(key)
        for index in places where holds(index, key, name, identity, epoch) { return slots[index].verdict }
        return nil
    }

    /// The slots where a decision may be.
    @inline(__always)
    private func places(_ key: UInt64) -> Range<Int> {
        let first = Int(truncatingIfNeeded: key >> shift) << DecisionMemory.wayBits
        return first..<first + 1 << DecisionMemory.wayBits
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

    /// Remembers a verdict, in place of one of another epoch, or of the one in the place that the decision would rather have: of
    /// decisions that are too many for a set only those give way to each other that want the same place.
    mutating func store(
        _ key: UInt64, name: borrowing NameBuffer, identity: Int, epoch: UInt64, verdict: Verdict
    ) {
        guard name.count <= DecisionMemory.longestName else { return }
        stored += 1
        if stored > slots.count / 8 { grow() }
        let places = places(key)
        let own = places.lowerBound + Int(key & (1 << UInt64(DecisionMemory.wayBits) - 1))
        let index = places.first { slots[$0].epoch != epoch } ?? own
        slots[index] = Slot(
            key: key, epoch: epoch, identity: UInt32(truncatingIfNeeded: identity), count: UInt8(name.count),
            verdict: verdict)
        let first = index * DecisionMemory.wordsPerName
        for word in 0..<name.wordCount { words[first + word] = name.word(word) }
    }

    /// Makes room for eight times as many, if that may be; what was remembered is judged anew once.
    private mutating func grow() {
        let bits = min(64 + DecisionMemory.wayBits - Int(shift) + 3, mostBits)
        stored = 0
        guard slots.count < 1 << bits else { return }
        slots = Array(repeating: Slot(), count: 1 << bits)
        words = Array(repeating: 0, count: DecisionMemory.wordsPerName << bits)
        shift = UInt64(64 + DecisionMemory.wayBits - bits)
    }
}
