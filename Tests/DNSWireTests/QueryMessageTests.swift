import DNSWire
import Testing

/// What a query is taken for, and the decoded query.
private func decode(_ bytes: [UInt8]) -> (QueryMessage.Disposition, QueryMessage, String) {
    var query = QueryMessage()
    var name = NameBuffer()
    let disposition = query.decode(bytes.span, name: &name)
    return (disposition, query, name.count > 0 ? name.domainName.description : "")
}

/// A plain query for www.example. A.
private func query(flags: UInt16 = 0x0100, type: RecordType = .a) -> WireMessage {
    WireMessage(flags: flags, question: "www.example.", type: type)
}

/// A query with an OPT record.
private func ednsQuery(ttl: UInt32 = 0, size: UInt16 = 1232, owner: [UInt8] = [0], _ options: [UInt8] = [])
    -> WireMessage
{
    var message = query()
    message.add(.additional, owner, .opt, recordClass: size, ttl: ttl, options)
    return message
}

@Suite struct QueryMessageTests {
    @Test func `a query is decoded`() {
        let (disposition, decoded, name) = decode(query().bytes)
        #expect(disposition == .accept)
        #expect(name == "www.example.")
        #expect(decoded.question == Question(type: .a, recordClass: .in, end: 29))
        #expect(decoded.header.id == 0x1234 && decoded.header.flags == .recursionDesired)
        #expect(decoded.edns == nil)
    }

    @Test func `EDNS is decoded`() {
        let (disposition, decoded, _) = decode(ednsQuery(ttl: 0x8000, size: 100, [0, 10, 0, 8] + Array(1...8)).bytes)
        #expect(disposition == .accept)
        #expect(decoded.edns?.payloadSize == 512)
        #expect(decoded.edns?.dnssecOK == true)
        #expect(decoded.edns?.version == 0)
        #expect(decoded.edns?.optionsLength == 12)
        #expect(decode(ednsQuery(size: 4096).bytes).1.edns?.payloadSize == 4096)
        #expect(decode(ednsQuery(size: 4096).bytes).1.edns?.dnssecOK == false)
    }

    @Test(arguments: [
        ("a response", query(flags: 0x8100).bytes, QueryMessage.Disposition.ignore),
        ("eleven bytes", Array(query().bytes.prefix(11)), .ignore),
        ("nothing", [], .ignore),
        ("status", query(flags: 0x1000).bytes, .respond(.notImplemented, echoesQuestion: false)),
        ("notify", query(flags: 0x2400).bytes, .respond(.notImplemented, echoesQuestion: false)),
        ("update", query(flags: 0x2800).bytes, .respond(.notImplemented, echoesQuestion: false)),
        ("no question", WireMessage(flags: 0x0100, question: nil).bytes, .respond(.formatError, echoesQuestion: false)),
        ("zone transfer", query(type: .axfr).bytes, .respond(.refused, echoesQuestion: true)),
        ("incremental transfer", query(type: .ixfr).bytes, .respond(.refused, echoesQuestion: true)),
        (
            "the reserved type 0", query(type: RecordType(rawValue: 0)).bytes,
            .respond(.formatError, echoesQuestion: true)
        ),
        ("OPT as a type", query(type: .opt).bytes, .respond(.formatError, echoesQuestion: true)),
        ("bytes behind the end", query().bytes + [0], .respond(.formatError, echoesQuestion: true)),
        ("EDNS version 1", ednsQuery(ttl: 0x1_0000).bytes, .respond(.badVersion, echoesQuestion: true)),
        (
            "option past the end", ednsQuery([0, 10, 0, 9] + Array(1...8)).bytes,
            .respond(.formatError, echoesQuestion: true)
        ),
        ("half an option", ednsQuery([0, 10, 0]).bytes, .respond(.formatError, echoesQuestion: true)),
        ("OPT with an owner", ednsQuery(owner: wire("a.")).bytes, .respond(.formatError, echoesQuestion: true)),
    ])
    func `what cannot be answered is turned away in the right way`(
        _ title: String, _ bytes: [UInt8], _ expected: QueryMessage.Disposition
    ) {
        #expect(decode(bytes).0 == expected)
    }

    @Test func `an OPT record is found in what is turned away by its header too`() {
        func message(flags: UInt16 = 0x0100, questions: UInt16 = 1, records: Int = 0, options: Int = 1) -> [UInt8] {
            var message = query(flags: flags)
            for _ in 0..<records { message.add(.authority, wire("a."), .a, recordClass: 1, [192, 0, 2, 1]) }
            for _ in 0..<options { message.add(.additional, [0], .opt, recordClass: 1232, ttl: 0, []) }
            return message.bytes[..<4] + big(questions) + message.bytes[6...]
        }
        #expect(decode(message(flags: 0x2800)).1.edns?.payloadSize == 1232, "UPDATE")
        #expect(decode(message(flags: 0x2800, records: 3)).1.edns != nil)
        #expect(decode(message(records: 6)).0 == .respond(.formatError, echoesQuestion: false))
        #expect(decode(message(records: 6)).1.edns != nil)
        #expect(decode(message(records: 7)).1.edns == nil, "more than are searched through")
        #expect(decode(message(flags: 0x2800, options: 2)).1.edns == nil)
        #expect(decode(message(questions: 2)).1.edns == nil, "the OPT record was read as a question")
        #expect(decode(message(questions: 65_535)).1.edns == nil)
    }

    @Test func `counts that are not those of a query`() {
        for (offset, value) in [(5, 2), (4, 255), (7, 1), (9, 1)] {
            var bytes = query().bytes
            bytes[offset] = UInt8(value)
            #expect(decode(bytes).0 == .respond(.formatError, echoesQuestion: false))
        }
        for questions: UInt16 in [0, 2, 65_535] {
            let bytes = query().bytes
            let changed = bytes[..<4] + big(questions) + bytes[6...]
            #expect(decode(Array(changed)).0 == .respond(.formatError, echoesQuestion: false))
        }
        var bytes = query().bytes
        bytes[11] = 1
        #expect(decode(bytes).0 == .respond(.formatError, echoesQuestion: true))
        bytes[10] = 255
        #expect(decode(bytes).0 == .respond(.formatError, echoesQuestion: true))
    }

    @Test func `two OPT records are a format error, other additional records are not`() {
        var message = query()
        message.add(.additional, wire("key."), RecordType(rawValue: 250), recordClass: 255, [1, 2, 3])
        message.add(.additional, [0], .opt, recordClass: 1232, ttl: 0, [])
        #expect(decode(message.bytes).0 == .accept)
        #expect(decode(message.bytes).1.edns != nil)
        message.add(.additional, [0], .opt, recordClass: 1232, ttl: 0, [])
        #expect(decode(message.bytes).0 == .respond(.formatError, echoesQuestion: true))
        #expect(decode(message.bytes).1.edns == nil)
    }

    @Test func `other classes are refused`() {
        for value: UInt8 in [0, 3, 254, 255] {
            var bytes = query().bytes
            bytes[bytes.count - 1] = value
            #expect(decode(bytes).0 == .respond(.refused, echoesQuestion: true))
        }
    }

    @Test func `a query that is cut anywhere is a format error or silence`() {
        let bytes = ednsQuery([0, 10, 0, 8] + Array(1...8)).bytes
        for length in 0..<bytes.count {
            let expected: QueryMessage.Disposition =
                length < 12 ? .ignore : .respond(.formatError, echoesQuestion: length >= 29)
            #expect(decode(Array(bytes[..<length])).0 == expected, "cut at \(length)")
        }
    }

    @Test func `options are walked in order`() throws {
        let bytes = ednsQuery([0, 8, 0, 0, 0, 12, 0, 2, 7, 8]).bytes
        let edns = try #require(decode(bytes).1.edns)
        var options = EDNSOptionCursor(edns)
        var seen: [EDNSOption] = []
        while let option = options.next(bytes.span) { seen.append(option) }
        #expect(!options.isMalformed)
        #expect(seen.map(\.code) == [8, 12])
        #expect(seen.map(\.dataLength) == [0, 2])
        #expect(seen.last.map { Array(bytes[$0.dataOffset..<($0.dataOffset + $0.dataLength)]) } == [7, 8])
    }

    @Test func `of several cookies the first counts, and each has to have a length that a cookie can have`() {
        let first: [UInt8] = [0, 10, 0, 8] + Array(1...8)
        let second: [UInt8] = [0, 10, 0, 8] + Array(11...18)
        #expect(decode(ednsQuery(first + second).bytes).1.edns?.cookie?.client == 0x0102_0304_0506_0708)
        #expect(decode(ednsQuery(second + first).bytes).1.edns?.cookie?.client == 0x0B0C_0D0E_0F10_1112)
        #expect(decode(ednsQuery(first + [0, 10, 0, 1, 0]).bytes).0 == .respond(.formatError, echoesQuestion: true))
        #expect(decode(ednsQuery().bytes).1.edns?.cookie == nil)
    }

    @Test(
        arguments: [
            ([], false), ([0, 11, 0, 0], true), ([0, 11, 0, 2, 0, 50], false), ([0, 12, 0, 0, 0, 11, 0, 0], true),
            ([0, 11, 0, 0, 0, 11, 0, 2, 0, 50], true),
        ] as [([UInt8], Bool)])
    func `a keepalive option without data asks for one`(_ options: [UInt8], _ expected: Bool) {
        #expect(decode(ednsQuery(options).bytes).0 == .accept)
        #expect(decode(ednsQuery(options).bytes).1.edns?.asksForKeepalive == expected)
    }

    @Test func `a keepalive option is written with its timeout`() {
        var output = [UInt8](repeating: 0xEE, count: 8)
        var span = output.mutableSpan
        let end = EDNSOption.writeKeepalive(timeout: 0x0102, to: &span, at: 1)
        #expect(end == 7)
        #expect(output == [0xEE, 0, 11, 0, 2, 1, 2, 0xEE])
    }

    @Test func `padding and options that nobody knows are ignored, whatever they hold`() {
        for code: UInt16 in [EDNSOption.padding, 3, 9, 14, 20_292, 65_001, 65_535] {
            for length in [0, 1, 400] {
                let option = big(code) + big(UInt16(length)) + [UInt8](repeating: 0xFF, count: length)
                #expect(decode(ednsQuery(option).bytes).0 == .accept, "option \(code) of \(length) bytes")
            }
        }
    }

    @Test func `mutated queries never crash, and what is accepted is a query`() {
        var generator = SeededGenerator(seed: 99)
        let source = ednsQuery(ttl: 0x8000, [0, 10, 0, 8] + Array(1...8)).bytes
        var accepted = 0
        for _ in 0..<6_000 {
            var bytes = source
            for _ in 0..<Int.random(in: 1...4, using: &generator) {
                bytes[Int.random(in: 0..<bytes.count, using: &generator)] = .random(in: 0...255, using: &generator)
            }
            let (disposition, decoded, name) = decode(bytes)
            guard disposition == .accept else { continue }
            accepted += 1
            #expect(!name.isEmpty && decoded.question.recordClass == .in && decoded.header.questionCount == 1)
        }
        #expect(accepted > 300)
    }
}
