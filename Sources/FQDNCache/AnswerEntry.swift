internal import DNSWire

/// Where one answer stands in its shard's arena, and how its bytes are laid out:
/// a fixed header, its canonical name, the offsets of its TTL fields, its message; padded to eight bytes.
///
/// A message that itself has the canonical name in its question lends it, and the name is not stored again.
struct AnswerEntry: Equatable, Sendable {
    /// Offset of the header in the arena, a multiple of eight.
    let position: Int

    /// Bytes of the header.
    static let headerLength = 48
    /// Every entry starts at a multiple of this.
    static let alignment = 8
    /// Where the name in the question of a message starts (RFC 1035, section 4.1.1).
    static let questionOffset = Header.length

    /// Bytes of an entry, padding included.
    static func size(storedName: Int, ttlCount: Int, image: Int) -> Int {
        (headerLength + storedName + 2 * ttlCount + image + alignment - 1) & ~(alignment - 1)
    }
}

/// What the header holds, by offset.
extension AnswerEntry {
    /// When it was stored: Int64 nanoseconds.
    var storedAt: Int { position }
    /// Its serial: UInt64.
    var serial: Int { position + 8 }
    /// Seconds it is fresh: UInt32.
    var lifetime: Int { position + 16 }
    /// Seconds it may be stale: UInt32.
    var staleLifetime: Int { position + 20 }
    /// Its table hash: UInt32.
    var hash: Int { position + 24 }
    /// Hits under its key: UInt32.
    var hits: Int { position + 28 }
    /// The second since boot up to which somebody has claimed its refresh: UInt32.
    var refreshClaim: Int { position + 32 }
    /// Type: UInt16.
    var type: Int { position + 36 }
    /// Class: UInt16.
    var recordClass: Int { position + 38 }
    /// Bytes of the message: UInt16.
    var imageLength: Int { position + 40 }
    /// Number of TTL fields: UInt16.
    var ttlCount: Int { position + 42 }
    /// Bytes of the name: UInt8.
    var nameLength: Int { position + 44 }
    /// `AnswerOptions` in the lower bits, and the flags below: UInt8.
    var flags: Int { position + 45 }
    /// `AnswerKind`: UInt8.
    var kind: Int { position + 46 }
    /// Hits that count for eviction, 0 to `maximumFrequency`: UInt8.
    var frequency: Int { position + 47 }

    /// The bits of `flags` that are `AnswerOptions`.
    static let optionsMask: UInt8 = 0x0F
    /// The answer carries addresses.
    static let carriesAddresses: UInt8 = 0x10
    /// The name stands in the message only.
    static let sharesName: UInt8 = 0x20
    /// The answer was replaced or removed; its bytes wait for the tail.
    static let isDead: UInt8 = 0x80
    /// Where counting hits for eviction stops, as S3-FIFO has it.
    static let maximumFrequency: UInt8 = 3
}

/// Reading an entry as a whole.
extension ByteArena {
    /// Whether `flag` is set.
    @inline(__always)
    func has(_ flag: UInt8, _ entry: AnswerEntry) -> Bool {
        load(entry.flags, as: UInt8.self) & flag != 0
    }

    /// Bytes of the name that are stored apart from the message.
    private func storedNameLength(_ entry: AnswerEntry) -> Int {
        has(AnswerEntry.sharesName, entry) ? 0 : Int(load(entry.nameLength, as: UInt8.self))
    }

    /// Where the TTL offsets start.
    @inline(__always)
    func ttlOffsets(_ entry: AnswerEntry) -> Int {
        entry.position + AnswerEntry.headerLength + storedNameLength(entry)
    }

    /// Where the message starts.
    @inline(__always)
    func image(_ entry: AnswerEntry) -> Int {
        ttlOffsets(entry) + 2 * Int(load(entry.ttlCount, as: UInt16.self))
    }

    /// Lends the canonical name.
    @inline(__always)
    func withName<Result>(_ entry: AnswerEntry, _ body: (Span<UInt8>) -> Result) -> Result {
        let start =
            has(AnswerEntry.sharesName, entry)
            ? image(entry) + AnswerEntry.questionOffset : entry.position + AnswerEntry.headerLength
        return withSpan(start, Int(load(entry.nameLength, as: UInt8.self)), body)
    }

    /// Bytes of the whole entry.
    func size(_ entry: AnswerEntry) -> Int {
        AnswerEntry.size(
            storedName: storedNameLength(entry), ttlCount: Int(load(entry.ttlCount, as: UInt16.self)),
            image: Int(load(entry.imageLength, as: UInt16.self)))
    }

    /// The key.
    func key(_ entry: AnswerEntry) -> AnswerKey {
        AnswerKey(
            type: RecordType(rawValue: load(entry.type)), recordClass: RecordClass(rawValue: load(entry.recordClass)),
            options: AnswerOptions(rawValue: load(entry.flags, as: UInt8.self) & AnswerEntry.optionsMask))
    }

    /// What it says.
    func kind(_ entry: AnswerEntry) -> AnswerKind {
        AnswerKind(rawValue: load(entry.kind)) ?? .failure
    }

    /// When it stops being fresh.
    func expires(_ entry: AnswerEntry) -> Moment {
        Moment(nanoseconds: load(entry.storedAt)).adding(seconds: Int64(load(entry.lifetime, as: UInt32.self)))
    }

    /// When it may not even be served stale any more.
    func staleUntil(_ entry: AnswerEntry) -> Moment {
        expires(entry).adding(seconds: Int64(load(entry.staleLifetime, as: UInt32.self)))
    }
}
