import DNSWire
import FQDNCache

/// A message with one question and address records, and where its TTLs are.
struct Message {
    /// The bytes.
    var bytes: [UInt8]
    /// Offsets of the TTL fields.
    var ttlOffsets: [UInt16] = []

    /// A response with that code to a question for A records of `name`, with a record for each TTL.
    ///
    /// `extra` bytes are appended that mean nothing, to vary the size. `mark` is in the records, and an odd one in the
    /// ID too, so that some messages do not begin as plain ones do.
    init(_ name: DomainName, ttls: [UInt32], code: UInt8 = 0, extra: Int = 0, mark: UInt8 = 0) {
        bytes = [0, mark & 1 == 1 ? mark : 0, 0x81, 0x80 | code, 0, 1, 0, UInt8(ttls.count), 0, 0, 0, 0]
        bytes += name.bytes + [0, 1, 0, 1]
        for (index, ttl) in ttls.enumerated() {
            bytes += [0xC0, 0x0C, 0, 1, 0, 1]
            ttlOffsets.append(UInt16(bytes.count))
            bytes += [24, 16, 8, 0].map { UInt8(truncatingIfNeeded: ttl >> UInt32($0)) }
            bytes += [0, 4, 192, 0, mark, UInt8(index)]
        }
        bytes += [UInt8](repeating: mark, count: extra)
    }

    /// The TTLs in `bytes`.
    func ttls(in bytes: [UInt8]) -> [UInt32] {
        ttlOffsets.map { offset in bytes[Int(offset)..<Int(offset) + 4].reduce(0) { $0 << 8 | UInt32($1) } }
    }

    /// The bytes after `seconds` have passed.
    func aged(by seconds: UInt32) -> [UInt8] {
        var aged = bytes
        for (offset, ttl) in zip(ttlOffsets, ttls(in: bytes)) {
            let left = ttl > seconds ? ttl - seconds : 0
            for byte in 0..<4 {
                aged[Int(offset) + byte] = UInt8(truncatingIfNeeded: left >> UInt32(24 - 8 * byte))
            }
        }
        return aged
    }
}

extension AnswerCache {
    /// Stores a message.
    @discardableResult
    func store(
        _ name: DomainName, _ message: Message, type: RecordType = .a, kind: AnswerKind = .positive,
        lifetime: UInt32 = 300, stale: UInt32 = 0, options: AnswerOptions = [], at now: Moment
    ) -> UInt64? {
        insert(
            NameBuffer(name), AnswerKey(type: type, options: options), image: message.bytes.span,
            ttlOffsets: message.ttlOffsets.span,
            StoredAnswer(kind: kind, lifetime: lifetime, staleLifetime: stale, carriesAddresses: kind == .positive),
            now: now)
    }

    /// Looks a question up and returns the hit with its bytes.
    func find(
        _ name: DomainName, _ type: RecordType = .a, options: AnswerOptions = [], allowStale: Bool = false,
        at now: Moment
    ) -> (hit: AnswerHit, bytes: [UInt8])? {
        var buffer = [UInt8](repeating: 0xEE, count: 65_535)
        var output = buffer.mutableSpan
        let hit = lookup(
            NameBuffer(name), AnswerKey(type: type, options: options), now: now, allowStale: allowStale, into: &output)
        return hit.map { ($0, Array(buffer[..<$0.length])) }
    }

    /// Everything that `list` gives in pages of that size.
    func listed(page: Int, at now: Moment) -> [AnswerListing] {
        var listed: [AnswerListing] = []
        var cursor: AnswerCursor? = AnswerCursor()
        while let from = cursor { cursor = list(from: from, limit: page, now: now) { listed.append($0) } }
        return listed
    }
}

/// Random numbers that are the same in every run.
struct Dice: RandomNumberGenerator {
    /// The last number.
    private var state: UInt64

    /// A sequence of its own for each seed.
    init(_ seed: UInt64) { state = seed &* 0x9E37_79B9_7F4A_7C15 | 1 }

    mutating func next() -> UInt64 {
        state ^= state << 13
        state ^= state >> 7
        state ^= state << 17
        return state &* 0x2545_F491_4F6C_DD1D
    }

    /// Whether an event of that probability, in percent, happens.
    mutating func percent(_ probability: Int) -> Bool { Int.random(in: 0..<100, using: &self) < probability }
}
