/// A record as a scripted server sends it, without compression.
struct WireRecord: Sendable {
    /// The owner; nil for the name that was asked.
    var owner: String?
    /// The type's number.
    let type: UInt16
    /// All 32 bits of the TTL.
    let ttl: UInt32
    /// The data in wire form.
    let data: [UInt8]

    /// The record's bytes behind a question.
    fileprivate var bytes: [UInt8] {
        let name = owner.map(WireRecord.name) ?? [0xC0, 12]
        let length = [UInt8(data.count >> 8), UInt8(data.count & 0xFF)]
        return name + [UInt8(type >> 8), UInt8(type & 0xFF), 0, 1] + WireRecord.number(ttl) + length + data
    }

    /// An A record.
    static func a(_ owner: String? = nil, ttl: UInt32, _ address: [UInt8]) -> WireRecord {
        WireRecord(owner: owner, type: 1, ttl: ttl, data: address)
    }

    /// A CNAME record.
    static func cname(_ owner: String? = nil, ttl: UInt32, to target: String) -> WireRecord {
        WireRecord(owner: owner, type: 5, ttl: ttl, data: name(target))
    }

    /// A TXT record of one string.
    static func txt(_ owner: String? = nil, ttl: UInt32, _ text: String) -> WireRecord {
        WireRecord(owner: owner, type: 16, ttl: ttl, data: [UInt8(text.utf8.count)] + text.utf8)
    }

    /// A SOA record.
    static func soa(_ owner: String, ttl: UInt32, minimum: UInt32) -> WireRecord {
        let numbers: [UInt32] = [1, 3_600, 600, 86_400, minimum]
        return WireRecord(
            owner: owner, type: 6, ttl: ttl,
            data: name("ns." + owner) + name("hostmaster." + owner) + numbers.flatMap(number))
    }

    /// A name in wire form.
    private static func name(_ text: String) -> [UInt8] {
        text.split(separator: ".").flatMap { [UInt8($0.utf8.count)] + Array($0.utf8) } + [0]
    }

    /// A number of 32 bits in network order.
    private static func number(_ value: UInt32) -> [UInt8] {
        (0..<4).map { UInt8(truncatingIfNeeded: value >> (24 - 8 * $0)) }
    }
}

extension ScriptedServer.Query {
    /// The type that was asked for.
    var type: UInt16 { UInt16(bytes[questionEnd - 4]) << 8 | UInt16(bytes[questionEnd - 3]) }

    /// Whether CD is set.
    var isCheckingDisabled: Bool { bytes[3] & 0x10 != 0 }

    /// Whether DO is set, in an OPT record right behind the question.
    var isDNSSECOK: Bool { hasEDNS && bytes.count > questionEnd + 7 && bytes[questionEnd + 7] & 0x80 != 0 }

    /// A response with these records in its sections.
    func response(
        code: UInt8 = 0, answers: [WireRecord] = [], authorities: [WireRecord] = [], additionals: [WireRecord] = []
    ) -> [UInt8] {
        var response = response(code: code)
        for (index, section) in [answers, authorities, additionals].enumerated() {
            response[7 + 2 * index] = UInt8(section.count)
            response += section.flatMap(\.bytes)
        }
        return response
    }
}
