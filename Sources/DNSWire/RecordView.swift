/// Where the parts of one record are in its message; copies nothing (RFC 1035, section 4.1.3).
public struct RecordView: Equatable, Sendable {
    /// Offset of the owner name.
    public var ownerOffset: Int
    /// The record's type.
    public var type: RecordType
    /// The record's class; for OPT the sender's payload size.
    public var recordClass: RecordClass
    /// Offset of the four bytes of the TTL.
    public var ttlOffset: Int
    /// The TTL field as it stands; for OPT flags and version.
    public var rawTTL: UInt32
    /// Offset of the data.
    public var dataOffset: Int
    /// Length of the data in bytes.
    public var dataLength: Int

    /// The TTL in seconds; a value with the sign bit set means 0 (RFC 2181, section 8).
    public var ttl: UInt32 { rawTTL > 0x7FFF_FFFF ? 0 : rawTTL }
    /// Offset of the first byte behind the record.
    public var end: Int { dataOffset + dataLength }
}
