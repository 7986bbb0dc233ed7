import DNSWire

/// A message put together byte by byte, so that a test can also say what no encoder would write.
struct WireMessage {
    /// The message so far, header included.
    private(set) var bytes: [UInt8]

    /// A response (or, with other flags, a query) with one question, or none when `question` is nil.
    init(flags: UInt16 = 0x8180, question: String?, type: RecordType = .a) {
        bytes = [0x12, 0x34, UInt8(flags >> 8), UInt8(flags & 0xFF)] + [UInt8](repeating: 0, count: 8)
        guard let question else { return }
        bytes[5] = 1
        bytes += wire(question) + big(type.rawValue) + big(1)
    }

    /// The sections behind the question.
    enum Section: Int {
        case answer = 6
        case authority = 8
        case additional = 10
    }

    /// Appends a record; sections have to be filled in order. `length` overrides the true length of the data.
    @discardableResult
    mutating func add(
        _ section: Section = .answer, _ owner: [UInt8], _ type: RecordType, recordClass: UInt16 = 1,
        ttl: UInt32 = 300, _ data: [UInt8], length: Int? = nil
    ) -> Int {
        bytes += owner + big(type.rawValue) + big(recordClass)
        bytes += big(UInt16(ttl >> 16)) + big(UInt16(ttl & 0xFFFF)) + big(UInt16(length ?? data.count))
        bytes += data
        let count = (Int(bytes[section.rawValue]) << 8 | Int(bytes[section.rawValue + 1])) + 1
        setCount(section, count)
        return bytes.count - data.count
    }

    /// Appends a record given as master file text, as libldns reads it.
    mutating func add(_ section: Section = .answer, text: String) {
        guard let record = LDNS.record(text) else { fatalError("not a record: \(text)") }
        add(section, record.owner, record.type, recordClass: record.recordClass, ttl: record.ttl, record.data)
    }

    /// Makes the header claim `count` entries of `section`.
    mutating func setCount(_ section: Section, _ count: Int) {
        bytes[section.rawValue] = UInt8(count >> 8)
        bytes[section.rawValue + 1] = UInt8(count & 0xFF)
    }

    /// Overwrites or appends raw bytes.
    mutating func append(_ more: [UInt8]) { bytes += more }
}

/// The wire form of a name in presentation format, its case kept.
func wire(_ text: String) -> [UInt8] {
    text == "." ? [0] : text.split(separator: ".").flatMap { [UInt8($0.utf8.count)] + Array($0.utf8) } + [0]
}

/// The header of `message`; nil when that is too short.
func readHeader(_ message: [UInt8]) -> Header? {
    Header(message.span)
}

/// Two bytes in network order.
func big(_ value: UInt16) -> [UInt8] { [UInt8(value >> 8), UInt8(value & 0xFF)] }

/// A compression pointer.
func pointer(_ offset: Int) -> [UInt8] { big(0xC000 | UInt16(offset)) }

/// The name `text` as a test may write it; the test fails to run when it is none.
func name(_ text: String) -> DomainName {
    do { return try DomainName(text) } catch { fatalError("not a name: \(text)") }
}

/// Hexadecimal text, blanks ignored, as bytes.
func hex(_ text: String) -> [UInt8] {
    let digits = text.filter { !$0.isWhitespace }
    return stride(from: 0, to: digits.count, by: 2).map { step in
        let start = digits.index(digits.startIndex, offsetBy: step)
        return UInt8(digits[start..<digits.index(start, offsetBy: 2)], radix: 16) ?? 0
    }
}

/// A small random generator with a known seed, so that a failure can be repeated.
struct SeededGenerator: RandomNumberGenerator {
    /// The state of SplitMix64.
    private var state: UInt64

    /// A generator that always yields the same numbers for the same seed.
    init(seed: UInt64) { state = seed }

    mutating func next() -> UInt64 {
        state &+= 0x9E37_79B9_7F4A_7C15
        var value = state
        value = (value ^ value >> 30) &* 0xBF58_476D_1CE4_E5B9
        value = (value ^ value >> 27) &* 0x94D0_49BB_1331_11EB
        return value ^ value >> 31
    }
}
