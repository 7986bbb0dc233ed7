internal import DNSWire

/// One shard of the answer cache: two logs of entries and an index over them, in one region of memory.
///
/// Eviction is S3-FIFO: new answers pass through a small log, and only those asked for again there reach the main one,
/// so that names asked for once (a scan, a random-subdomain flood) displace nothing else.
struct AnswerShard: ~Copyable, Sendable {
    /// Index, ghosts and entries.
    var arena: ByteArena
    /// Where each of them is.
    let layout: AnswerShardLayout
    /// Slots of the index that are in use, from the first on. They double when three quarters of them are taken, because an
    /// index as large as the shard may ever need it has every page of it touched by the first thousand answers.
    var slotCount: Int
    /// Newly seen answers.
    var small: ByteRing
    /// Answers that proved themselves.
    var main: ByteRing
    /// What happened here.
    var statistics = AnswerStatistics()
    /// How long answers here may be stale.
    private var staleLifetimes = StaleLifetimes()
    /// Entries under `AnswerKey.everyType`; lookups try that key only if there are any.
    var nameWideEntries = 0
    /// The serial of the next insertion.
    private var nextSerial: UInt64
    /// Distance of two serials of this shard: the number of shards.
    private let serialStep: UInt64

    /// An empty shard of `byteCount` bytes; nil if the system has no address space for it.
    init?(byteCount: Int, number: Int, of shards: Int) {
        layout = AnswerShardLayout(byteCount: byteCount)
        guard let arena = ByteArena(count: layout.byteCount) else { return nil }
        self.arena = arena
        slotCount = layout.firstSlotCount
        small = ByteRing(base: layout.smallBase, capacity: layout.smallCapacity)
        main = ByteRing(base: layout.mainBase, capacity: layout.mainCapacity)
        statistics.capacity = layout.byteCount
        nextSerial = UInt64(shards + number)
        serialStep = UInt64(shards)
    }

    /// Copies the answer to a question into `output`, TTLs counted down; nil, and a miss counted, if there is none.
    mutating func lookup(
        _ name: borrowing NameBuffer, _ key: AnswerKey, now: Moment, allowStale: Bool,
        into output: inout MutableSpan<UInt8>
    ) -> AnswerHit? {
        let exact = find(name, key)
        if let exact, now < arena.expires(exact) {
            return deliver(exact, now: now, isStale: false, into: &output)
        }
        let wide = nameWideEntries > 0 ? find(name, key.nameWide) : nil
        if let wide, now < arena.expires(wide) {
            return deliver(wide, now: now, isStale: false, into: &output)
        }
        if allowStale {
            if let exact, now < staleUntil(exact) {
                return deliver(exact, now: now, isStale: true, into: &output)
            }
            if let wide, now < staleUntil(wide) {
                return deliver(wide, now: now, isStale: true, into: &output)
            }
        }
        // A look that takes stale answers follows one that did not, and that one was counted.
        if !allowStale { statistics.misses &+= 1 }
        return nil
    }

    /// Copies an entry's message, or as much of it as fits, to `output` and writes what is left of each of its TTLs.
    private mutating func deliver(
        _ entry: AnswerEntry, now: Moment, isStale: Bool, into output: inout MutableSpan<UInt8>
    ) -> AnswerHit {
        let length = Int(arena.load(entry.imageLength, as: UInt16.self))
        let copied = arena.readImage(entry, into: &output)

        let storedAt = Moment(nanoseconds: arena.load(entry.storedAt))
        let elapsed = UInt32(clamping: now.seconds(since: storedAt))
        let offsets = arena.ttlOffsets(entry)
        for index in 0..<Int(arena.load(entry.ttlCount, as: UInt16.self)) {
            let offset = Int(arena.load(offsets + 2 * index, as: UInt16.self))
            guard offset + 4 <= copied else { continue }
            let stored = output.bigEndian32(at: offset)
            output.setBigEndian32(isStale ? AnswerHit.staleTTL : stored > elapsed ? stored - elapsed : 0, at: offset)
        }

        let kind = arena.kind(entry)
        let frequency = arena.frequency(entry)
        if frequency < AnswerEntry.maximumFrequency { arena.set(kind, frequency: frequency + 1, entry) }
        var hits = arena.load24(entry.hits)
        if hits < AnswerEntry.maximumHits { hits += 1 }
        arena.store24(hits, at: entry.hits)
        if isStale { statistics.staleHits &+= 1 } else { statistics.hits &+= 1 }

        let lifetime = arena.load(entry.lifetime, as: UInt32.self)
        return AnswerHit(
            length: length, serial: arena.load48(entry.serial), storedAt: storedAt, expires: arena.expires(entry),
            remaining: isStale ? AnswerHit.staleTTL : lifetime > elapsed ? lifetime - elapsed : 0, lifetime: lifetime,
            hits: hits, kind: kind, isStale: isStale,
            carriesAddresses: arena.has(AnswerEntry.carriesAddresses, entry))
    }

    /// Stores an answer and returns its serial; nil, counted as rejected, if it cannot or should not be kept.
    mutating func insert(
        _ name: borrowing NameBuffer, _ key: AnswerKey, image: Span<UInt8>, ttlOffsets: Span<UInt16>,
        _ stored: StoredAnswer, now: Moment
    ) -> UInt64? {
        let isPlain = image.isPlain(name, key)
        let size = AnswerEntry.size(
            isPlain: isPlain, name: name.count, ttlCount: ttlOffsets.count, image: image.count)
        guard stored.lifetime > 0, isWellFormed(name, image, ttlOffsets), size <= small.capacity else {
            statistics.rejected &+= 1
            return nil
        }
        let existing = find(name, key)
        if stored.kind == .failure, isGood(existing, now) || isGood(find(name, key.nameWide), now) {
            statistics.rejected &+= 1
            return nil
        }
        if key.type != AnswerKey.everyType, stored.kind != .failure, nameWideEntries > 0,
            let contradicted = find(name, key.nameWide)
        {
            remove(contradicted)
        }
        let hash = key.tableHash(nameHash: name.hash)
        let entry: AnswerEntry
        var hits: UInt32 = 0
        var frequency: UInt8 = 0
        if let existing {
            hits = arena.load24(existing.hits)
            frequency = arena.frequency(existing)
        }
        if let existing, arena.size(existing) == size {
            entry = existing
        } else {
            let isProven = existing.map { main.contains($0.position) } ?? takeGhost(hash)
            if let existing { remove(existing) }
            entry = AnswerEntry(position: makeRoom(size, inMain: isProven, now: now))
            if statistics.entries >= AnswerShardLayout.entryLimit(slots: slotCount) { growIndex() }
            addToIndex(entry, hash: hash)
            statistics.entries += 1
            statistics.bytesUsed += size
            if key.type == AnswerKey.everyType { nameWideEntries += 1 }
        }
        let serial = nextSerial
        nextSerial &+= serialStep
        statistics.insertions &+= 1

        arena.store(now.nanoseconds, at: entry.storedAt)
        arena.store48(serial, at: entry.serial)
        let staleLifetime = stored.kind == .failure ? 0 : stored.staleLifetime
        arena.store(staleLifetimes.index(of: staleLifetime), at: entry.staleLifetime)
        arena.store(UInt8(name.count), at: entry.nameLength)
        arena.store(stored.lifetime, at: entry.lifetime)
        arena.store(hash, at: entry.hash)
        arena.store24(hits, at: entry.hits)
        arena.set(stored.kind, frequency: frequency, entry)
        arena.store24(0, at: entry.refreshClaim)
        var flags = key.options.rawValue & AnswerEntry.optionsMask
        if key.type == AnswerKey.everyType { flags |= AnswerEntry.isNameWide }
        if stored.carriesAddresses { flags |= AnswerEntry.carriesAddresses }
        if isPlain { flags |= AnswerEntry.isPlain }
        arena.store(flags, at: entry.flags)
        arena.store(UInt16(image.count), at: entry.imageLength)
        arena.store(UInt16(ttlOffsets.count), at: entry.ttlCount)
        let offsets = arena.ttlOffsets(entry)
        for index in ttlOffsets.indices { arena.store(ttlOffsets[index], at: offsets + 2 * index) }
        arena.writeImage(image, name: name.span, key: key, entry)
        return serial
    }

    /// Whether a name, a message and the offsets of its TTLs can be stored and read back within bounds.
    private func isWellFormed(
        _ name: borrowing NameBuffer, _ image: Span<UInt8>, _ ttlOffsets: Span<UInt16>
    ) -> Bool {
        guard name.count > 0, (Header.length...Int(UInt16.max)).contains(image.count),
            ttlOffsets.count <= Int(UInt16.max)
        else { return false }
        for index in ttlOffsets.indices {
            let offset = Int(ttlOffsets[index])
            guard offset >= Header.length, offset <= image.count - 4 else { return false }
        }
        return true
    }

    /// When an entry may not even be served stale any more.
    func staleUntil(_ entry: AnswerEntry) -> Moment {
        let seconds = staleLifetimes[arena.load(entry.staleLifetime)]
        return arena.expires(entry).adding(seconds: Int64(seconds))
    }

    /// Whether an entry is there, is not itself a failure, and may still be served, if only stale.
    private func isGood(_ entry: AnswerEntry?, _ now: Moment) -> Bool {
        guard let entry else { return false }
        return arena.kind(entry) != .failure && now < staleUntil(entry)
    }

    /// Claims the refresh of an answer until `now` + `seconds`; false if there is no such answer, it is in the first half
    /// of its life, or a claim is running.
    mutating func claimRefresh(_ name: borrowing NameBuffer, _ key: AnswerKey, now: Moment, seconds: UInt32) -> Bool {
        let wide = nameWideEntries > 0 ? find(name, key.nameWide) : nil
        guard let entry = find(name, key) ?? wide else { return false }
        let storedAt = Moment(nanoseconds: arena.load(entry.storedAt))
        let age = min(UInt32(clamping: now.seconds(since: storedAt)), AnswerEntry.maximumClaim)
        // Whoever found it about to expire, and comes too late, must not claim what has just replaced it.
        let isYoung = age < arena.load(entry.lifetime, as: UInt32.self) / 2
        guard !isYoung, age >= arena.load24(entry.refreshClaim) else { return false }
        arena.store24(min(seconds, AnswerEntry.maximumClaim - age) + age, at: entry.refreshClaim)
        return true
    }

    /// Drops what there is for a question, the NXDOMAIN that covers every type of the name included.
    mutating func remove(_ name: borrowing NameBuffer, _ key: AnswerKey) {
        if let entry = find(name, key) { remove(entry) }
        if nameWideEntries > 0, let entry = find(name, key.nameWide) { remove(entry) }
    }

    /// Takes an entry out of the index and leaves its bytes to the tail.
    mutating func remove(_ entry: AnswerEntry) {
        removeFromIndex(entry)
        arena.store(arena.load(entry.flags, as: UInt8.self) | AnswerEntry.isDead, at: entry.flags)
        forget(entry)
    }

    /// Stops counting an entry that has left the index.
    mutating func forget(_ entry: AnswerEntry) {
        statistics.entries -= 1
        statistics.bytesUsed -= arena.size(entry)
        if arena.has(AnswerEntry.isNameWide, entry) { nameWideEntries -= 1 }
    }

    /// Empties the shard and gives its memory back; the counters stay.
    mutating func removeAll() -> Int {
        let removed = statistics.entries
        arena.discard()
        slotCount = layout.firstSlotCount
        small = ByteRing(base: layout.smallBase, capacity: layout.smallCapacity)
        main = ByteRing(base: layout.mainBase, capacity: layout.mainCapacity)
        statistics.entries = 0
        statistics.bytesUsed = 0
        nameWideEntries = 0
        return removed
    }
}
