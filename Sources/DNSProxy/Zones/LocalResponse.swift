internal import DNSWire

/// A response from local records in the making.
struct LocalResponse {
    /// The message so far.
    var builder: MessageBuilder
    /// The response code.
    var code = ResponseCode.noError
    /// Records in the answer section.
    private(set) var answers = 0
    /// Records in the authority section.
    private(set) var authorities = 0
    /// The name outside of all zones that the aliases lead to, if they do.
    var departure: DomainName?
    /// The records of the aliases, without compression.
    private(set) var aliases: [UInt8] = []

    /// A response of only what `builder` has written, the question.
    init(builder: MessageBuilder) {
        self.builder = builder
    }

    /// Writes an RRset into the answer section, as one of `owner`.
    mutating func put(_ set: LocalZone.RecordSet, owner: DomainName, to output: inout MutableSpan<UInt8>) {
        for data in set.data { putRecord(owner, set.type, set.ttl, data, to: &output) }
        answers += set.data.count
    }

    /// Writes the alias that follows from a DNAME (RFC 6672, section 3.1).
    mutating func putAlias(
        _ owner: DomainName, to target: DomainName, ttl: UInt32, to output: inout MutableSpan<UInt8>
    ) {
        putRecord(owner, .cname, ttl, target.bytes, to: &output)
        answers += 1
    }

    /// Makes the response a negative one of `zone`.
    mutating func putNegative(_ zone: LocalZone, _ code: ResponseCode, to output: inout MutableSpan<UInt8>) {
        self.code = code
        let set = zone.negativeSOA
        for data in set.data { putRecord(zone.apex, .soa, set.ttl, data, to: &output) }
        authorities += set.data.count
    }

    /// Writes one record.
    private mutating func putRecord(
        _ owner: DomainName, _ type: RecordType, _ ttl: UInt32, _ data: [UInt8],
        to output: inout MutableSpan<UInt8>
    ) {
        if type == .cname || type == .dname {
            aliases += owner.bytes
            for word in [
                type.rawValue, RecordClass.in.rawValue, UInt16(truncatingIfNeeded: ttl >> 16),
                UInt16(truncatingIfNeeded: ttl), UInt16(truncatingIfNeeded: data.count),
            ] {
                aliases += [UInt8(truncatingIfNeeded: word >> 8), UInt8(truncatingIfNeeded: word)]
            }
            aliases += data
        }
        let record = builder.beginRecord(owner, type: type, ttl: ttl, to: &output)
        builder.putData(data.span, of: type, to: &output)
        builder.endRecord(record, to: &output)
    }
}
