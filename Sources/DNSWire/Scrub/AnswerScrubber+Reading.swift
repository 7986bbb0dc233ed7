/// The first half of the work: from bytes to RRsets.
extension AnswerScrubber {
    /// Reads every record of the response into the table, after those of our own that start at `aliases`.
    mutating func read(_ whole: Span<UInt8>, aliases: Int) throws(AnswerDefect) -> Header {
        clear()
        steps = 0
        table.reset(count: 0)
        let message = whole.extracting(0..<aliases)
        guard let header = Header(message) else { throw .wire(.truncated) }
        responseCode = header.flags.responseCode
        let kept = Int(header.answerCount) + Int(header.authorityCount)
        guard Int(header.questionCount) + kept + Int(header.additionalCount) <= AnswerScrubber.recordLimit else {
            throw .wire(.tooManyRecords)
        }
        table.reset(count: kept + (aliases < whole.count ? 2 * AnswerScrubber.aliasLimit + 2 : 0))
        try readAliases(whole, from: aliases)
        var reader = RecordReader()
        for _ in 0..<header.questionCount where reader.cursor.isValid {
            _ = reader.cursor.readQuestion(message, into: &scratch)
            try work(1 + scratch.count)
        }
        try readSection(message, .answer, count: header.answerCount, &reader)
        try readSection(message, .authority, count: header.authorityCount, &reader)
        try readAdditional(message, count: header.additionalCount, &reader)
        if let failure = reader.cursor.failure { throw .wire(failure) }
        return header
    }

    /// Reads our own records, which end the message and are not counted in its header.
    private mutating func readAliases(_ message: Span<UInt8>, from offset: Int) throws(AnswerDefect) {
        var own: [UInt64] = []
        var reader = RecordReader()
        reader.cursor = MessageCursor(offset: offset)
        while reader.cursor.offset < message.count, own.count <= 2 * AnswerScrubber.aliasLimit + 1 {
            try readSection(message, .answer, count: 1, &reader)
            own.append(scratch.hash)
        }
        ownNames = own
    }

    /// Reads the records of one section; those of another class than IN, and those of names that only we speak about,
    /// go nowhere.
    private mutating func readSection(
        _ message: Span<UInt8>, _ section: RecordSetTable.Section, count: UInt16, _ reader: inout RecordReader
    ) throws(AnswerDefect) {
        for _ in 0..<count {
            let record = reader.read(message, owner: &scratch)
            if let failure = reader.cursor.failure { throw .wire(failure) }
            try work(reader.isSameOwner ? 1 : 1 + scratch.count)
            recordsRead += 1
            guard record.recordClass == .in, record.type != .opt, !ownNames.contains(scratch.hash) else { continue }
            var type = record.type
            if type == .rrsig {
                guard record.dataLength > 18 else { throw .wire(.badDataLength) }
                type = RecordType(rawValue: message.uint16(at: record.dataOffset))
            }
            let key = RecordSetTable.Key(
                section: section, ownerHash: scratch.hash, type: type, isSignature: record.type == .rrsig)
            table.add(record, key, owner: scratch, isSameOwner: reader.isSameOwner, in: message)
        }
    }

    /// Reads the additional section, of which only the upper bits of the response code matter
    /// (RFC 6891, section 6.1.3).
    private mutating func readAdditional(
        _ message: Span<UInt8>, count: UInt16, _ reader: inout RecordReader
    ) throws(AnswerDefect) {
        var hasOPT = false
        for _ in 0..<count where reader.cursor.isValid {
            let record = reader.read(message, owner: &scratch)
            try work(reader.isSameOwner ? 1 : 1 + scratch.count)
            guard reader.cursor.isValid, record.type == .opt else { continue }
            guard !hasOPT else { throw .wire(.badOption) }
            hasOPT = true
            responseCode = ResponseCode(rawValue: UInt16(record.rawTTL >> 24) << 4 | responseCode.rawValue)
        }
    }
}

/// Reads one record after the other, and notices when the owner is the same as that of the record before.
///
/// That is so for nearly all of a large RRset, whose owners are pointers at one place: they are decoded once.
struct RecordReader {
    /// Where the next record starts.
    var cursor = MessageCursor()
    /// Whether the owner of the last record was that of the one before, by the place where it stands.
    private(set) var isSameOwner = false
    /// Where the last owner stands, behind a first pointer; nil when there is none.
    private var ownerPlace: Int?

    /// Reads one record; `owner` holds the last one's owner, and afterwards this one's.
    mutating func read(_ message: Span<UInt8>, owner: inout NameBuffer) -> RecordView {
        let start = cursor.offset
        var place = start
        if cursor.isValid, start < message.count - 1, message[start] >= 0xC0 {
            place = Int(message.uint16(at: start) & 0x3FFF)
        }
        // An earlier owner stands there, well formed and before this record, so the pointer is a good one.
        isSameOwner = place == ownerPlace && place < start
        ownerPlace = place
        guard isSameOwner else { return cursor.readRecord(message, owner: &owner) }
        _ = cursor.skip(2, of: message)
        return cursor.readRecordBehindOwner(message, from: start)
    }
}

extension MessageCursor {
    /// Reads what follows the owner of a record that starts at `start`, and moves behind its data.
    fileprivate mutating func readRecordBehindOwner(_ message: Span<UInt8>, from start: Int) -> RecordView {
        let type = RecordType(rawValue: readUInt16(message))
        let recordClass = RecordClass(rawValue: readUInt16(message))
        let ttlOffset = offset
        let ttl = readUInt32(message)
        let length = Int(readUInt16(message))
        let dataOffset = skip(length, of: message) ?? offset
        return RecordView(
            ownerOffset: start, type: type, recordClass: recordClass, ttlOffset: ttlOffset, rawTTL: ttl,
            dataOffset: dataOffset, dataLength: isValid ? length : 0)
    }
}
