/// The records of a response's answer and authority sections, grouped into RRsets (RFC 2181, section 5).
///
/// One pass fills it, and every later question, "the CNAME of this name", "the signatures over that RRset", is
/// one look into a hash table, whatever order the records came in and however many there are.
struct RecordSetTable: ~Copyable {
    /// A record, as much of it as is needed to copy it.
    struct Entry {
        /// Where its data is.
        var data: Range<Int>
        /// Index of the next record of the same RRset, or -1.
        var next: Int32
    }

    /// What makes records one RRset; signatures are grouped by the type they cover (RFC 4035, section 2.2).
    struct Key: Equatable {
        /// The section the records are in.
        var section: Section
        /// Keyed hash of the owner.
        var ownerHash: UInt64
        /// The type, or the type covered.
        var type: RecordType
        /// Whether these are signatures.
        var isSignature: Bool
    }

    /// The sections whose records can reach a client.
    enum Section: UInt8 {
        /// The answer section.
        case answer
        /// The authority section.
        case authority
    }

    /// One RRset.
    struct RecordSet {
        /// What its records share.
        var key: Key
        /// Where the owner of its first record stands in the message.
        var ownerOffset: Int
        /// The smallest TTL of its records, in seconds (RFC 2181, section 5.2).
        var ttl: UInt32
        /// Number of records, duplicates included.
        var count: Int
        /// Index of its first record.
        var first: Int32
        /// Index of its last record.
        var last: Int32
        /// Whether it is in the image already.
        var isWritten = false
    }

    /// All records in the order of the message.
    private(set) var records: [Entry] = []
    /// All RRsets in the order of their first records.
    private(set) var sets: [RecordSet] = []
    /// Hash table of indices into `sets`, plus one; 0 is an empty slot. Those behind `mask` mean nothing.
    private var slots: [UInt16] = []
    /// Number of slots in use minus one, the number being a power of two.
    private var mask = 0
    /// Index of the RRset that the last record went to.
    private var latest = 0
    /// Whether the answer section has a DNAME anywhere.
    private(set) var hasDNAME = false
    /// Whether the authority section has a SOA anywhere.
    private(set) var hasSOA = false
    /// Slots and bytes looked at since the last reset.
    private(set) var steps = 0

    /// Empties the table for a message of up to `count` records, keeping its memory.
    mutating func reset(count: Int) {
        records.removeAll(keepingCapacity: true)
        sets.removeAll(keepingCapacity: true)
        var size = 8
        while size < 2 * count { size *= 2 }
        if slots.count < size { slots = [UInt16](repeating: 0, count: size) }
        var used = slots.mutableSpan
        for index in 0..<size { used[index] = 0 }
        mask = size - 1
        steps = 0
        latest = 0
        hasDNAME = false
        hasSOA = false
    }

    /// Adds a record of `key` that is owned by `owner`, which was that of the record added before if `isSameOwner`.
    mutating func add(
        _ record: RecordView, _ key: Key, owner: borrowing NameBuffer, isSameOwner: Bool, in message: Span<UInt8>
    ) {
        let index = Int32(truncatingIfNeeded: records.count)
        records.append(Entry(data: record.dataOffset..<record.end, next: -1))
        if isSameOwner, latest < sets.count, sets[latest].key == key {
            append(index, to: latest, ttl: record.ttl)
            return
        }
        var slot = slot(key)
        while slots[slot] != 0 {
            latest = Int(slots[slot]) - 1
            steps += 1
            if sets[latest].key == key, owner.suffix(matches: message, at: sets[latest].ownerOffset) {
                steps += owner.count
                append(index, to: latest, ttl: record.ttl)
                return
            }
            slot = (slot + 1) & mask
        }
        latest = sets.count
        sets.append(
            RecordSet(
                key: key, ownerOffset: record.ownerOffset, ttl: record.ttl, count: 1, first: index, last: index))
        slots[slot] = UInt16(truncatingIfNeeded: sets.count)
        if key.section == .answer, key.type == .dname, !key.isSignature { hasDNAME = true }
        if key.section == .authority, key.type == .soa, !key.isSignature { hasSOA = true }
    }

    /// Puts record `index` at the end of RRset `set`.
    private mutating func append(_ index: Int32, to set: Int, ttl: UInt32) {
        records[Int(sets[set].last)].next = index
        sets[set].last = index
        sets[set].count += 1
        sets[set].ttl = min(sets[set].ttl, ttl)
    }

    /// The index of the RRset of `type` that is owned by `name`, or by the part of it that starts at `start` and
    /// has `hash`; nil when there is none.
    mutating func find(
        _ section: Section, _ name: borrowing NameBuffer, from start: Int, hash: UInt64, _ type: RecordType,
        isSignature: Bool = false, in message: Span<UInt8>
    ) -> Int? {
        let key = Key(section: section, ownerHash: hash, type: type, isSignature: isSignature)
        var slot = slot(key)
        while slots[slot] != 0 {
            let candidate = Int(slots[slot]) - 1
            steps += 1
            if sets[candidate].key == key, name.suffix(from: start, matches: message, at: sets[candidate].ownerOffset) {
                steps += name.count
                return candidate
            }
            slot = (slot + 1) & mask
        }
        return nil
    }

    /// The index of the RRset of `type` that is owned by `name`; nil when there is none.
    mutating func find(
        _ section: Section, _ name: borrowing NameBuffer, _ type: RecordType, isSignature: Bool = false,
        in message: Span<UInt8>
    ) -> Int? {
        find(section, name, from: 0, hash: name.hash, type, isSignature: isSignature, in: message)
    }

    /// Notes that an RRset is in the image; false when it was there before.
    mutating func markWritten(_ index: Int) -> Bool {
        guard !sets[index].isWritten else { return false }
        sets[index].isWritten = true
        return true
    }

    /// The first slot of `key`.
    private func slot(_ key: Key) -> Int {
        let kind = UInt64(key.type.rawValue) << 2 | UInt64(key.section.rawValue) << 1 | (key.isSignature ? 1 : 0)
        let mixed = (key.ownerHash ^ kind) &* 0x9E37_79B9_7F4A_7C15
        return Int(truncatingIfNeeded: mixed >> 32) & mask
    }
}
