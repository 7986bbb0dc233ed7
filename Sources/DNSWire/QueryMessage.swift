/// A client's query, decoded: everything that decides about it except the name, which is in a `NameBuffer`.
public struct QueryMessage: Equatable, Sendable {
    /// The header as received.
    public var header: Header
    /// The one question.
    public var question: Question
    /// The OPT record, when the client sent one.
    public var edns: EDNS?

    /// What to do with bytes that claim to be a query.
    public enum Disposition: Equatable, Sendable {
        /// It is a query that can be answered; its parts are set.
        case accept
        /// Answer with this code at once; `question` is set if `echoesQuestion`.
        case respond(ResponseCode, echoesQuestion: Bool)
        /// Say nothing: not a query at all, and an answer could start a loop.
        case ignore
    }

    /// A query about nothing yet, to decode into.
    public init() {
        header = Header(id: 0, flags: [])
        question = Question(type: RecordType(rawValue: 0), recordClass: .in, end: 0)
        edns = nil
    }

    /// Reads `message`, its name into `name`, and says what to do with it.
    ///
    /// Decided from the header alone: responses and bytes shorter than a header are ignored, opcodes other than
    /// QUERY are not implemented (RFC 1035, section 4.1.1), anything but one question is a format error
    /// (RFC 9619). Then: records before the additional section, two OPT records (RFC 6891, section 6.1.1), a
    /// malformed option and bytes behind the end are format errors; zone transfers and classes other than IN are
    /// refused; an EDNS version above 0 is BADVERS (RFC 6891, section 6.1.3). `edns` is set whatever the outcome is, if
    /// there is an OPT record that can be read.
    public mutating func decode(_ message: Span<UInt8>, name: inout NameBuffer) -> Disposition {
        edns = nil
        question.end = 0
        guard let header = Header(message), !header.flags.contains(.response) else { return .ignore }
        self.header = header
        guard header.flags.opcode == .query else {
            findOPT(message)
            return .respond(.notImplemented, echoesQuestion: false)
        }
        guard header.questionCount == 1, header.answerCount == 0, header.authorityCount == 0 else {
            findOPT(message)
            return .respond(.formatError, echoesQuestion: false)
        }
        var cursor = MessageCursor()
        question = cursor.readQuestion(message, into: &name)
        guard cursor.isValid else { return .respond(.formatError, echoesQuestion: false) }
        if header.additionalCount > 0, !decodeAdditional(message, cursor: &cursor, count: header.additionalCount) {
            edns = nil
            return .respond(.formatError, echoesQuestion: true)
        }
        guard cursor.offset == message.count else { return .respond(.formatError, echoesQuestion: true) }
        if let edns, edns.version > 0 { return .respond(.badVersion, echoesQuestion: true) }
        switch question.type {
        // Type 0 is reserved (RFC 6895, section 3.1), and inside it stands for "every type of the name".
        case .opt, RecordType(rawValue: 0): return .respond(.formatError, echoesQuestion: true)
        case .axfr, .ixfr: return .respond(.refused, echoesQuestion: true)
        default: break
        }
        guard question.recordClass == .in else { return .respond(.refused, echoesQuestion: true) }
        return .accept
    }

    /// Questions and records at most that are read to find the OPT record of a message that is turned away anyway.
    private static let searchLimit = 8

    /// Looks for the OPT record of a message whose header alone has decided: who sends one gets one (RFC 6891,
    /// section 6.1.1), whatever else the message means.
    private mutating func findOPT(_ message: Span<UInt8>) {
        let records = Int(header.answerCount) + Int(header.authorityCount)
        let count = Int(header.questionCount) + records + Int(header.additionalCount)
        guard header.additionalCount > 0, count <= QueryMessage.searchLimit else { return }
        var owner = NameBuffer()
        var cursor = MessageCursor()
        for _ in 0..<header.questionCount { _ = cursor.readQuestion(message, into: &owner) }
        for _ in 0..<records { _ = cursor.readRecord(message, owner: &owner) }
        guard cursor.isValid, decodeAdditional(message, cursor: &cursor, count: header.additionalCount) else {
            edns = nil
            return
        }
    }

    /// Reads the additional section, of which only OPT matters; false for anything malformed.
    private mutating func decodeAdditional(_ message: Span<UInt8>, cursor: inout MessageCursor, count: UInt16) -> Bool {
        if count == 1, cursor.offset + EDNS.emptyLength <= message.count, message[cursor.offset] == 0,
            message.uint16(at: cursor.offset + 1) == RecordType.opt.rawValue
        {
            return decodeOPT(message, at: cursor.offset, cursor: &cursor)
        }
        var owner = NameBuffer()
        for _ in 0..<count {
            let record = cursor.readRecord(message, owner: &owner)
            guard cursor.isValid else { return false }
            guard record.type == .opt else { continue }
            guard edns == nil, owner.count == 1, let options = EDNS(record, in: message) else { return false }
            edns = options
        }
        return true
    }

    /// Reads the OPT record that nearly every query with EDNS ends with, without decoding an owner.
    private mutating func decodeOPT(_ message: Span<UInt8>, at offset: Int, cursor: inout MessageCursor) -> Bool {
        let length = Int(message.uint16(at: offset + 9))
        guard cursor.skip(EDNS.emptyLength + length, of: message) != nil else { return false }
        let record = RecordView(
            ownerOffset: offset, type: .opt, recordClass: RecordClass(rawValue: message.uint16(at: offset + 3)),
            ttlOffset: offset + 5, rawTTL: message.uint32(at: offset + 5), dataOffset: offset + EDNS.emptyLength,
            dataLength: length)
        edns = EDNS(record, in: message)
        return edns != nil
    }
}
