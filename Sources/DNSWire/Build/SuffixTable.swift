/// Where in a message under construction a name or the end of a name can be pointed at (RFC 1035, section 4.1.4).
///
/// A small hash table of offsets, compared against the message itself; looked at through spans, because reading an
/// element of a stored `InlineArray` copies all of it (Swift 6.3). A full neighbourhood forgets nothing
/// and takes nothing new: compression is a courtesy, bounded work is not.
struct SuffixTable: Sendable {
    /// Number of slots, a power of two.
    private static let slots = 128
    /// Slots that one hash may use, from its own on.
    private static let reach = 4
    /// Offsets of labels in the message; 0 is an empty slot.
    private var offsets: InlineArray<128, UInt16>

    /// An empty table.
    init() {
        offsets = InlineArray(repeating: 0)
    }

    /// The offset of a name equal to `name` from `offset` on, in any case; nil when there is none before `start`,
    /// which is where the name being written begins: one that is not complete yet is nothing to point at.
    func find(
        _ hash: UInt32, _ name: Span<UInt8>, _ offset: Int, in message: borrowing MutableSpan<UInt8>,
        before start: Int
    ) -> UInt16? {
        let offsets = offsets.span
        for step in 0..<SuffixTable.reach {
            let candidate = offsets[SuffixTable.slot(hash, step)]
            if candidate != 0, candidate < start, SuffixTable.matches(name, offset, message, Int(candidate)) {
                return candidate
            }
        }
        return nil
    }

    /// Remembers that a name with `hash` stands at `offset` of the message, if a pointer can reach that far.
    mutating func insert(_ hash: UInt32, at offset: Int) {
        guard offset < 0x4000 else { return }
        var offsets = offsets.mutableSpan
        for step in 0..<SuffixTable.reach where offsets[SuffixTable.slot(hash, step)] == 0 {
            offsets[SuffixTable.slot(hash, step)] = UInt16(truncatingIfNeeded: offset)
            return
        }
    }

    /// Forgets every name at or behind `offset`.
    mutating func forget(from offset: Int) {
        var offsets = offsets.mutableSpan
        for slot in 0..<SuffixTable.slots where Int(offsets[slot]) >= offset { offsets[slot] = 0 }
    }

    /// The slot that `hash` uses in its `step`-th try.
    private static func slot(_ hash: UInt32, _ step: Int) -> Int {
        (Int(truncatingIfNeeded: hash ^ hash >> 16) &+ step) & (slots - 1)
    }

    /// Whether `name` from `offset` on is the name that stands at `place` of `message`, case aside (RFC 4343).
    ///
    /// The message is our own work: its pointers go backward, so the walk ends.
    private static func matches(
        _ name: Span<UInt8>, _ offset: Int, _ message: borrowing MutableSpan<UInt8>, _ place: Int
    ) -> Bool {
        var offset = offset
        var place = place
        while true {
            var length = message[place]
            while length >= 0xC0 {
                place = Int(length & 0x3F) << 8 | Int(message[place + 1])
                length = message[place]
            }
            guard length == name[offset] else { return false }
            if length == 0 { return true }
            for index in 1...Int(length)
            where canonicalCase(message[place + index]) != canonicalCase(name[offset + index]) { return false }
            offset += 1 + Int(length)
            place += 1 + Int(length)
        }
    }
}

/// Where the labels of one uncompressed name start, and a hash of the rest of the name from each of them.
struct LabelTable: ~Copyable {
    /// Labels, the root not counted: 0 to 127.
    private(set) var count = 0
    /// Offsets of the labels' length bytes.
    private(set) var offsets = InlineArray<128, UInt8>(repeating: 0)
    /// Hashes of the name from each label to its end, case aside; without a secret, for a table that may forget.
    private(set) var hashes = InlineArray<128, UInt32>(repeating: 0)

    /// Reads `name`; false when it is not one uncompressed wire name of at most 255 bytes.
    mutating func read(_ name: Span<UInt8>) -> Bool {
        guard name.count <= 255 else { return false }
        count = 0
        var offsets = offsets.mutableSpan
        var hashes = hashes.mutableSpan
        var offset = 0
        while true {
            guard offset < name.count, name[offset] < 64 else { return false }
            if name[offset] == 0 { break }
            offsets[count] = UInt8(truncatingIfNeeded: offset)
            count += 1
            offset += 1 + Int(name[offset])
        }
        guard offset == name.count - 1 else { return false }
        var hash: UInt32 = 0x811C_9DC5
        var index = count - 1
        while index >= 0 {
            let start = Int(offsets[index])
            for position in start...(start + Int(name[start])) {
                hash = (hash ^ UInt32(canonicalCase(name[position]))) &* 0x0100_0193
            }
            hashes[index] = hash
            index -= 1
        }
        return true
    }
}
