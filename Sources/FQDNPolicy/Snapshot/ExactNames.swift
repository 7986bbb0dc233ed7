import DNSWire

/// The exact names of a layer while it is built: one record for every distinct name.
struct ExactNames {
    /// What is known of a name.
    private struct Record {
        /// Its hash.
        let hash: UInt64
        /// Where it starts in `names`.
        let start: Int
        /// Its length in bytes.
        let length: Int
        /// What its rules do.
        var effects: RuleEffects = []
        /// The last of its entries.
        var head: UInt32 = 0
    }

    /// The records in the order in which names came.
    private var records: [Record] = []
    /// The names in wire form.
    private var names: [UInt8] = []
    /// Numbers of records, counted from 1, by hash; 0 for an empty slot. At most two thirds are taken.
    private var slots: [UInt32]

    /// Bytes in front of every name: its length, two of effects, four of the last entry's index.
    static let prefix = 7

    /// A table for at most `capacity` distinct names.
    init(capacity: Int) {
        slots = [UInt32](repeating: 0, count: capacity * 3 / 2 + 2)
    }

    /// Adds effects to those of a name; `head` gets the last of its entries so far and returns the new one.
    mutating func add(_ name: DomainName, _ effects: RuleEffects, _ head: (UInt32) -> UInt32) {
        let hash = name.hash(seed: .process)
        var slot = Int(NameBucket.index(of: hash, count: UInt32(truncatingIfNeeded: slots.count)))
        while slots[slot] != 0, !isName(name, hash, of: records[Int(slots[slot]) - 1]) {
            slot += 1
            if slot == slots.count { slot = 0 }
        }
        if slots[slot] == 0 {
            records.append(Record(hash: hash, start: names.count, length: name.bytes.count))
            names.append(contentsOf: name.bytes)
            slots[slot] = UInt32(truncatingIfNeeded: records.count)
        }
        let index = Int(slots[slot]) - 1
        records[index].effects.formUnion(effects)
        records[index].head = head(records[index].head)
    }

    /// Whether a record is that of `name`.
    private func isName(_ name: DomainName, _ hash: UInt64, of record: Record) -> Bool {
        record.hash == hash && record.length == name.bytes.count
            && names[record.start..<(record.start + record.length)].elementsEqual(name.bytes)
    }

    /// Puts the names behind `bytes`, bucket by bucket, and returns the buckets, with one more at the end, whose place
    /// is where the last names end. `placed` gets the place of each name and the last of its entries.
    func place(in bytes: inout [UInt8], _ placed: (_ name: UInt32, _ head: UInt32) -> Void) -> [NameBucket] {
        guard !records.isEmpty else { return [] }
        let count = NameBucket.count(forNames: records.count)
        var firsts = [Int](repeating: 0, count: count + 1)
        let buckets = records.map { Int(NameBucket.index(of: $0.hash, count: UInt32(truncatingIfNeeded: count))) }
        for bucket in buckets { firsts[bucket + 1] += 1 }
        for index in 0..<count { firsts[index + 1] += firsts[index] }
        var order = [Int](repeating: 0, count: records.count)
        var next = firsts
        for (number, bucket) in buckets.enumerated() {
            order[next[bucket]] = number
            next[bucket] += 1
        }
        var result: [NameBucket] = []
        result.reserveCapacity(count + 1)
        for bucket in 0..<count {
            let start = UInt32(truncatingIfNeeded: bytes.count)
            var marks = NameBucket.Marks()
            for number in order[firsts[bucket]..<firsts[bucket + 1]] {
                let record = records[number]
                marks.insert(record.hash)
                let effects = record.effects.rawValue
                bytes.append(UInt8(truncatingIfNeeded: record.length))
                bytes.append(UInt8(truncatingIfNeeded: effects))
                bytes.append(UInt8(truncatingIfNeeded: effects >> 8))
                for shift in [0, 8, 16, 24] { bytes.append(UInt8(truncatingIfNeeded: record.head >> UInt32(shift))) }
                placed(UInt32(truncatingIfNeeded: bytes.count), record.head)
                bytes.append(contentsOf: names[record.start..<(record.start + record.length)])
            }
            result.append(NameBucket(place: start, marks: marks))
        }
        result.append(NameBucket(place: UInt32(truncatingIfNeeded: bytes.count), marks: NameBucket.Marks()))
        return result
    }
}
