internal import DNSWire

/// One record of a zone file.
struct ZoneRecord: Sendable {
    /// Who owns it.
    var owner: DomainName
    /// Its type.
    var type: RecordType
    /// Its class.
    var recordClass: RecordClass
    /// Its TTL in seconds; 0 when the file says more than 2^31 - 1 (RFC 2181, section 8).
    var ttl: UInt32
    /// Its data in wire form, names uncompressed.
    var data: [UInt8]
    /// The line it begins on, counted from 1.
    var line: Int
}
