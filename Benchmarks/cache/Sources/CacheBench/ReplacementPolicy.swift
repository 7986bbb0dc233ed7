/// A cache of answers that has to choose what to forget.
protocol ReplacementPolicy {
    /// Asks for the name with that number, remembers it if it is new, and tells whether it was there.
    mutating func ask(_ name: Int) -> Bool
    /// Answers held.
    var entries: Int { get }
}

/// What was used longest ago goes.
struct LeastRecentlyUsed: ReplacementPolicy {
    /// Most answers.
    private let room: Int
    /// Slot of each name.
    private var slots: [Int: Int] = [:]
    /// The name in each slot.
    private var names: [Int] = []
    /// The slot used just before each, -1 for the oldest.
    private var older: [Int] = []
    /// The slot used just after each, -1 for the newest.
    private var newer: [Int] = []
    /// The slot used last, -1 for none.
    private var newest = -1
    /// The slot used longest ago, -1 for none.
    private var oldest = -1

    /// Room for that many answers.
    init(room: Int) { self.room = room }

    var entries: Int { slots.count }

    mutating func ask(_ name: Int) -> Bool {
        if let slot = slots[name] {
            unlink(slot)
            linkAsNewest(slot)
            return true
        }
        let slot: Int
        if names.count < room {
            slot = names.count
            names.append(name)
            older.append(-1)
            newer.append(-1)
        } else {
            slot = oldest
            slots[names[slot]] = nil
            unlink(slot)
            names[slot] = name
        }
        slots[name] = slot
        linkAsNewest(slot)
        return false
    }

    /// Takes a slot out of the list.
    private mutating func unlink(_ slot: Int) {
        if newer[slot] >= 0 { older[newer[slot]] = older[slot] } else { newest = older[slot] }
        if older[slot] >= 0 { newer[older[slot]] = newer[slot] } else { oldest = newer[slot] }
    }

    /// Puts a slot, which is in no list, at the head.
    private mutating func linkAsNewest(_ slot: Int) {
        older[slot] = newest
        newer[slot] = -1
        if newest >= 0 { newer[newest] = slot } else { oldest = slot }
        newest = slot
    }
}

/// Any one goes.
struct RandomReplacement: ReplacementPolicy {
    /// Most answers.
    private let room: Int
    /// The names.
    private var names: [Int] = []
    /// Those names.
    private var known: Set<Int> = []
    /// What chooses.
    private var dice = Dice(99)

    /// Room for that many answers.
    init(room: Int) { self.room = room }

    var entries: Int { names.count }

    mutating func ask(_ name: Int) -> Bool {
        guard known.insert(name).inserted else { return true }
        if names.count < room {
            names.append(name)
        } else {
            let slot = Int.random(in: 0..<room, using: &dice)
            known.remove(names[slot])
            names[slot] = name
        }
        return false
    }
}
