/// A message taken apart, independently of the daemon's own codec.
struct WireMessage {
    /// A record of the answer, authority or additional section.
    struct Record: Equatable {
        /// The owner with its letters as they are, and a dot at its end.
        let owner: String
        /// The type's number.
        let type: UInt16
        /// The class's number.
        let recordClass: UInt16
        /// All 32 bits of the TTL.
        let ttl: UInt32
        /// Where the data stands in the message.
        let place: Range<Int>
        /// The data as it was sent.
        let data: [UInt8]
    }

    /// An option of the OPT record.
    struct Option: Equatable {
        /// Its code.
        let code: UInt16
        /// Its data.
        let data: [UInt8]
    }

    /// All of it.
    let bytes: [UInt8]
    /// The question section, byte for byte.
    let question: [UInt8]
    /// The answer section.
    let answers: [Record]
    /// The authority section.
    let authorities: [Record]
    /// The additional section, the OPT record among it.
    let additionals: [Record]

    /// Takes `bytes` apart; nil unless they are a message with not a byte too few or too many.
    init?(_ bytes: [UInt8]) {
        guard bytes.count >= 12 else { return nil }
        self.bytes = bytes
        let counts = (0..<4).map { Int(bytes[4 + 2 * $0]) << 8 | Int(bytes[5 + 2 * $0]) }
        var offset = 12
        for _ in 0..<counts[0] {
            guard let name = WireMessage.name(at: offset, of: bytes), name.end + 4 <= bytes.count else { return nil }
            offset = name.end + 4
        }
        question = Array(bytes[12..<offset])
        var sections: [[Record]] = []
        for count in counts[1...] {
            var records: [Record] = []
            for _ in 0..<count {
                guard let record = WireMessage.record(at: offset, of: bytes) else { return nil }
                offset = record.place.upperBound
                records.append(record)
            }
            sections.append(records)
        }
        guard offset == bytes.count else { return nil }
        (answers, authorities, additionals) = (sections[0], sections[1], sections[2])
    }

    /// The name at `offset`, which may be in a record's data, and where it ends there; nil when it has no end.
    func name(at offset: Int) -> (text: String, end: Int)? { WireMessage.name(at: offset, of: bytes) }

    /// Reads a name; pointers must point backwards.
    private static func name(at start: Int, of bytes: [UInt8]) -> (text: String, end: Int)? {
        var text = ""
        var offset = start
        var end: Int?
        while offset < bytes.count {
            let length = Int(bytes[offset])
            if length == 0 { return (text.isEmpty ? "." : text, end ?? offset + 1) }
            if length >= 0xC0 {
                guard offset + 1 < bytes.count else { return nil }
                let target = (length & 0x3F) << 8 | Int(bytes[offset + 1])
                guard target < offset else { return nil }
                end = end ?? offset + 2
                offset = target
                continue
            }
            guard length < 64, offset + 1 + length <= bytes.count else { return nil }
            text += String(decoding: bytes[(offset + 1)...(offset + length)], as: UTF8.self) + "."
            offset += 1 + length
        }
        return nil
    }

    /// Reads a record.
    private static func record(at offset: Int, of bytes: [UInt8]) -> Record? {
        guard let owner = name(at: offset, of: bytes), owner.end + 10 <= bytes.count else { return nil }
        /// The number of `count` bytes, that many bytes behind the owner.
        func number(_ place: Int, _ count: Int) -> UInt32 {
            bytes[(owner.end + place)..<(owner.end + place + count)].reduce(0) { $0 << 8 | UInt32($1) }
        }
        let start = owner.end + 10
        let end = start + Int(number(8, 2))
        guard end <= bytes.count else { return nil }
        return Record(
            owner: owner.text, type: UInt16(number(0, 2)), recordClass: UInt16(number(2, 2)), ttl: number(4, 4),
            place: start..<end, data: Array(bytes[start..<end]))
    }
}

/// The header.
extension WireMessage {
    /// The ID.
    var id: UInt16 { UInt16(bytes[0]) << 8 | UInt16(bytes[1]) }
    /// The sixteen bits behind the ID.
    var flags: UInt16 { UInt16(bytes[2]) << 8 | UInt16(bytes[3]) }
    /// QR.
    var isResponse: Bool { flags & 0x8000 != 0 }
    /// The opcode.
    var opcode: UInt16 { flags >> 11 & 0xF }
    /// AA.
    var isAuthoritative: Bool { flags & 0x0400 != 0 }
    /// TC.
    var isTruncated: Bool { flags & 0x0200 != 0 }
    /// RD.
    var recursionDesired: Bool { flags & 0x0100 != 0 }
    /// RA.
    var recursionAvailable: Bool { flags & 0x0080 != 0 }
    /// AD.
    var isAuthentic: Bool { flags & 0x0020 != 0 }
    /// CD.
    var isCheckingDisabled: Bool { flags & 0x0010 != 0 }
    /// The response code, with the upper bits of the OPT record.
    var code: Int { Int(flags & 0xF) | Int(opt.map { $0.ttl >> 24 } ?? 0) << 4 }
}

/// What the OPT record says.
extension WireMessage {
    /// The OPT record.
    var opt: Record? { additionals.first { $0.type == 41 } }
    /// Its options; nil when there is no OPT record, or one whose options do not fill it exactly.
    var options: [Option]? {
        guard let data = opt?.data else { return nil }
        var options: [Option] = []
        var rest = data[...]
        while !rest.isEmpty {
            guard rest.count >= 4 else { return nil }
            let head = rest.prefix(4).map(Int.init)
            let length = head[2] << 8 | head[3]
            guard rest.count >= 4 + length else { return nil }
            options.append(Option(code: UInt16(head[0] << 8 | head[1]), data: Array(rest.dropFirst(4).prefix(length))))
            rest = rest.dropFirst(4 + length)
        }
        return options
    }
    /// The number of the extended error; nil when there is none.
    var extendedError: Int? {
        options?.first { $0.code == 15 && $0.data.count >= 2 }.map { Int($0.data[0]) << 8 | Int($0.data[1]) }
    }
    /// The addresses of the A records of the answer section.
    var addresses: [[UInt8]] { answers.filter { $0.type == 1 }.map(\.data) }
}
