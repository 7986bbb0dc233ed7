internal import CLDNS
internal import DNSWire
internal import Glibc

/// Reads the records of master file text (RFC 1035, section 5.1) one after the other by libldns.
///
/// The only place where zone files meet C. It reads from memory, so that a file that changes meanwhile, or is no
/// file at all, cannot surprise it.
@safe struct ZoneTextReader: ~Copyable {
    /// What the next part of the text is.
    enum Entry {
        /// A record.
        case record(ZoneRecord)
        /// Something wrong with the entry that begins on `line`.
        case problem(line: Int, message: String)
        /// The end of the text.
        case end
    }

    /// The text as a stream, which libldns wants.
    private let stream: UnsafeMutablePointer<FILE>
    /// The text, which the stream reads; owned here.
    private let memory: UnsafeMutableBufferPointer<UInt8>
    /// `$TTL` so far; 0 for the default of libldns, an hour.
    private var defaultTTL: UInt32 = 0
    /// `$ORIGIN` so far, owned here.
    private var origin: UnsafeMutablePointer<ldns_rdf>?
    /// The owner of the last record, for lines that leave theirs out; owned here.
    private var previousOwner: UnsafeMutablePointer<ldns_rdf>?
    /// Lines that libldns has read.
    private var linesRead: Int32 = 0
    /// For each line, counted from 0, the next one at or behind it that says something, as it is or counted from 0.
    private let meaningfulLines: [Int32]

    /// A reader at the start of `text`; nil when there is no memory for it.
    init?(_ text: [UInt8]) {
        let memory = UnsafeMutableBufferPointer<UInt8>.allocate(capacity: text.count + 1)
        _ = unsafe memory.initialize(from: text + [UInt8(ascii: "\n")])
        guard let stream = unsafe fmemopen(memory.baseAddress, memory.count, "r") else {
            unsafe memory.deallocate()
            return nil
        }
        unsafe self.stream = unsafe stream
        unsafe self.memory = unsafe memory
        meaningfulLines = ZoneTextReader.meaningfulLines(of: text)
    }

    deinit {
        unsafe fclose(stream)
        unsafe memory.deallocate()
        if let origin = unsafe origin { unsafe ldns_rdf_deep_free(origin) }
        if let previousOwner = unsafe previousOwner { unsafe ldns_rdf_deep_free(previousOwner) }
    }

    /// Reads the next record; directives and empty lines are no entries.
    mutating func next() -> Entry {
        while unsafe feof(stream) == 0 {
            let linesBefore = linesRead
            let placeBefore = unsafe ftell(stream)
            var record: UnsafeMutablePointer<ldns_rr>?
            let status = unsafe ldns_rr_new_frm_fp_l(
                &record, stream, &defaultTTL, &origin, &previousOwner, &linesRead)
            defer { if let record = unsafe record { unsafe ldns_rr_free(record) } }
            let line = startLine(after: Int(linesBefore))
            switch status {
            case LDNS_STATUS_OK:
                guard let record = unsafe record else { continue }
                guard let entry = unsafe ZoneTextReader.parts(of: record, line: line) else {
                    return .problem(line: line, message: "the data is not what its type demands")
                }
                return .record(entry)
            case LDNS_STATUS_SYNTAX_TTL, LDNS_STATUS_SYNTAX_ORIGIN, LDNS_STATUS_SYNTAX_EMPTY:
                // What libldns calls these is that it has met, and understood, a directive or an empty line.
                continue
            case LDNS_STATUS_SYNTAX_INCLUDE:
                return .problem(line: line, message: "$INCLUDE is not supported; list the other file under `zones`")
            default:
                // No progress would mean the same mistake for ever.
                if linesRead == linesBefore, unsafe ftell(stream) == placeBefore {
                    _ = unsafe fseek(stream, 0, SEEK_END)
                }
                if unsafe feof(stream) != 0, line > meaningfulLines.count { return .end }
                return .problem(line: line, message: ZoneTextReader.reason(status))
            }
        }
        return .end
    }

    /// The line, counted from 1, of the first entry behind the first `count` lines.
    private func startLine(after count: Int) -> Int {
        count < meaningfulLines.count ? Int(meaningfulLines[count]) + 1 : count + 1
    }

    /// For each line the next one that is neither empty nor only a comment, which libldns counts with what follows.
    private static func meaningfulLines(of text: [UInt8]) -> [Int32] {
        var says = text.split(separator: UInt8(ascii: "\n"), omittingEmptySubsequences: false).map { line in
            let first = line.first { $0 != UInt8(ascii: " ") && $0 != UInt8(ascii: "\t") && $0 != UInt8(ascii: "\r") }
            return first != nil && first != UInt8(ascii: ";")
        }
        if says.last == false { says.removeLast() }
        var lines = [Int32](repeating: 0, count: says.count)
        var next = Int32(truncatingIfNeeded: says.count)
        for index in says.indices.reversed() {
            if says[index] { next = Int32(truncatingIfNeeded: index) }
            lines[index] = next
        }
        return lines
    }

    /// The record in our terms; nil when its data is not what its type demands.
    private static func parts(of record: UnsafeMutablePointer<ldns_rr>, line: Int) -> ZoneRecord? {
        var start: UnsafeMutablePointer<UInt8>?
        var size = 0
        guard unsafe ldns_rr2wire(&start, record, Int32(LDNS_SECTION_ANSWER.rawValue), &size) == LDNS_STATUS_OK,
            let start = unsafe start
        else { return nil }
        defer { unsafe free(start) }
        let bytes = unsafe Array(UnsafeBufferPointer(start: start, count: size))
        var cursor = MessageCursor(offset: 0)
        var owner = NameBuffer()
        let view = cursor.readRecord(bytes.span, owner: &owner)
        let data = Array(bytes[view.dataOffset..<view.end])
        guard cursor.isValid, cursor.offset == bytes.count, view.type.accepts(data.span) else { return nil }
        return ZoneRecord(
            owner: owner.domainName, type: view.type, recordClass: view.recordClass, ttl: view.ttl,
            data: data, line: line)
    }

    /// What libldns says about a status.
    private static func reason(_ status: ldns_status) -> String {
        guard let text = unsafe ldns_get_errorstr_by_id(status) else { return "syntax error" }
        let reason = unsafe String(cString: text)
        return reason.prefix(1).lowercased() + reason.dropFirst()
    }
}
