/// Making room: what leaves the logs at their tails, and the memory of what left the small one.
extension AnswerShard {
    /// Entries that one insertion may send round the main log again, so that its cost has a bound. Who meets none in so
    /// many that can go does not come in: what is asked for again is worth more than a newcomer.
    private static var secondChances: Int { 64 }
    /// Hits in the small log that earn a place in the main one.
    private static var promotionFrequency: UInt8 { 1 }

    /// Frees and takes `size` bytes, at most the small log's capacity, and returns where they are.
    mutating func makeRoom(_ size: Int, inMain: Bool, now: Moment) -> Int {
        var chances = AnswerShard.secondChances
        while statistics.entries >= layout.entryLimit {
            if !small.isEmpty {
                releaseSmall(now, &chances)
            } else if !releaseMain(now, &chances) {
                chances = AnswerShard.secondChances
            }
        }
        if inMain, let position = makeRoomInMain(size, now, &chances) { return position }
        while true {
            if let position = small.reserve(size) { return position }
            releaseSmall(now, &chances)
        }
    }

    /// Frees and takes `size` bytes of the main log; nil if all that could go is asked for again.
    private mutating func makeRoomInMain(_ size: Int, _ now: Moment, _ chances: inout Int) -> Int? {
        while true {
            if let position = main.reserve(size) { return position }
            guard releaseMain(now, &chances) else { return nil }
        }
    }

    /// Lets the oldest entry of the small log go: to the main log if it was asked for again or there is space to spare,
    /// to the ghosts if not.
    private mutating func releaseSmall(_ now: Moment, _ chances: inout Int) {
        let entry = AnswerEntry(position: small.tail)
        let size = arena.size(entry)
        small.release(size)
        guard !arena.has(AnswerEntry.isDead, entry) else { return }
        let isPopular = arena.frequency(entry) >= AnswerShard.promotionFrequency
        if now < staleUntil(entry),
            let position = isPopular ? makeRoomInMain(size, now, &chances) : main.reserve(size)
        {
            let target = AnswerEntry(position: position)
            moveInIndex(entry, to: target)
            arena.move(from: entry.position, to: position, size)
            arena.set(arena.kind(target), frequency: 0, target)
        } else {
            addGhost(arena.load(entry.hash))
            drop(entry, now)
        }
    }

    /// Lets the oldest entry of the main log go, or sends it round again with one hit less; false, and nothing done, if
    /// it is asked for again and there are no chances left.
    private mutating func releaseMain(_ now: Moment, _ chances: inout Int) -> Bool {
        let entry = AnswerEntry(position: main.tail)
        let size = arena.size(entry)
        let frequency = arena.frequency(entry)
        let isDead = arena.has(AnswerEntry.isDead, entry)
        let isWanted = !isDead && frequency > 0 && now < staleUntil(entry)
        if isWanted, chances == 0 { return false }
        main.release(size)
        if isWanted, let position = main.reserve(size) {
            chances -= 1
            let target = AnswerEntry(position: position)
            moveInIndex(entry, to: target)
            arena.move(from: entry.position, to: position, size)
            arena.set(arena.kind(target), frequency: frequency - 1, target)
        } else if !isDead {
            drop(entry, now)
        }
        return true
    }

    /// Takes an entry whose bytes were released out of the index, and counts why.
    private mutating func drop(_ entry: AnswerEntry, _ now: Moment) {
        if now < staleUntil(entry) { statistics.evictions &+= 1 } else { statistics.expirations &+= 1 }
        removeFromIndex(entry)
        forget(entry)
    }

    // MARK: Ghosts, sets of four 16-bit fingerprints, the newest in the lowest bits

    /// Where the ghost set of a hash is, and its fingerprint, never zero.
    private func ghost(_ hash: UInt32) -> (offset: Int, fingerprint: UInt64) {
        let spread = hash &* 0x9E37_79B1
        let set = Int((UInt64(spread) * UInt64(layout.ghostSets)) >> 32)
        return (layout.ghostBase + 8 * set, UInt64(max(hash & 0xFFFF, 1)))
    }

    /// Remembers that an answer left the small log unused.
    private mutating func addGhost(_ hash: UInt32) {
        let (offset, fingerprint) = ghost(hash)
        arena.store(arena.load(offset, as: UInt64.self) << 16 | fingerprint, at: offset)
    }

    /// Whether an answer left the small log lately; forgets that it did.
    mutating func takeGhost(_ hash: UInt32) -> Bool {
        let (offset, fingerprint) = ghost(hash)
        let set = arena.load(offset, as: UInt64.self)
        for lane in stride(from: UInt64(0), to: 64, by: 16) where set >> lane & 0xFFFF == fingerprint {
            arena.store(set & ~(0xFFFF << lane), at: offset)
            return true
        }
        return false
    }
}
