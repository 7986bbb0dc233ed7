import DNSWire
import FQDNCache
import Testing

/// How entries are stored shows only in that it does not show.
@Suite struct AnswerEntryTests {
    let name: DomainName
    let now = Moment(seconds: 1_000)

    init() throws { name = try DomainName("www.example.com") }

    /// Ways to differ from a message that begins as its key says.
    static let differences: [(String, @Sendable (inout [UInt8]) -> Void)] = [
        ("nothing", { _ in }),
        ("an ID", { $0[0] = 0x80 }),
        ("an ID in its lower byte", { $0[1] = 1 }),
        ("all flags", { ($0[2], $0[3]) = (0xFF, 0xFF) }),
        ("no flags", { ($0[2], $0[3]) = (0, 0) }),
        ("no question", { $0[5] = 0 }),
        ("two questions", { $0[5] = 2 }),
        ("256 more questions", { $0[4] = 1 }),
        ("many answers", { ($0[6], $0[7]) = (0x12, 0x34) }),
        ("many authorities", { ($0[8], $0[9]) = (0x56, 0x78) }),
        ("an additional record", { $0[11] = 1 }),
        ("256 additional records", { $0[10] = 1 }),
        ("the name in another case", { $0[13] -= 32 }),
        ("another name", { $0[14] += 1 }),
        ("another type", { $0[30] = 28 }),
        ("another class", { $0[32] = 3 }),
        ("no end of the question", { $0.removeSubrange(32...) }),
        ("only a header", { $0.removeSubrange(12...) }),
    ]

    @Test(arguments: 0..<differences.count)
    func `whatever a message begins with comes back as it was, in a buffer of any length`(_ index: Int) throws {
        let (difference, change) = AnswerEntryTests.differences[index]
        let cache = try AnswerCache(capacity: 1 << 20)
        var message = Message(name, ttls: [300])
        change(&message.bytes)
        if message.bytes.count < 40 { message.ttlOffsets = [] }
        #expect(cache.store(name, message, at: now) != nil)
        #expect(cache.find(name, at: now)?.bytes == message.bytes, "\(difference)")
        for length in 0..<message.bytes.count {
            var buffer = [UInt8](repeating: 0xEE, count: length)
            var output = buffer.mutableSpan
            let hit = cache.lookup(NameBuffer(name), AnswerKey(type: .a), now: now, into: &output)
            #expect(hit?.length == message.bytes.count)
            #expect(message.bytes.starts(with: buffer), "\(difference), \(length) bytes")
        }
        let listed = try #require(cache.listed(page: 1, at: now).first)
        #expect(listed.image == message.bytes && listed.name == name && listed.key == AnswerKey(type: .a))
        #expect(listed.responseCode == message.bytes[3] & 0xF && listed.size >= 36 + message.bytes.count - 6)
        #expect(cache.remove { span in span.count == name.bytes.count } == 1)
        #expect(cache.statistics.bytesUsed == 0)
    }

    @Test func `an NXDOMAIN for every type keeps the type that was asked`() throws {
        let cache = try AnswerCache(capacity: 1 << 20)
        let message = Message(name, ttls: [300], code: 3)
        for options: AnswerOptions in [[], .dnssecOK, .checkingDisabled, [.dnssecOK, .checkingDisabled]] {
            cache.store(name, message, type: AnswerKey.everyType, kind: .nameError, options: options, at: now)
            let (hit, bytes) = try #require(cache.find(name, .txt, options: options, at: now))
            #expect(hit.kind == .nameError && bytes == message.bytes)
            let keys = cache.listed(page: 9, at: now).map(\.key)
            #expect(keys.contains(AnswerKey(type: AnswerKey.everyType, options: options)))
        }
        #expect(cache.statistics.entries == 4)
    }

    @Test func `no answer is stale for longer than it may be, however many lifetimes there are`() throws {
        let cache = try AnswerCache(capacity: 65_536)
        for seconds in 1...400 as ClosedRange<UInt32> {
            let stale = seconds * 10
            cache.store(name, Message(name, ttls: [300]), lifetime: 1, stale: stale, at: now)
            let end = now.adding(seconds: 1 + Int64(stale))
            #expect(cache.find(name, allowStale: true, at: end) == nil)
            // 255 of them can be told apart beside none; the others have the nearest below.
            let kept = min(stale, 2_550)
            let last = now.adding(seconds: 1 + Int64(kept)).adding(nanoseconds: -1)
            #expect(cache.find(name, allowStale: true, at: last)?.hit.isStale == true)
        }
        // A lifetime that came late, and is below all of those.
        cache.store(name, Message(name, ttls: [300]), lifetime: 1, stale: 5, at: now)
        #expect(cache.find(name, allowStale: true, at: now.adding(seconds: 1)) == nil)
    }
}
