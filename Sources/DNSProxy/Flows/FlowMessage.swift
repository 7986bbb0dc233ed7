import DNSWire

/// What a flow's message says.
struct FlowMessage {
    /// The name that was asked for; nil when it cannot be read.
    private(set) var name: DomainName?
    /// The type that was asked for; nil like the name.
    private(set) var type: RecordType?
    /// The response code, with the bits that the OPT record has of it if that is there; nil for a query.
    private(set) var responseCode: ResponseCode?
    /// The addresses of its answer.
    private(set) var addresses: [IPAddress] = []
    /// The targets of the aliases of its answer.
    private(set) var aliases: [DomainName] = []
    /// The types of the records of its answer, each once.
    private(set) var recordTypes: [RecordType] = []
    /// The smallest TTL of its answer.
    private(set) var ttl: UInt32?

    /// Reads `message`, which may be cut anywhere; only its question when it is no reply of ours.
    init(_ message: Span<UInt8>, isReply: Bool = true) {
        guard let header = Header(message) else { return }
        let isReply = isReply && header.flags.contains(.response)
        if isReply { responseCode = header.flags.responseCode }
        guard header.questionCount > 0 else { return }
        var owner = NameBuffer()
        var cursor = MessageCursor()
        let question = cursor.readQuestion(message, into: &owner)
        guard cursor.isValid else { return }
        name = owner.domainName
        type = question.type
        guard isReply else { return }
        for _ in 0..<header.answerCount {
            let record = cursor.readRecord(message, owner: &owner)
            guard cursor.isValid else { return }
            take(record, of: message, scratch: &owner)
        }
        for _ in 0..<Int(header.authorityCount) + Int(header.additionalCount) {
            let record = cursor.readRecord(message, owner: &owner)
            guard cursor.isValid else { return }
            guard record.type == .opt else { continue }
            responseCode = ResponseCode(
                header: UInt8(truncatingIfNeeded: header.flags.rawValue),
                extended: UInt8(truncatingIfNeeded: record.rawTTL >> 24))
            return
        }
    }

    /// Takes a record of the answer; `scratch` is room for a name.
    private mutating func take(_ record: RecordView, of message: Span<UInt8>, scratch: inout NameBuffer) {
        ttl = min(ttl ?? .max, record.ttl)
        if !recordTypes.contains(record.type) { recordTypes.append(record.type) }
        switch record.type {
        case .a, .aaaa:
            if let address = IPAddress(message, at: record.dataOffset, count: record.dataLength) {
                addresses.append(address)
            }
        case .cname:
            var cursor = MessageCursor(offset: record.dataOffset)
            cursor.readName(message, into: &scratch)
            if cursor.isValid { aliases.append(scratch.domainName) }
        default: break
        }
    }
}
