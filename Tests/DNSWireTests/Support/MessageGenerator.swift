import DNSWire

/// Makes messages of all kinds of records, compressed here and there, and damages them.
struct MessageGenerator {
    /// The source of every decision.
    var random: SeededGenerator
    /// The message in the making.
    private var bytes: [UInt8] = []
    /// Offsets at which names, or ends of names, stand.
    private var names: [Int] = []

    /// A generator that makes the same messages for the same seed.
    init(seed: UInt64) { random = SeededGenerator(seed: seed) }

    /// Types that are generated, those with names in their data first.
    static let types: [RecordType] = [
        .ns, .cname, .soa, .ptr, .mx, .minfo, .mb, .mg, .mr, .rp, .afsdb, .rt, .kx, .srv, .naptr, .dname, .px, .a,
        .aaaa,
        .txt, .hinfo, .ds, .rrsig, .nsec, .nsec3, .https, .svcb, RecordType(rawValue: 65_280),
    ]

    /// A well-formed message.
    mutating func message() -> [UInt8] {
        bytes = (0..<4).map { _ in byte() } + [UInt8](repeating: 0, count: 8)
        names = []
        bytes[5] = 1
        putName(compressed: false)
        bytes += big(type().rawValue) + big(1)
        for section in [7, 9, 11] {
            let count = Int.random(in: 0...3, using: &random)
            for _ in 0..<count { putRecord() }
            bytes[section] = UInt8(count)
        }
        if Int.random(in: 0..<3, using: &random) == 0 {
            bytes[11] += 1
            bytes += [0] + big(RecordType.opt.rawValue) + big(1232) + [0, 0, chance(2) ? 0x80 : 0, 0]
            bytes += chance(2) ? [0, 0] : [0, 12, 0, 10, 0, 8] + (0..<8).map { _ in byte() }
        }
        return bytes
    }

    /// `message` with one to three things wrong with it, or none that anybody notices.
    mutating func damaged(_ message: [UInt8]) -> [UInt8] {
        var bytes = message
        for _ in 0..<Int.random(in: 1...3, using: &random) where !bytes.isEmpty {
            let place = Int.random(in: 0..<bytes.count, using: &random)
            switch Int.random(in: 0..<7, using: &random) {
            case 0: bytes[place] = byte()
            case 1: bytes[place] ^= 1 << UInt8.random(in: 0..<8, using: &random)
            case 2: bytes.removeSubrange(place...)
            case 3: bytes.remove(at: place)
            case 4: bytes.insert(byte(), at: place)
            case 5 where place + 1 < bytes.count:
                bytes.replaceSubrange(
                    place...(place + 1), with: pointer(Int.random(in: 0..<bytes.count, using: &random)))
            default: bytes += (0..<Int.random(in: 1...12, using: &random)).map { _ in byte() }
            }
        }
        return bytes
    }

    /// Appends one record.
    private mutating func putRecord() {
        putName(compressed: true)
        let type = type()
        bytes += big(type.rawValue) + big(chance(8) ? 3 : 1) + [0, byte(), byte(), byte()] + [0, 0]
        let start = bytes.count
        putData(type)
        let length = bytes.count - start
        bytes[start - 2] = UInt8(length >> 8)
        bytes[start - 1] = UInt8(length & 0xFF)
    }

    /// Appends well-formed data of `type`.
    private mutating func putData(_ type: RecordType) {
        switch type {
        case .ns, .cname, .ptr, .mb, .mg, .mr, .dname: putName(compressed: true)
        case .mx, .afsdb, .rt, .kx:
            put(2)
            putName(compressed: true)
        case .srv:
            put(6)
            putName(compressed: true)
        case .px:
            put(2)
            putName(compressed: true)
            putName(compressed: true)
        case .soa, .minfo, .rp:
            putName(compressed: true)
            putName(compressed: true)
            if type == .soa { put(20) }
        case .naptr:
            put(4)
            for _ in 0..<3 { putString() }
            putName(compressed: true)
        case .a: put(4)
        case .aaaa: put(16)
        case .txt: for _ in 0..<Int.random(in: 1...3, using: &random) { putString() }
        case .hinfo: for _ in 0..<2 { putString() }
        case .ds: put(4 + Int.random(in: 1...32, using: &random))
        case .rrsig:
            put(18)
            putName(compressed: false)
            put(Int.random(in: 1...64, using: &random))
        case .nsec:
            putName(compressed: false)
            bytes += [0, 1, byte()]
        case .nsec3:
            put(4)
            putString()
            putString()
            bytes += [0, 1, byte()]
        case .https, .svcb:
            bytes += [0, 1]
            putName(compressed: false)
            if chance(2) { bytes += [0, 1, 0, 3, 2, 0x68, 0x32] }
            if chance(2) { bytes += [0, 4, 0, 4] + (0..<4).map { _ in byte() } }
        default: put(Int.random(in: 0...20, using: &random))
        }
    }

    /// Appends a name, its end perhaps as a pointer at an earlier one.
    private mutating func putName(compressed: Bool) {
        var length = 1
        while chance(3) == false, length < 60 {
            if bytes.count < 0x3FFF { names.append(bytes.count) }
            let label = ["a", "B", "www", "Example", "\u{7F}", "a.b"].randomElement(using: &random) ?? "a"
            bytes += [UInt8(label.utf8.count)] + Array(label.utf8)
            length += 1 + label.utf8.count
            if compressed, chance(4),
                let target = names.filter({ $0 < bytes.count - length }).randomElement(using: &random)
            {
                bytes += pointer(target)
                return
            }
        }
        bytes.append(0)
    }

    /// Appends a character string.
    private mutating func putString() {
        let length = Int.random(in: 0...12, using: &random)
        bytes.append(UInt8(length))
        put(length)
    }

    /// Appends random bytes.
    private mutating func put(_ count: Int) {
        for _ in 0..<count { bytes.append(byte()) }
    }

    /// Some type.
    private mutating func type() -> RecordType {
        MessageGenerator.types.randomElement(using: &random) ?? .a
    }

    /// Some byte.
    private mutating func byte() -> UInt8 { .random(in: 0...255, using: &random) }

    /// True once in `count` times.
    private mutating func chance(_ count: Int) -> Bool { Int.random(in: 0..<count, using: &random) == 0 }
}
