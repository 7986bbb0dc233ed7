internal import DNSWire

/// Walks over the whole shard, for commands.
extension AnswerShard {
    /// Calls `body` for up to `limit` entries that can still be served, from a place in this shard on; returns where to go
    /// on, the next shard at the end.
    func list(from cursor: AnswerCursor, limit: Int, now: Moment, _ body: (AnswerListing) -> Void) -> AnswerCursor {
        var cursor = cursor
        if cursor.slotCount != slotCount { cursor.slot = 0 }
        cursor.slotCount = slotCount
        var listed = 0
        for number in cursor.slot..<slotCount where slot(number) != 0 {
            let entry = layout.entry(slot(number))
            guard now < staleUntil(entry) else { continue }
            if listed == limit {
                cursor.slot = number
                return cursor
            }
            listed += 1
            var image = [UInt8](repeating: 0, count: Int(arena.load(entry.imageLength, as: UInt16.self)))
            var span = image.mutableSpan
            _ = arena.readImage(entry, into: &span)
            let left = arena.expires(entry).nanoseconds(since: now)
            body(
                AnswerListing(
                    name: arena.withName(entry) { DomainName(canonicalBytes: [UInt8]($0)) }, key: arena.key(entry),
                    kind: arena.kind(entry), responseCode: arena.responseCode(entry),
                    remaining: left > 0 ? UInt32(clamping: (left - 1) / 1_000_000_000 + 1) : 0,
                    hits: arena.load24(entry.hits), size: arena.size(entry),
                    image: image, isStale: left <= 0))
        }
        return AnswerCursor(shard: cursor.shard + 1)
    }

    /// Removes the entries for whose name the predicate holds and returns how many.
    mutating func remove(where isUnwanted: (Span<UInt8>) -> Bool) -> Int {
        var removed = 0
        for ring in [small, main] {
            var ring = ring
            while !ring.isEmpty {
                let entry = AnswerEntry(position: ring.tail)
                ring.release(arena.size(entry))
                if !arena.has(AnswerEntry.isDead, entry), arena.withName(entry, isUnwanted) {
                    remove(entry)
                    removed += 1
                }
            }
        }
        return removed
    }
}

extension [UInt8] {
    /// The bytes of a span, as an array.
    init(_ span: Span<UInt8>) {
        self.init(capacity: span.count) { output in
            for index in span.indices { output.append(span[index]) }
        }
    }
}
