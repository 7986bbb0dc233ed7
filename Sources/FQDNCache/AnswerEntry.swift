internal import DNSWire

/// Where one answer stands in its shard's arena, and how its bytes are laid out: a fixed header, the offsets of its TTL
/// fields, its message; padded to four bytes.
///
/// Nearly every message begins with what its key says anyhow: no ID, one question, nothing in the additional section,
/// then the name, the type and the class. Of such a one (`isPlain`) only the rest of the header is stored, and what its
/// question says is not stored again. Any other follows its type, class and name, and is whole.
struct AnswerEntry: Equatable, Sendable {
    /// Offset of the header in the arena, a multiple of four.
    let position: Int

    /// Bytes of the header.
    static let headerLength = 36
    /// Every entry starts at a multiple of this.
    static let alignment = 4
    /// Bytes that a plain message is shorter by: ID, number of questions, number of additional records.
    static let plainSaving = 6
    /// Bytes in front of the question of a plain message as it is stored: flags, numbers of answers and authorities.
    static let plainHeaderLength = Header.length - plainSaving

    /// Bytes of an entry, padding included.
    static func size(isPlain: Bool, name: Int, ttlCount: Int, image: Int) -> Int {
        let message = isPlain ? image - plainSaving : 4 + name + image
        return (headerLength + 2 * ttlCount + message + alignment - 1) & ~(alignment - 1)
    }
}

/// What the header holds, by offset.
extension AnswerEntry {
    /// When it was stored: Int64 nanoseconds.
    var storedAt: Int { position }
    /// Its serial: 48 bits.
    var serial: Int { position + 8 }
    /// Seconds it may be stale, as an index into the shard's `staleLifetimes`: UInt8.
    var staleLifetime: Int { position + 14 }
    /// Bytes of the name: UInt8.
    var nameLength: Int { position + 15 }
    /// Seconds it is fresh: UInt32.
    var lifetime: Int { position + 16 }
    /// Its table hash: UInt32.
    var hash: Int { position + 20 }
    /// Hits under its key: 24 bits.
    var hits: Int { position + 24 }
    /// Hits that count for eviction, 0 to `maximumFrequency`, in the lower two bits, `AnswerKind` above: UInt8.
    var kindAndFrequency: Int { position + 27 }
    /// Seconds from when it was stored up to which somebody has claimed its refresh: 24 bits.
    var refreshClaim: Int { position + 28 }
    /// `AnswerOptions` in the lower bits, and the flags below: UInt8.
    var flags: Int { position + 31 }
    /// Bytes of the message: UInt16.
    var imageLength: Int { position + 32 }
    /// Number of TTL fields: UInt16.
    var ttlCount: Int { position + 34 }

    /// The bits of `flags` that are `AnswerOptions`.
    static let optionsMask: UInt8 = 0x03
    /// The answer is an NXDOMAIN under `AnswerKey.everyType`.
    static let isNameWide: UInt8 = 0x08
    /// The answer carries addresses.
    static let carriesAddresses: UInt8 = 0x10
    /// What the key says stands in the message only.
    static let isPlain: UInt8 = 0x20
    /// The answer was replaced or removed; its bytes wait for the tail.
    static let isDead: UInt8 = 0x80
    /// Where counting hits for eviction stops, as S3-FIFO has it.
    static let maximumFrequency: UInt8 = 3
    /// Where counting hits stops.
    static let maximumHits: UInt32 = 1 << 24 - 1
    /// The last second after it was stored up to which its refresh can be claimed.
    static let maximumClaim: UInt32 = 1 << 24 - 1
}

/// Reading an entry as a whole.
extension ByteArena {
    /// Whether `flag` is set.
    @inline(__always)
    func has(_ flag: UInt8, _ entry: AnswerEntry) -> Bool {
        load(entry.flags, as: UInt8.self) & flag != 0
    }

    /// Where the TTL offsets start.
    @inline(__always)
    func ttlOffsets(_ entry: AnswerEntry) -> Int { entry.position + AnswerEntry.headerLength }

    /// Where what follows the TTL offsets starts: a plain message, or type, class and name of another.
    @inline(__always)
    func body(_ entry: AnswerEntry) -> Int {
        ttlOffsets(entry) + 2 * Int(load(entry.ttlCount, as: UInt16.self))
    }

    /// Where the name starts.
    @inline(__always)
    func name(_ entry: AnswerEntry) -> Int {
        body(entry) + (has(AnswerEntry.isPlain, entry) ? AnswerEntry.plainHeaderLength : 4)
    }

    /// Lends the canonical name.
    @inline(__always)
    func withName<Result>(_ entry: AnswerEntry, _ body: (Span<UInt8>) -> Result) -> Result {
        withSpan(name(entry), Int(load(entry.nameLength, as: UInt8.self)), body)
    }

    /// Bytes of the whole entry.
    func size(_ entry: AnswerEntry) -> Int {
        AnswerEntry.size(
            isPlain: has(AnswerEntry.isPlain, entry), name: Int(load(entry.nameLength, as: UInt8.self)),
            ttlCount: Int(load(entry.ttlCount, as: UInt16.self)), image: Int(load(entry.imageLength, as: UInt16.self)))
    }

    /// The key.
    @inline(__always)
    func key(_ entry: AnswerEntry) -> AnswerKey {
        let start =
            has(AnswerEntry.isPlain, entry)
            ? name(entry) + Int(load(entry.nameLength, as: UInt8.self)) : body(entry)
        let type = has(AnswerEntry.isNameWide, entry) ? AnswerKey.everyType.rawValue : UInt16(bigEndian: load(start))
        return AnswerKey(
            type: RecordType(rawValue: type), recordClass: RecordClass(rawValue: UInt16(bigEndian: load(start + 2))),
            options: AnswerOptions(rawValue: load(entry.flags, as: UInt8.self) & AnswerEntry.optionsMask))
    }

    /// Copies the message to the start of `output`, or as much of it as fits, and returns how much that is.
    @inline(__always)
    func readImage(_ entry: AnswerEntry, into output: inout MutableSpan<UInt8>) -> Int {
        let copied = min(Int(load(entry.imageLength, as: UInt16.self)), output.count)
        let start = body(entry)
        guard has(AnswerEntry.isPlain, entry) else {
            read(start + 4 + Int(load(entry.nameLength, as: UInt8.self)), copied, into: &output, at: 0)
            return copied
        }
        guard copied >= Header.length else {
            for index in 0..<copied {
                switch index {
                case 2, 3: output[index] = load(start + index - 2)
                case 6...9: output[index] = load(start + index - 4)
                default: output[index] = index == 5 ? 1 : 0
                }
            }
            return copied
        }
        output[0] = 0
        output[1] = 0
        read(start, 2, into: &output, at: 2)
        output[4] = 0
        output[5] = 1
        read(start + 2, 4, into: &output, at: 6)
        output[10] = 0
        output[11] = 0
        let rest = start + AnswerEntry.plainHeaderLength
        read(rest, copied - Header.length, into: &output, at: Header.length)
        return copied
    }

    /// Writes a message as `readImage` reads it, behind what the header of the entry already says.
    mutating func writeImage(_ image: Span<UInt8>, name: Span<UInt8>, key: AnswerKey, _ entry: AnswerEntry) {
        let start = body(entry)
        if has(AnswerEntry.isPlain, entry) {
            write(image.extracting(2..<4), at: start)
            write(image.extracting(6..<10), at: start + 2)
            write(image.extracting(Header.length..<image.count), at: start + AnswerEntry.plainHeaderLength)
        } else {
            store(key.type.rawValue.bigEndian, at: start)
            store(key.recordClass.rawValue.bigEndian, at: start + 2)
            write(name, at: start + 4)
            write(image, at: start + 4 + name.count)
        }
    }

    /// The response code in the message's header, 0 to 15.
    func responseCode(_ entry: AnswerEntry) -> UInt8 {
        let isPlain = has(AnswerEntry.isPlain, entry)
        let image = isPlain ? body(entry) - 2 : body(entry) + 4 + Int(load(entry.nameLength, as: UInt8.self))
        return load(image + 3, as: UInt8.self) & 0x0F
    }

    /// What it says.
    func kind(_ entry: AnswerEntry) -> AnswerKind {
        AnswerKind(rawValue: load(entry.kindAndFrequency, as: UInt8.self) >> 2) ?? .failure
    }

    /// Hits that count for eviction.
    func frequency(_ entry: AnswerEntry) -> UInt8 {
        load(entry.kindAndFrequency, as: UInt8.self) & AnswerEntry.maximumFrequency
    }

    /// Sets what it says, and the hits that count for eviction, of which there are at most `maximumFrequency`.
    mutating func set(_ kind: AnswerKind, frequency: UInt8, _ entry: AnswerEntry) {
        store(kind.rawValue << 2 | frequency, at: entry.kindAndFrequency)
    }

    /// When it stops being fresh.
    func expires(_ entry: AnswerEntry) -> Moment {
        Moment(nanoseconds: load(entry.storedAt)).adding(seconds: Int64(load(entry.lifetime, as: UInt32.self)))
    }
}
