import DNSWire
import Testing

@Suite struct ScrubberHostileTests {
    /// A response with one address.
    static func plain() -> WireMessage {
        var message = WireMessage(question: "www.example.")
        message.add(.answer, pointer(12), .a, [192, 0, 2, 1])
        return message
    }

    /// A response with one record of `type` and `data`.
    static func one(_ type: RecordType, _ data: [UInt8], length: Int? = nil) -> [UInt8] {
        var message = WireMessage(question: "www.example.", type: type)
        message.add(.answer, pointer(12), type, data, length: length)
        return message.bytes
    }

    @Test(arguments: [WireMessage.Section.answer, .authority, .additional])
    func `a count that promises more than there is`(_ section: WireMessage.Section) {
        var message = ScrubberHostileTests.plain()
        message.setCount(section, 3)
        let scrubbed = scrub(message.bytes, question: "www.example.", type: .a)
        #expect(scrubbed.result.outcome == .malformed(.wire(.truncated)))
        #expect(scrubbed.addresses.isEmpty)
    }

    @Test func `a count that hides records hides them from everybody`() {
        var message = WireMessage(question: "www.example.")
        message.add(.answer, pointer(12), .a, [192, 0, 2, 1])
        message.add(.answer, pointer(12), .a, [192, 0, 2, 2])
        message.setCount(.answer, 1)
        let scrubbed = scrub(message.bytes, question: "www.example.", type: .a)
        #expect(scrubbed.result.outcome == .answer)
        #expect(scrubbed.addresses.map(\.address.description) == ["192.0.2.1"])
        #expect(LDNS.text(scrubbed.image)?.answer == ["www.example. 300 IN A 192.0.2.1"])
    }

    @Test func `more records than we take`() {
        var message = ScrubberHostileTests.plain()
        message.setCount(.authority, 2048)
        message.setCount(.additional, 2048)
        let scrubbed = scrub(message.bytes, question: "www.example.", type: .a)
        #expect(scrubbed.result.outcome == .malformed(.wire(.tooManyRecords)))
    }

    @Test func `a response that ends anywhere before its end is malformed`() {
        var message = ScrubberHostileTests.plain()
        message.add(.authority, text: ScrubberTests.soa)
        message.add(.additional, [0], .opt, recordClass: 1232, ttl: 0, [])
        for length in 0..<message.bytes.count {
            let scrubbed = scrub(Array(message.bytes[..<length]), question: "www.example.", type: .a)
            #expect(scrubbed.result.outcome == .malformed(.wire(.truncated)), "cut at \(length)")
        }
        #expect(scrub(message.bytes, question: "www.example.", type: .a).result.outcome == .answer)
    }

    @Test(
        arguments: [
            (RecordType.a, [192, 0, 2]), (.a, [192, 0, 2, 1, 0]), (.a, []), (.aaaa, [UInt8](repeating: 1, count: 15)),
            (.ns, [1, 0x61]), (.ns, [1, 0x61, 0, 0]), (.mx, [0]), (.mx, [0, 1]),
            (.soa, [0, 0] + [UInt8](repeating: 0, count: 19)),
            (.soa, [0, 0] + [UInt8](repeating: 0, count: 21)), (.srv, [0, 1, 0, 1, 0]),
            (.srv, [0, 1, 0, 1, 0, 53, 0, 0]),
            (.txt, []), (.txt, [3, 1, 2]), (.txt, [1, 1, 1]), (.hinfo, [1, 0x61]), (.hinfo, [0, 0, 0]),
            (.naptr, [0, 1, 0, 1, 1, 0x61, 0, 9]), (.naptr, [0, 1, 0, 1, 1, 0x61, 0, 0]), (.ds, [0, 1, 8, 2]),
            (.https, [0, 1]), (.https, [0, 1, 0xC0, 12]), (.https, [0, 1, 0, 0, 4, 0, 3, 1, 2, 3]),
            (.https, [0, 1, 0, 0, 4, 0, 0]), (.https, [0, 1, 0, 0, 4, 0, 8, 192, 0, 2, 1]), (.https, [0, 1, 0, 0, 4]),
            (.https, [0, 1, 0, 0, 6, 0, 4, 1, 2, 3, 4]),
            (.https, [0, 1, 0, 0, 4, 0, 4, 192, 0, 2, 1, 0, 4, 0, 4, 192, 0, 2, 2]),
            (.https, [0, 1, 0, 0, 4, 0, 4, 192, 0, 2, 1, 0, 3, 0, 2, 0, 80]),
            (.nsec, [0, 0, 0]), (.nsec, [0xC0, 12, 0, 1, 0x40]), (.nsec3, [1, 0, 0, 1, 0, 9]), (.cname, [0xC0, 200]),
        ] as [(RecordType, [UInt8])])
    func `data that disagrees with its type`(_ type: RecordType, _ data: [UInt8]) {
        let scrubbed = scrub(ScrubberHostileTests.one(type, data), question: "www.example.", type: type)
        guard case .malformed(.wire(let error)) = scrubbed.result.outcome else {
            Issue.record("taken as \(scrubbed.result.outcome)")
            return
        }
        #expect(error == .badDataLength || error == .badPointer || error == .truncated)
        #expect(scrubbed.result.length == 0)
        #expect(scrubbed.addresses.isEmpty)
    }

    @Test func `data that runs past the message, and names that run past their data`() {
        let overrun = ScrubberHostileTests.one(.a, [192, 0, 2, 1], length: 5)
        #expect(scrub(overrun, question: "www.example.", type: .a).result.outcome == .malformed(.wire(.truncated)))
        var message = WireMessage(question: "www.example.", type: .ns)
        message.add(.answer, pointer(12), .ns, [3, 0x61, 0x62], length: 3)
        message.append([0x63, 0])
        #expect(
            scrub(message.bytes, question: "www.example.", type: .ns).result.outcome
                == .malformed(.wire(.badDataLength)))
    }

    @Test func `owners with pointers forward, to themselves and into the header`() {
        for target in [0, 11, 29, 30, 40, 500] {
            var message = WireMessage(question: "www.example.")
            message.add(.answer, pointer(target), .a, [192, 0, 2, 1])
            let scrubbed = scrub(message.bytes, question: "www.example.", type: .a)
            #expect(scrubbed.result.outcome == .malformed(.wire(.badPointer)), "pointer to \(target)")
        }
    }

    @Test func `pointers in data that loop or point forward`() {
        for type in [RecordType.cname, .ns, .mx, .soa, .srv, .naptr, .dname, .rp] {
            let prefix: [UInt8] =
                switch type {
                case .mx: [0, 10]
                case .srv: [0, 1, 0, 1, 0, 53]
                case .naptr: [0, 1, 0, 1, 0, 0, 0]
                default: []
                }
            // The data starts behind the owner's pointer, type, class, TTL and length.
            let start = 29 + 12 + prefix.count
            let suffix = [UInt8](repeating: 0, count: type == .soa ? 21 : type == .rp ? 1 : 0)
            for target in [start, start + 1, start + 2, 0x3FFF, 4] {
                let bytes = ScrubberHostileTests.one(type, prefix + pointer(target) + suffix)
                // A DNAME redirects what is below its owner.
                let question = type == .dname ? "a.www.example." : "www.example."
                let scrubbed = scrub(bytes, question: question, type: type == .dname ? .a : type)
                #expect(scrubbed.result.outcome == .malformed(.wire(.badPointer)), "\(type) at \(target)")
            }
        }
    }

    @Test func `a chain of twenty aliases`() {
        var message = WireMessage(question: "n0.example.")
        for index in 0..<20 {
            message.add(.answer, text: "n\(index).example. 30 IN CNAME n\(index + 1).example.")
        }
        message.add(.answer, text: "n20.example. 30 IN A 192.0.2.1")
        let scrubbed = scrub(message.bytes, question: "n0.example.", type: .a)
        #expect(scrubbed.result.outcome == .malformed(.aliasChain))
        #expect(scrubbed.addresses.isEmpty && scrubbed.aliases.isEmpty)
    }

    @Test func `an answer to another question teaches nothing`() {
        var message = WireMessage(question: "other.test.")
        message.add(.answer, pointer(12), .a, [192, 0, 2, 9])
        let scrubbed = scrub(message.bytes, question: "www.example.", type: .a)
        #expect(scrubbed.result.outcome == .noData && !scrubbed.result.isCacheable)
        #expect(scrubbed.addresses.isEmpty && scrubbed.result.dropped == 1)
        #expect(LDNS.text(scrubbed.image)?.answer == [])
    }

    @Test(arguments: [(0, ScrubOutcome.answer), (2, .answer), (65_535, .malformed(.wire(.tooManyRecords)))])
    func `none, two or 65,535 questions`(_ count: Int, _ outcome: ScrubOutcome) {
        var message = WireMessage(question: nil)
        for _ in 0..<min(count, 2) { message.append(wire("www.example.") + big(1) + big(1)) }
        message.add(.answer, wire("www.example."), .a, [192, 0, 2, 1])
        var bytes = message.bytes
        bytes[4] = UInt8(count >> 8)
        bytes[5] = UInt8(count & 0xFF)
        let scrubbed = scrub(bytes, question: "www.example.", type: .a)
        #expect(scrubbed.result.outcome == outcome)
        // The image has one question, whatever the response had.
        if outcome == .answer { #expect(readHeader(scrubbed.image)?.questionCount == 1) }
    }

    @Test func `an OPT record that nobody asked for, or in the wrong place, reaches nobody`() throws {
        let options: [UInt8] = [0, 15, 0, 2, 0, 15, 0, 10, 0, 24] + [UInt8](repeating: 7, count: 24)
        for section in [WireMessage.Section.answer, .authority, .additional] {
            var message = ScrubberHostileTests.plain()
            // The last option runs past its end; its bytes are nobody's.
            message.add(section, [0], .opt, recordClass: 4096, ttl: 0x8000, options + [0, 3, 0, 9])
            let scrubbed = scrub(message.bytes, question: "www.example.", type: .a)
            #expect(scrubbed.result.outcome == .answer)
            let text = try #require(LDNS.text(scrubbed.image))
            #expect(text.answer == ["www.example. 300 IN A 192.0.2.1"])
            #expect(text.authority.isEmpty && text.additional.isEmpty)
        }
    }

    @Test func `an OPT record outside of the additional section changes no code`() {
        var message = WireMessage(question: "www.example.")
        message.add(.answer, [0], .opt, recordClass: 1232, ttl: 0x0100_0000, [])
        #expect(scrub(message.bytes, question: "www.example.", type: .a).result.outcome == .noData)
    }

    @Test func `more RRsets of the name than were asked for`() {
        var message = ScrubberHostileTests.plain()
        for value in UInt16(1)...400 where ![1, 5, 39, 41, 46].contains(value) {
            message.add(.answer, pointer(12), RecordType(rawValue: value), [192, 0, 2, 2])
        }
        let scrubbed = scrub(message.bytes, question: "www.example.", type: .a)
        #expect(scrubbed.addresses.map(\.address.description) == ["192.0.2.1"])
        #expect(scrubbed.result.dropped == 395)
        #expect(LDNS.text(scrubbed.image)?.answer == ["www.example. 300 IN A 192.0.2.1"])
    }

    @Test(arguments: [0, 1, 17, 18])
    func `a signature too short to say what it signs`(_ length: Int) {
        var message = ScrubberHostileTests.plain()
        message.add(.answer, pointer(12), .rrsig, [UInt8](repeating: 0, count: length))
        let scrubbed = scrub(message.bytes, question: "www.example.", type: .a)
        #expect(scrubbed.result.outcome == .malformed(.wire(.badDataLength)))
    }

    @Test func `an unsupported code of the OPT record is a failure, not an empty answer`() {
        var message = WireMessage(question: "www.example.")
        message.add(.additional, [0], .opt, recordClass: 1232, ttl: 0x0100_0000, [])
        let scrubbed = scrub(message.bytes, question: "www.example.", type: .a)
        #expect(scrubbed.result.outcome == .failure(.badVersion))
        #expect(readHeader(scrubbed.image)?.flags.responseCode == .serverFailure)
    }

    @Test func `two OPT records`() {
        var message = ScrubberHostileTests.plain()
        for _ in 0..<2 { message.add(.additional, [0], .opt, recordClass: 1232, ttl: 0, []) }
        let scrubbed = scrub(message.bytes, question: "www.example.", type: .a)
        #expect(scrubbed.result.outcome == .malformed(.wire(.badOption)))
    }

    @Test func `AA and TC go, RA, AD and the code stay`() {
        var message = WireMessage(flags: 0x87FF & ~0xF, question: "www.example.")
        message.add(.answer, pointer(12), .a, [192, 0, 2, 1])
        let image = scrub(message.bytes, question: "www.example.", type: .a).image
        #expect(readHeader(image)?.flags == [.response, .recursionAvailable, .authenticData])
    }

    @Test func `an image that does not fit is no image`() {
        let whole = scrub(ScrubberHostileTests.plain().bytes, question: "www.example.", type: .a)
        for room in [0, 11, 12, 20, whole.image.count - 1] {
            let scrubbed = scrub(
                ScrubberHostileTests.plain().bytes, question: "www.example.", type: .a, room: room)
            #expect(scrubbed.result.outcome == .malformed(.wire(.noRoom)), "\(room) bytes")
        }
        let exact = scrub(
            ScrubberHostileTests.plain().bytes, question: "www.example.", type: .a, room: whole.image.count)
        #expect(exact.image == whole.image)
    }

    @Test func `address hints of HTTPS records are addresses of the question`() {
        let parameters: [UInt8] =
            [0, 1, 0, 3, 2, 0x68, 0x32, 0, 4, 0, 8, 192, 0, 2, 1, 192, 0, 2, 2, 0, 6, 0, 16, 0x20, 0x01, 0x0D, 0xB8]
            + [UInt8](repeating: 0, count: 11) + [1]
        var message = WireMessage(question: "www.example.", type: .https)
        message.add(.answer, pointer(12), .https, ttl: 30, [0, 1] + wire("cdn.test.") + parameters)
        let scrubbed = scrub(message.bytes, question: "www.example.", type: .https)
        #expect(scrubbed.result.outcome == .answer)
        #expect(scrubbed.addresses.map(\.address.description) == ["192.0.2.1", "192.0.2.2", "2001:db8::1"])
        #expect(scrubbed.addresses.allSatisfy { $0.isHint && $0.ttl == 30 })
        // In alias mode there are no parameters, whatever the bytes say.
        message = WireMessage(question: "www.example.", type: .https)
        message.add(.answer, pointer(12), .https, [0, 0] + wire("cdn.test.") + parameters)
        #expect(scrub(message.bytes, question: "www.example.", type: .https).addresses.isEmpty)
    }

    @Test func `compressed names in data come out whole, compressed only in types of RFC 1035`() throws {
        let cases: [(RecordType, [UInt8], [UInt8], String)] = [
            (
                .mx, [0, 10, 4] + Array("mail".utf8) + pointer(12), [0, 10, 4] + Array("mail".utf8) + pointer(12),
                "10 mail.www.example."
            ),
            (
                .soa, pointer(12) + [1, 0x72] + pointer(16) + [UInt8](repeating: 0, count: 20),
                pointer(12) + [1, 0x72] + pointer(16) + [UInt8](repeating: 0, count: 20),
                "www.example. r.example. 0 0 0 0 0"
            ),
            (.ptr, pointer(16), pointer(16), "example."),
            (
                .srv, [0, 1, 0, 2, 0, 53, 1, 0x73] + pointer(16), [0, 1, 0, 2, 0, 53, 1, 0x73] + wire("example."),
                "1 2 53 s.example."
            ),
            (.dname, pointer(16), wire("example."), "example."),
            (.afsdb, [0, 1] + pointer(16), [0, 1] + wire("example."), "1 example."),
            (.rp, pointer(12) + pointer(16), wire("www.example.") + wire("example."), "www.example. example."),
            (
                .naptr, [0, 1, 0, 2, 1, 0x61, 0, 0] + pointer(16), [0, 1, 0, 2, 1, 0x61, 0, 0] + wire("example."),
                "1 2 \"a\" \"\" \"\" example."
            ),
        ]
        for (type, data, expected, text) in cases {
            let scrubbed = scrub(ScrubberHostileTests.one(type, data), question: "www.example.", type: type)
            #expect(scrubbed.result.outcome == .answer, "\(type)")
            #expect(Array(scrubbed.image.suffix(expected.count)) == expected, "\(type)")
            #expect(try #require(LDNS.text(scrubbed.image)).answer == ["www.example. 300 IN \(type) \(text)"])
        }
    }

    @Test func `data of unknown types is copied byte for byte`() {
        let data: [UInt8] = [0xC0, 12, 0xFF, 0, 1, 2, 3]
        let type = RecordType(rawValue: 65_280)
        let scrubbed = scrub(ScrubberHostileTests.one(type, data), question: "www.example.", type: type)
        #expect(scrubbed.result.outcome == .answer)
        #expect(Array(scrubbed.image.suffix(data.count)) == data)
    }

    @Test func `the client's spelling of the question becomes that of the whole answer`() throws {
        var message = WireMessage(question: "wWw.eXample.")
        message.add(.answer, pointer(12), .cname, [1, 0x61] + pointer(16))
        message.add(.answer, [1, 0x61] + pointer(16), .a, [192, 0, 2, 1])
        var image = scrub(message.bytes, question: "www.example.", type: .a).image
        image.replaceSubrange(12..<25, with: wire("WWW.EXAMPLE."))
        let text = try #require(LDNS.text(image))
        #expect(text.answer == ["WWW.EXAMPLE. 300 IN CNAME a.EXAMPLE.", "a.EXAMPLE. 300 IN A 192.0.2.1"])
    }

    @Test func `an owner is only the same as the last when it stands at the same place`() throws {
        // The second owner points at the first, the third at the first's second label, the fourth at the first again.
        var message = WireMessage(question: "www.example.")
        let first = message.bytes.count
        message.add(.answer, wire("www.example."), .a, [192, 0, 2, 1])
        message.add(.answer, pointer(first), .a, [192, 0, 2, 2])
        message.add(.answer, pointer(first + 4), .a, [192, 0, 2, 3])
        message.add(.answer, pointer(first), .a, [192, 0, 2, 4])
        message.add(.answer, pointer(12), .a, [192, 0, 2, 5])
        let scrubbed = scrub(message.bytes, question: "www.example.", type: .a)
        #expect(scrubbed.addresses.map(\.address.description) == ["192.0.2.1", "192.0.2.2", "192.0.2.4", "192.0.2.5"])
        #expect(scrubbed.result.dropped == 1)
    }

    @Test func `a malformed response leaves nothing behind for the next`() {
        var scrubber = AnswerScrubber()
        let good = scrub(ScrubberHostileTests.plain().bytes, question: "www.example.", type: .a)
        for _ in 0..<3 {
            var bad = ScrubberHostileTests.plain()
            bad.add(.answer, pointer(12), .a, [1, 2, 3])
            let scrubbed = scrub(bad.bytes, question: "www.example.", type: .a, with: &scrubber)
            #expect(scrubbed.result.outcome == .malformed(.wire(.badDataLength)))
            #expect(scrubbed.addresses.isEmpty && scrubbed.aliases.isEmpty && scrubbed.ttlOffsets.isEmpty)
            let again = scrub(ScrubberHostileTests.plain().bytes, question: "www.example.", type: .a, with: &scrubber)
            #expect(again.image == good.image)
            #expect(again.result == good.result)
        }
    }

    @Test func `whatever bytes arrive, the image is a message that libldns reads`() throws {
        var generator = SeededGenerator(seed: 0x5C2B)
        var scrubber = AnswerScrubber()
        var images = 0
        for round in 0..<4_000 {
            let test = ScrubberTests.cases[round % ScrubberTests.cases.count]
            var message = WireMessage(flags: 0x8180 | test.code, question: test.question, type: test.type)
            for line in test.answer { message.add(.answer, text: line) }
            for line in test.authority { message.add(.authority, text: line) }
            var bytes = message.bytes
            for _ in 0..<Int.random(in: 1...4, using: &generator) {
                bytes[Int.random(in: 0..<bytes.count, using: &generator)] = .random(in: 0...255, using: &generator)
            }
            let scrubbed = scrub(bytes, question: test.question, type: test.type, with: &scrubber)
            guard scrubbed.result.length > 0 else { continue }
            images += 1
            #expect(LDNS.text(scrubbed.image) != nil, "\(bytes)")
            let again = scrub(scrubbed.image, question: test.question, type: test.type)
            #expect(again.image == scrubbed.image, "\(bytes)")
        }
        #expect(images > 1_000)
    }
}
