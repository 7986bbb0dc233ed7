@testable import DNSWire

/// Everything DNSWire makes of a message, in the terms of `LDNS.Message`.
enum WholeMessage {
    /// A record, with the place it has in its message.
    struct Record {
        /// The record as libldns would describe it.
        var parts: LDNS.Record
        /// Where it is.
        var view: RecordView
    }

    /// The sections of a message.
    struct Parsed {
        var header: Header
        var questions: [LDNS.Record]
        var sections: [[Record]]
        /// Offset behind the last record.
        var end: Int
    }

    /// Why DNSWire refuses a message.
    struct Refusal: Error {
        /// What is wrong.
        var error: WireError
        /// The record whose data is wrong; nil when it is the message's structure.
        var record: RecordView?
    }

    /// Whether DNSWire looks into the data of `type`, rather than passing it on unread.
    static func looksInto(_ type: RecordType) -> Bool {
        RecordData.layout(type) != nil || [.a, .aaaa, .hinfo, .txt, .ds, .nsec3].contains(type)
    }

    /// Writes `message`, which has been read, anew, its names compressed as the builder does it.
    static func rewrite(_ parsed: Parsed, of message: [UInt8]) -> [UInt8] {
        var output = [UInt8](repeating: 0xEE, count: 65_535)
        var builder = MessageBuilder(limit: output.count)
        var span = output.mutableSpan
        var name = NameBuffer()
        parsed.header.write(to: &span)
        for question in parsed.questions {
            name.assign(DomainName(canonicalBytes: question.owner))
            builder.putQuestion(
                name, type: question.type, recordClass: RecordClass(rawValue: question.recordClass), to: &span)
        }
        for record in parsed.sections.joined() {
            name.assign(DomainName(canonicalBytes: record.parts.owner))
            let open = builder.beginRecord(
                name, type: record.view.type, recordClass: record.view.recordClass, ttl: record.view.rawTTL, to: &span)
            RecordData.copy(
                record.view.type, message.span, record.view.dataOffset..<record.view.end,
                builder: &builder, to: &span)
            builder.endRecord(open, to: &span)
        }
        let count = builder.count
        return builder.overflowed ? [] : Array(output[..<count])
    }

    /// Reads `message`, the data of every record included.
    static func read(_ message: [UInt8]) -> Result<Parsed, Refusal> {
        guard let header = Header(message.span) else { return .failure(Refusal(error: .truncated)) }
        var cursor = MessageCursor()
        var owner = NameBuffer()
        var scratch = NameBuffer()
        var parsed = Parsed(header: header, questions: [], sections: [], end: 0)
        for _ in 0..<header.questionCount {
            let question = cursor.readQuestion(message.span, into: &owner)
            if let failure = cursor.failure { return .failure(Refusal(error: failure)) }
            parsed.questions.append(
                LDNS.Record(
                    owner: owner.domainName.bytes, type: question.type, recordClass: question.recordClass.rawValue,
                    ttl: 0, data: []))
        }
        for count in [header.answerCount, header.authorityCount, header.additionalCount] {
            var records: [Record] = []
            for _ in 0..<count {
                let view = cursor.readRecord(message.span, owner: &owner)
                if let failure = cursor.failure { return .failure(Refusal(error: failure)) }
                let range = view.dataOffset..<view.end
                if case .failure(let error) = RecordData.check(view.type, message.span, range, name: &scratch) {
                    return .failure(Refusal(error: error, record: view))
                }
                records.append(
                    Record(
                        parts: LDNS.Record(
                            owner: owner.domainName.bytes, type: view.type, recordClass: view.recordClass.rawValue,
                            ttl: view.rawTTL, data: expand(view, message)),
                        view: view))
            }
            parsed.sections.append(records)
        }
        parsed.end = cursor.offset
        return .success(parsed)
    }

    /// The data of a record with its names uncompressed, their case kept.
    private static func expand(_ view: RecordView, _ message: [UInt8]) -> [UInt8] {
        guard let layout = RecordData.layout(view.type) else { return Array(message[view.dataOffset..<view.end]) }
        var prefix = layout.prefix
        if view.type == .naptr { for _ in 0..<3 { prefix += 1 + Int(message[view.dataOffset + prefix]) } }
        var data = Array(message[view.dataOffset..<(view.dataOffset + prefix)])
        var cursor = MessageCursor(offset: view.dataOffset + prefix)
        var name = NameBuffer()
        var spelled = SpelledName()
        for _ in 0..<layout.names {
            _ = spelled.read(message.span, at: cursor.offset)
            for index in 0..<spelled.count { data.append(spelled.bytes[index]) }
            cursor.readName(message.span, into: &name)
        }
        return data + message[cursor.offset..<view.end]
    }
}
