import DNSWire
import FQDNCache

/// The answer cache of the daemon, asked as the daemon asks it.
final class OwnCache: ReplacementPolicy {
    /// What is measured.
    private let cache: AnswerCache
    /// Answers that its memory holds when it is full.
    let room: Int
    /// A response; the digits of its name are written over.
    private var message: [UInt8]
    /// Where lookups copy what they find.
    private var output = [UInt8](repeating: 0, count: 512)
    /// Nothing expires during the measurement.
    private let now = Moment(seconds: 1)

    /// The name of number 0, 30 bytes long; the digits follow the first four letters.
    private static let firstName = "host000000000000.bench.example"
    /// Digits in a name.
    private static let digits = 12

    /// A cache of the size that holds about `room` answers with one A record.
    init(room: Int) throws {
        let name = try DomainName(OwnCache.firstName)
        message = [0, 0, 0x81, 0x80, 0, 1, 0, 1, 0, 0, 0, 0] + name.bytes + [0, 1, 0, 1]
        message += [0xC0, 12, 0, 1, 0, 1, 0, 0, 1, 44, 0, 4, 192, 0, 2, 1]
        // How many fit a given size is found by filling one.
        let sample = try AnswerCache(capacity: 1 << 22)
        var copy = message
        for number in 0..<100_000 { OwnCache.insert(number, &copy, sample, now) }
        let cost = Double(1 << 22) / Double(sample.statistics.entries)
        cache = try AnswerCache(capacity: Int(cost * Double(room)))
        for number in 0..<3 * room { OwnCache.insert(number, &copy, cache, now) }
        self.room = cache.statistics.entries
        cache.removeAll()
    }

    var entries: Int { cache.statistics.entries }

    func ask(_ name: Int) -> Bool {
        OwnCache.write(name, &message)
        let buffer = OwnCache.name(message)
        var span = output.mutableSpan
        if cache.lookup(buffer, AnswerKey(type: .a), now: now, into: &span) != nil { return true }
        OwnCache.insert(name, &message, cache, now)
        return false
    }

    /// Stores the response about the name with that number.
    private static func insert(_ number: Int, _ message: inout [UInt8], _ cache: AnswerCache, _ now: Moment) {
        write(number, &message)
        let offsets = [UInt16(message.count - 10)]
        cache.insert(
            name(message), AnswerKey(type: .a), image: message.span, ttlOffsets: offsets.span,
            StoredAnswer(kind: .positive, lifetime: 300, carriesAddresses: true), now: now)
    }

    /// Writes the digits of a number into the question of a message.
    private static func write(_ number: Int, _ message: inout [UInt8]) {
        var rest = number
        for index in (0..<digits).reversed() {
            message[Header.length + 5 + index] = UInt8(ascii: "0") + UInt8(rest % 10)
            rest /= 10
        }
    }

    /// The name in the question of a message.
    private static func name(_ message: [UInt8]) -> NameBuffer {
        var buffer = NameBuffer()
        var cursor = MessageCursor()
        _ = cursor.readQuestion(message.span, into: &buffer)
        return buffer
    }
}
