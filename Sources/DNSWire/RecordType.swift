/// A record or question type (RFC 1035, section 3.2.2, and the IANA registry).
public struct RecordType: RawRepresentable, Hashable, Sendable {
    public let rawValue: UInt16
    @inlinable public init(rawValue: UInt16) { self.rawValue = rawValue }

    public static let a = RecordType(rawValue: 1)
    public static let ns = RecordType(rawValue: 2)
    public static let md = RecordType(rawValue: 3)
    public static let mf = RecordType(rawValue: 4)
    public static let cname = RecordType(rawValue: 5)
    public static let soa = RecordType(rawValue: 6)
    public static let mb = RecordType(rawValue: 7)
    public static let mg = RecordType(rawValue: 8)
    public static let mr = RecordType(rawValue: 9)
    public static let ptr = RecordType(rawValue: 12)
    public static let hinfo = RecordType(rawValue: 13)
    public static let minfo = RecordType(rawValue: 14)
    public static let mx = RecordType(rawValue: 15)
    public static let txt = RecordType(rawValue: 16)
    public static let rp = RecordType(rawValue: 17)
    public static let afsdb = RecordType(rawValue: 18)
    public static let rt = RecordType(rawValue: 21)
    public static let sig = RecordType(rawValue: 24)
    public static let px = RecordType(rawValue: 26)
    public static let aaaa = RecordType(rawValue: 28)
    public static let nxt = RecordType(rawValue: 30)
    public static let srv = RecordType(rawValue: 33)
    public static let naptr = RecordType(rawValue: 35)
    public static let kx = RecordType(rawValue: 36)
    public static let dname = RecordType(rawValue: 39)
    public static let opt = RecordType(rawValue: 41)
    public static let ds = RecordType(rawValue: 43)
    public static let rrsig = RecordType(rawValue: 46)
    public static let nsec = RecordType(rawValue: 47)
    public static let nsec3 = RecordType(rawValue: 50)
    public static let svcb = RecordType(rawValue: 64)
    public static let https = RecordType(rawValue: 65)
    public static let tsig = RecordType(rawValue: 250)
    public static let ixfr = RecordType(rawValue: 251)
    public static let axfr = RecordType(rawValue: 252)
    public static let any = RecordType(rawValue: 255)

    /// Mnemonics of the registry, for reading and writing.
    private static let mnemonics: [UInt16: String] = [
        1: "A", 2: "NS", 5: "CNAME", 6: "SOA", 12: "PTR", 13: "HINFO", 15: "MX", 16: "TXT", 17: "RP", 18: "AFSDB",
        28: "AAAA", 29: "LOC", 33: "SRV", 35: "NAPTR", 37: "CERT", 39: "DNAME", 41: "OPT", 43: "DS", 44: "SSHFP",
        46: "RRSIG", 47: "NSEC", 48: "DNSKEY", 50: "NSEC3", 51: "NSEC3PARAM", 52: "TLSA", 59: "CDS", 60: "CDNSKEY",
        61: "OPENPGPKEY", 64: "SVCB", 65: "HTTPS", 99: "SPF", 108: "EUI48", 109: "EUI64", 250: "TSIG", 251: "IXFR",
        252: "AXFR", 255: "ANY", 256: "URI", 257: "CAA",
    ]

    /// The registered types by mnemonic.
    private static let values = [String: UInt16](uniqueKeysWithValues: mnemonics.map { ($1, $0) })
}

extension RecordType: LosslessStringConvertible {
    /// Reads a mnemonic in any case, or `TYPE123` (RFC 3597, section 5).
    public init?(_ description: String) {
        let text = description.uppercased()
        if let value = RecordType.values[text] {
            self.init(rawValue: value)
        } else if text.hasPrefix("TYPE"), let value = UInt16(text.dropFirst(4)) {
            self.init(rawValue: value)
        } else {
            return nil
        }
    }

    /// The mnemonic, or `TYPE123`.
    public var description: String { RecordType.mnemonics[rawValue] ?? "TYPE\(rawValue)" }
}
