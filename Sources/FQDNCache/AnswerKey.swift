public import DNSWire

/// What selects an answer besides its name: type, class, and the bits of the query that change the response.
public struct AnswerKey: Hashable, Sendable {
    /// The type asked for, or `everyType`.
    public let type: RecordType
    /// The class asked for.
    public let recordClass: RecordClass
    /// The bits of the query.
    public let options: AnswerOptions

    /// The key of a question.
    @inlinable
    public init(type: RecordType, recordClass: RecordClass = .in, options: AnswerOptions = []) {
        self.type = type
        self.recordClass = recordClass
        self.options = options
    }

    /// The reserved type 0, under which an NXDOMAIN is stored that covers every type of its name (RFC 2308, section 5).
    public static let everyType = RecordType(rawValue: 0)

    /// The key of the NXDOMAIN that would cover this question.
    var nameWide: AnswerKey { AnswerKey(type: AnswerKey.everyType, recordClass: recordClass, options: options) }

    /// The hash that places an answer within its shard, from the keyed hash of its name.
    func tableHash(nameHash: UInt64) -> UInt32 {
        let word = UInt64(type.rawValue) << 24 | UInt64(recordClass.rawValue) << 8 | UInt64(options.rawValue)
        let product = (nameHash ^ word).multipliedFullWidth(by: 0x9E37_79B9_7F4A_7C15)
        return UInt32(truncatingIfNeeded: (product.high ^ product.low) >> 16)
    }
}
