import DNSWire
import FQDNPolicy

/// Writes what a client gets: the last step of every path.
enum Reply {
    /// Most bytes that a client takes: by its OPT record over UDP, but never more than we send; anything over TCP.
    @inline(__always)
    static func limit(_ query: QueryMessage, transport: QueryTransport) -> Int {
        guard transport == .udp else { return 65_535 }
        guard let edns = query.edns else { return EDNS.minimumPayloadSize }
        return min(edns.payloadSize, EDNS.ownPayloadSize)
    }

    /// Turns the first `length` bytes of `output`, an answer as the cache stores it, into the response to `query`:
    /// its ID, flags and OPT record, and the question bit for bit as the client wrote it.
    ///
    /// What does not fit within `limit` is left out whole, and TC says so (RFC 2181, section 9). `length` may exceed
    /// `output`, which then holds the header only. Returns the length of the response.
    static func finish(
        _ output: inout MutableSpan<UInt8>, length: Int, query: QueryMessage, options: ReplyOptions,
        question: Span<UInt8>, limit: Int, error: ExtendedError = .none
    ) -> Int {
        let optLength = query.edns == nil ? 0 : options.recordLength
        let questionEnd = Header.length + question.count
        let isTruncated = length + optLength > min(limit, output.count)
        var end = length
        // Flags that come from the stored answer: AA, TC from none, AD only for who can use it (RFC 6840, section 5.8).
        let stored = HeaderFlags(rawValue: UInt16(output[2]) << 8 | UInt16(output[3]))
        let asked = query.header.flags
        var flags: HeaderFlags = [.response, .recursionAvailable]
        flags.formUnion(asked.intersection([.recursionDesired, .checkingDisabled]))
        flags.formUnion(stored.intersection(.authoritative))
        if asked.contains(.authenticData) || query.edns?.dnssecOK == true {
            flags.formUnion(stored.intersection(.authenticData))
        }
        flags.responseCode = stored.responseCode
        put16(query.header.id, at: 0, &output)
        if isTruncated {
            flags.insert(.truncated)
            put16(0, at: 6, &output)
            put16(0, at: 8, &output)
            end = questionEnd
        }
        put16(flags.rawValue, at: 2, &output)
        output.copy(question, at: Header.length)
        if let edns = query.edns {
            put16(1, at: 10, &output)
            end = putOPT(&output, at: end, limit: limit, edns: edns, options: options, extendedCode: 0, error: error)
        } else {
            put16(0, at: 10, &output)
        }
        return end
    }

    /// Writes a response without records into `output` and returns its length.
    ///
    /// `question` is empty when the query had none that could be read.
    static func empty(
        _ output: inout MutableSpan<UInt8>, code: ResponseCode, query: QueryMessage, options: ReplyOptions,
        question: Span<UInt8>, limit: Int, error: ExtendedError = .none
    ) -> Int {
        var flags: HeaderFlags = [.response, .recursionAvailable]
        flags.formUnion(query.header.flags.intersection([.recursionDesired, .checkingDisabled]))
        flags.rawValue |= UInt16(query.header.flags.opcode.rawValue) << 11
        flags.responseCode = code
        put16(query.header.id, at: 0, &output)
        put16(flags.rawValue, at: 2, &output)
        put16(question.isEmpty ? 0 : 1, at: 4, &output)
        put16(0, at: 6, &output)
        put16(0, at: 8, &output)
        put16(query.edns == nil ? 0 : 1, at: 10, &output)
        output.copy(question, at: Header.length)
        let end = Header.length + question.count
        guard let edns = query.edns else { return end }
        return putOPT(
            &output, at: end, limit: limit, edns: edns, options: options,
            extendedCode: code.extendedPart, error: error)
    }

    /// Writes a response that says no more than that the client should ask over TCP, and returns its length.
    static func truncated(
        _ output: inout MutableSpan<UInt8>, query: QueryMessage, options: ReplyOptions, question: Span<UInt8>,
        limit: Int
    ) -> Int {
        let length = empty(
            &output, code: .noError, query: query, options: options, question: question, limit: limit)
        output[2] |= UInt8(truncatingIfNeeded: HeaderFlags.truncated.rawValue >> 8)
        return length
    }

    /// Writes NXDOMAIN with a synthesised SOA at the question's own name, so that resolvers may keep it for a
    /// minute (RFC 2308, section 3), and returns its length.
    static func deniedName(
        _ output: inout MutableSpan<UInt8>, query: QueryMessage, options: ReplyOptions, question: Span<UInt8>,
        limit: Int
    ) -> Int {
        var offset = Header.length + question.count
        // Owner, MNAME and RNAME all point at the question.
        let record: [10 of UInt8] = [0xC0, 12, 0, 6, 0, 1, 0, 0, 0, 60]
        let serials: [20 of UInt8] = [0, 0, 0, 1, 0, 0, 0x0E, 0x10, 0, 0, 2, 0x58, 0, 1, 0x51, 0x80, 0, 0, 0, 60]
        for index in record.indices { output[offset + index] = record[index] }
        offset += 10
        put16(24, at: offset, &output)
        put16(0xC00C, at: offset + 2, &output)
        put16(0xC00C, at: offset + 4, &output)
        offset += 6
        for index in serials.indices { output[offset + index] = serials[index] }
        offset += 20
        var flags: HeaderFlags = []
        flags.responseCode = .nameError
        Header(id: 0, flags: flags, authorityCount: 1).write(to: &output)
        return finish(
            &output, length: offset, query: query, options: options, question: question, limit: limit,
            error: .blocked)
    }

    /// Writes the minimal answer to a question of type ANY, one HINFO record that says why (RFC 8482, section 4.2),
    /// and returns its length.
    static func minimalAny(
        _ output: inout MutableSpan<UInt8>, query: QueryMessage, options: ReplyOptions, question: Span<UInt8>,
        limit: Int
    ) -> Int {
        let offset = Header.length + question.count
        let record: [21 of UInt8] = [
            0xC0, 12, 0, 13, 0, 1, 0, 0, 0x0E, 0x10, 0, 9,
            7, 0x52, 0x46, 0x43, 0x38, 0x34, 0x38, 0x32, 0,
        ]
        for index in record.indices { output[offset + index] = record[index] }
        Header(id: 0, flags: [], answerCount: 1).write(to: &output)
        return finish(
            &output, length: offset + record.count, query: query, options: options, question: question, limit: limit)
    }

    /// Writes an OPT record with `options` at `offset`, and an extended error if there is one and room for it; returns its
    /// end.
    @inline(__always)
    private static func putOPT(
        _ output: inout MutableSpan<UInt8>, at offset: Int, limit: Int, edns: EDNS, options: ReplyOptions,
        extendedCode: UInt8, error: ExtendedError
    ) -> Int {
        output[offset] = 0
        put16(RecordType.opt.rawValue, at: offset + 1, &output)
        put16(UInt16(EDNS.ownPayloadSize), at: offset + 3, &output)
        output[offset + 5] = extendedCode
        output[offset + 6] = 0
        output[offset + 7] = edns.dnssecOK ? 0x80 : 0
        output[offset + 8] = 0
        let start = offset + EDNS.emptyLength
        var end = options.write(to: &output, at: start)
        if error != .none, end + 6 <= min(limit, output.count) {
            put16(EDNSOption.extendedError, at: end, &output)
            put16(2, at: end + 2, &output)
            put16(error.rawValue, at: end + 4, &output)
            end += 6
        }
        put16(UInt16(truncatingIfNeeded: end - start), at: offset + 9, &output)
        return end
    }

    /// Writes two bytes in network order.
    @inline(__always)
    private static func put16(_ value: UInt16, at offset: Int, _ output: inout MutableSpan<UInt8>) {
        output[offset] = UInt8(truncatingIfNeeded: value >> 8)
        output[offset + 1] = UInt8(truncatingIfNeeded: value)
    }
}
