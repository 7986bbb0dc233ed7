import DNSWire
import Testing

/// One response and what is left of it.
struct ScrubCase: CustomTestStringConvertible {
    /// What the case shows.
    var testDescription: String
    /// The name asked for.
    var question = "www.example."
    /// The type asked for.
    var type = RecordType.a
    /// The response code of the upstream.
    var code: UInt16 = 0
    /// Records of the answer section.
    var answer: [String] = []
    /// Records of the authority section.
    var authority: [String] = []
    /// What the response is.
    var outcome = ScrubOutcome.answer
    /// The answer section of the image.
    var expected: [String] = []
    /// The authority section of the image.
    var expectedAuthority: [String] = []
    /// The names behind the question's.
    var aliases: [String] = []
    /// Addresses that are learned, `*` in front of hints.
    var addresses: [String] = []
    /// Records left out.
    var dropped = 0
    /// The negative TTL.
    var negativeTTL: UInt32? = nil
}

/// A response after the scrubber, with what the scrubber found in it.
struct Scrubbed {
    var result: ScrubResult
    var image: [UInt8]
    var ttlOffsets: [Int]
    var addresses: [ScrubbedAddress]
    var aliases: [String]
}

/// Runs a fresh scrubber over `message`.
func scrub(_ message: [UInt8], question: String, type: RecordType, room: Int = 65_535) -> Scrubbed {
    var scrubber = AnswerScrubber()
    return scrub(message, question: question, type: type, room: room, with: &scrubber)
}

/// Runs `scrubber` over `message`.
func scrub(
    _ message: [UInt8], question: String, type: RecordType, room: Int = 65_535, with scrubber: inout AnswerScrubber
) -> Scrubbed {
    var image = [UInt8](repeating: 0xAA, count: room)
    let asked = NameBuffer(name(question))
    var span = image.mutableSpan
    let result = scrubber.scrub(message.span, question: asked, type: type, into: &span)
    return Scrubbed(
        result: result, image: Array(image[..<result.length]), ttlOffsets: scrubber.ttlOffsets.map(Int.init),
        addresses: scrubber.addresses, aliases: scrubber.aliases.map(\.description))
}

@Suite struct ScrubberTests {
    static let soa = "example. 900 IN SOA ns.example. root.example. 7 3600 600 86400 60"
    static let soaImage = "example. 60 IN SOA ns.example. root.example. 7 3600 600 86400 60"
    static let signature = "8 2 300 20300101000000 20200101000000 1 example. AQID"

    static let cases: [ScrubCase] = [
        ScrubCase(
            testDescription: "an address", answer: ["www.example. 300 IN A 192.0.2.1"],
            expected: ["www.example. 300 IN A 192.0.2.1"], addresses: ["192.0.2.1 300"]),
        ScrubCase(
            testDescription: "owner in another case", answer: ["WWW.eXample. 300 IN A 192.0.2.1"],
            expected: ["www.example. 300 IN A 192.0.2.1"], addresses: ["192.0.2.1 300"]),
        ScrubCase(
            testDescription: "the smallest TTL is everyone's, duplicates go",
            answer: [
                "www.example. 300 IN A 192.0.2.1", "www.example. 100 IN A 192.0.2.2", "www.example. 200 IN A 192.0.2.1",
            ],
            expected: ["www.example. 100 IN A 192.0.2.1", "www.example. 100 IN A 192.0.2.2"],
            addresses: ["192.0.2.1 100", "192.0.2.2 100"], dropped: 1),
        ScrubCase(
            testDescription: "a chain in order, addresses live as long as its shortest link",
            answer: [
                "www.example. 60 IN CNAME a.example.", "a.example. 20 IN CNAME b.test.", "b.test. 300 IN A 192.0.2.1",
            ],
            expected: [
                "www.example. 60 IN CNAME a.example.", "a.example. 20 IN CNAME b.test.", "b.test. 300 IN A 192.0.2.1",
            ], aliases: ["a.example.", "b.test."], addresses: ["192.0.2.1 20"]),
        ScrubCase(
            testDescription: "a chain out of order",
            answer: [
                "b.test. 300 IN A 192.0.2.1", "a.example. 20 IN CNAME b.test.", "www.example. 60 IN CNAME a.example.",
            ],
            expected: [
                "www.example. 60 IN CNAME a.example.", "a.example. 20 IN CNAME b.test.", "b.test. 300 IN A 192.0.2.1",
            ], aliases: ["a.example.", "b.test."], addresses: ["192.0.2.1 20"]),
        ScrubCase(
            testDescription: "records off the chain",
            answer: [
                "evil.test. 300 IN A 192.0.2.9", "www.example. 300 IN A 192.0.2.1",
                "www.example. 300 IN AAAA 2001:db8::1", "a.www.example. 300 IN A 192.0.2.8",
                "example. 9 IN NS ns.test.",
            ],
            authority: ["example. 300 IN NS ns.evil.test.", soa], expected: ["www.example. 300 IN A 192.0.2.1"],
            addresses: ["192.0.2.1 300"], dropped: 6),
        ScrubCase(
            testDescription: "another class", answer: ["www.example. 300 CH A 192.0.2.1"], outcome: .noData, dropped: 1),
        ScrubCase(
            testDescription: "a loop of two",
            answer: ["www.example. 1 IN CNAME a.example.", "a.example. 1 IN CNAME www.example."],
            outcome: .malformed(.aliasChain)),
        ScrubCase(
            testDescription: "an alias of itself", answer: ["www.example. 1 IN CNAME WWW.example."],
            outcome: .malformed(.aliasChain)),
        ScrubCase(
            testDescription: "16 aliases", question: "n0.example.",
            answer: (0..<16).map { "n\($0).example. 30 IN CNAME n\($0 + 1).example." } + [
                "n16.example. 9 IN A 192.0.2.1"
            ],
            expected: (0..<16).map { "n\($0).example. 30 IN CNAME n\($0 + 1).example." }
                + ["n16.example. 9 IN A 192.0.2.1"],
            aliases: (1...16).map { "n\($0).example." }, addresses: ["192.0.2.1 9"]),
        ScrubCase(
            testDescription: "17 aliases", question: "n0.example.",
            answer: (0..<17).map { "n\($0).example. 30 IN CNAME n\($0 + 1).example." },
            outcome: .malformed(.aliasChain)),
        ScrubCase(
            testDescription: "of two aliases of one name the first",
            answer: [
                "www.example. 60 IN CNAME a.example.", "www.example. 60 IN CNAME b.example.",
                "b.example. 60 IN A 192.0.2.2", "a.example. 60 IN A 192.0.2.1",
            ],
            expected: ["www.example. 60 IN CNAME a.example.", "a.example. 60 IN A 192.0.2.1"],
            aliases: ["a.example."], addresses: ["192.0.2.1 60"], dropped: 2),
        ScrubCase(
            testDescription: "the alias itself is asked for", type: .cname,
            answer: ["www.example. 60 IN CNAME a.example.", "a.example. 60 IN A 192.0.2.1"],
            expected: ["www.example. 60 IN CNAME a.example."], dropped: 1),
        ScrubCase(
            testDescription: "DNAME with its CNAME",
            answer: [
                "example. 60 IN DNAME example.test.", "www.example. 0 IN CNAME www.example.test.",
                "www.example.test. 90 IN A 192.0.2.1",
            ],
            expected: [
                "example. 60 IN DNAME example.test.", "www.example. 60 IN CNAME www.example.test.",
                "www.example.test. 90 IN A 192.0.2.1",
            ], aliases: ["www.example.test."], addresses: ["192.0.2.1 60"]),
        ScrubCase(
            testDescription: "DNAME without its CNAME",
            answer: ["www.example.test. 90 IN A 192.0.2.1", "example. 60 IN DNAME example.test."],
            expected: [
                "example. 60 IN DNAME example.test.", "www.example. 60 IN CNAME www.example.test.",
                "www.example.test. 90 IN A 192.0.2.1",
            ], aliases: ["www.example.test."], addresses: ["192.0.2.1 60"]),
        ScrubCase(
            testDescription: "DNAME with a CNAME that does not follow from it",
            answer: [
                "example. 60 IN DNAME example.test.", "www.example. 60 IN CNAME www.evil.test.",
                "www.evil.test. 90 IN A 192.0.2.9",
            ], outcome: .noData,
            expected: ["example. 60 IN DNAME example.test.", "www.example. 60 IN CNAME www.example.test."],
            aliases: ["www.example.test."], dropped: 2),
        ScrubCase(
            testDescription: "DNAME into itself", answer: ["example. 60 IN DNAME a.example."],
            outcome: .malformed(.aliasChain)),
        ScrubCase(
            testDescription: "a DNAME says nothing about its own owner", question: "example.",
            answer: ["example. 60 IN DNAME example.test."], outcome: .noData, dropped: 1),
        ScrubCase(
            testDescription: "DNAME to a name that gets too long",
            question: String(repeating: "a.", count: 100) + "example.",
            answer: ["example. 60 IN DNAME " + String(repeating: "b.", count: 60)],
            outcome: .malformed(.wire(.nameTooLong))),
        ScrubCase(
            testDescription: "no data", authority: [soa], outcome: .noData, expectedAuthority: [soaImage],
            negativeTTL: 60),
        ScrubCase(
            testDescription: "the SOA's own TTL is smaller",
            authority: ["example. 5 IN SOA ns.example. root.example. 7 3600 600 86400 60"], outcome: .noData,
            expectedAuthority: ["example. 5 IN SOA ns.example. root.example. 7 3600 600 86400 60"], negativeTTL: 5),
        ScrubCase(
            testDescription: "no such name", code: 3, authority: [soa], outcome: .nameError,
            expectedAuthority: [soaImage], negativeTTL: 60),
        ScrubCase(
            testDescription: "no such name behind an alias, the SOA of the alias's end", code: 3,
            answer: ["www.example. 30 IN CNAME gone.test."],
            authority: [soa, "test. 900 IN SOA ns.test. root.test. 7 3600 600 86400 60"], outcome: .nameError,
            expected: ["www.example. 30 IN CNAME gone.test."],
            expectedAuthority: ["test. 60 IN SOA ns.test. root.test. 7 3600 600 86400 60"], aliases: ["gone.test."],
            dropped: 1, negativeTTL: 30),
        ScrubCase(
            testDescription: "a foreign SOA", authority: ["test. 900 IN SOA ns.test. root.test. 7 3600 600 86400 60"],
            outcome: .noData, dropped: 1),
        ScrubCase(
            testDescription: "the root's SOA", code: 3, authority: [". 900 IN SOA ns. root. 7 3600 600 86400 60"],
            outcome: .nameError, expectedAuthority: [". 60 IN SOA ns. root. 7 3600 600 86400 60"], negativeTTL: 60),
        ScrubCase(
            testDescription: "a referral", authority: ["example. 900 IN NS ns.example."], outcome: .noData, dropped: 1),
        ScrubCase(
            testDescription: "NXDOMAIN with an address in it", code: 3, answer: ["www.example. 300 IN A 192.0.2.1"],
            authority: [soa], outcome: .nameError, expectedAuthority: [soaImage], dropped: 1, negativeTTL: 60),
        ScrubCase(
            testDescription: "a failure carries nothing", code: 2, answer: ["www.example. 300 IN A 192.0.2.1"],
            outcome: .failure(.serverFailure), dropped: 1),
        ScrubCase(
            testDescription: "refused", code: 5, authority: [soa], outcome: .failure(.refused), dropped: 1),
        ScrubCase(
            testDescription: "signatures of what is kept",
            answer: [
                "www.example. 300 IN A 192.0.2.1", "www.example. 300 IN RRSIG A \(signature)",
                "www.example. 300 IN RRSIG AAAA \(signature)", "b.example. 300 IN RRSIG A \(signature)",
            ],
            expected: ["www.example. 300 IN A 192.0.2.1", "www.example. 300 IN RRSIG A \(signature)"],
            addresses: ["192.0.2.1 300"], dropped: 2),
        ScrubCase(
            testDescription: "signed denial", code: 3,
            authority: [
                "www.example. 60 IN NSEC z.example. A RRSIG NSEC", soa, "example. 900 IN RRSIG SOA \(signature)",
                "a.example. 60 IN NSEC b.example. A RRSIG NSEC", "a.example. 60 IN RRSIG NSEC \(signature)",
                "x.test. 60 IN NSEC y.test. A RRSIG NSEC", "x.test. 60 IN RRSIG NSEC \(signature)",
            ], outcome: .nameError,
            expectedAuthority: [
                soaImage, "example. 60 IN RRSIG SOA \(signature)", "a.example. 60 IN NSEC b.example. A RRSIG NSEC",
                "a.example. 60 IN RRSIG NSEC \(signature)",
            ], dropped: 3, negativeTTL: 60),
        ScrubCase(
            testDescription: "proof that a wildcard was rightly used", answer: ["www.example. 300 IN A 192.0.2.1"],
            authority: [
                "example. 300 IN NS ns.example.", "a.example. 60 IN NSEC z.example. A RRSIG NSEC",
                "a.example. 60 IN RRSIG NSEC \(signature)",
            ],
            expected: ["www.example. 300 IN A 192.0.2.1"],
            expectedAuthority: [
                "a.example. 60 IN NSEC z.example. A RRSIG NSEC", "a.example. 60 IN RRSIG NSEC \(signature)",
            ], addresses: ["192.0.2.1 300"], dropped: 1),
        ScrubCase(
            testDescription: "proof by the zone of an alias, not by one that the chain does not touch",
            answer: ["www.example. 30 IN CNAME a.test.", "a.test. 300 IN A 192.0.2.1"],
            authority: [
                "b.test. 60 IN NSEC c.test. A RRSIG NSEC",
                "b.test. 60 IN RRSIG NSEC \(signature.replacing("example.", with: "test."))",
                "b.other. 60 IN NSEC c.other. A RRSIG NSEC",
                "b.other. 60 IN RRSIG NSEC \(signature.replacing("example.", with: "other."))",
            ],
            expected: ["www.example. 30 IN CNAME a.test.", "a.test. 300 IN A 192.0.2.1"],
            expectedAuthority: [
                "b.test. 60 IN NSEC c.test. A RRSIG NSEC",
                "b.test. 60 IN RRSIG NSEC \(signature.replacing("example.", with: "test."))",
            ], aliases: ["a.test."], addresses: ["192.0.2.1 30"], dropped: 2),
        ScrubCase(
            testDescription: "every type of the name", type: .any,
            answer: [
                "www.example. 300 IN A 192.0.2.1", "www.example. 300 IN TXT \"x\"", "b.example. 300 IN A 192.0.2.2",
            ],
            expected: ["www.example. 300 IN A 192.0.2.1", "www.example. 300 IN TXT \"x\""],
            addresses: ["192.0.2.1 300"], dropped: 1),
        ScrubCase(
            testDescription: "a TTL with the sign bit", answer: ["www.example. 4294967295 IN A 192.0.2.1"],
            expected: ["www.example. 0 IN A 192.0.2.1"], addresses: ["192.0.2.1 0"]),
        ScrubCase(
            testDescription: "mail exchangers keep their spelling", question: "example.", type: .mx,
            answer: ["example. 300 IN MX 10 Mail.Example.", "example. 300 IN MX 10 mail.example."],
            expected: ["example. 300 IN MX 10 Mail.example."], dropped: 1),
    ]

    @Test(arguments: cases)
    func `an image holds the chain, its end and the proof of it, and nothing else`(_ test: ScrubCase) throws {
        var message = WireMessage(flags: 0x8180 | test.code, question: test.question, type: test.type)
        for line in test.answer { message.add(.answer, text: line) }
        for line in test.authority { message.add(.authority, text: line) }
        message.add(.additional, text: "www.example. 300 IN A 192.0.2.77")
        let scrubbed = scrub(message.bytes, question: test.question, type: test.type)
        #expect(scrubbed.result.outcome == test.outcome)
        #expect(scrubbed.aliases == test.aliases)
        #expect(
            scrubbed.addresses.map { "\($0.isHint ? "*" : "")\($0.address) \($0.ttl)" } == test.addresses)
        #expect(scrubbed.result.dropped == test.dropped)
        #expect(scrubbed.result.negativeTTL == test.negativeTTL)
        if case .malformed = test.outcome {
            #expect(scrubbed.result.length == 0)
            #expect(scrubbed.ttlOffsets.isEmpty)
            return
        }
        let text = try #require(LDNS.text(scrubbed.image))
        #expect(text.answer == test.expected)
        #expect(text.authority == test.expectedAuthority)
        #expect(text.additional.isEmpty)
        let header = try #require(readHeader(scrubbed.image))
        #expect(header.id == 0)
        #expect(header.flags.subtracting([.response, .recursionAvailable]).rawValue == test.code)
        try expectTTLs(scrubbed)
    }

    @Test(arguments: cases)
    func `scrubbing an image again changes nothing`(_ test: ScrubCase) throws {
        var message = WireMessage(flags: 0x8180 | test.code, question: test.question, type: test.type)
        for line in test.answer { message.add(.answer, text: line) }
        for line in test.authority { message.add(.authority, text: line) }
        var scrubber = AnswerScrubber()
        let once = scrub(message.bytes, question: test.question, type: test.type, with: &scrubber)
        guard once.result.length > 0 else { return }
        let twice = scrub(once.image, question: test.question, type: test.type, with: &scrubber)
        #expect(twice.image == once.image)
        #expect(twice.result.outcome == once.result.outcome)
        #expect(twice.result.dropped == 0)
        #expect(twice.addresses == once.addresses)
        #expect(twice.aliases == once.aliases)
    }

    /// Every noted offset is that of a record's TTL, in order, and the smallest TTL is the one reported.
    private func expectTTLs(_ scrubbed: Scrubbed) throws {
        let header = try #require(readHeader(scrubbed.image))
        var cursor = MessageCursor()
        var owner = NameBuffer()
        _ = cursor.readQuestion(scrubbed.image.span, into: &owner)
        var offsets: [Int] = []
        var smallest: UInt32?
        for _ in 0..<(header.answerCount + header.authorityCount + header.additionalCount) {
            let record = cursor.readRecord(scrubbed.image.span, owner: &owner)
            offsets.append(record.ttlOffset)
            smallest = min(smallest ?? .max, record.ttl)
        }
        #expect(cursor.failure == nil)
        #expect(cursor.offset == scrubbed.image.count)
        #expect(offsets == scrubbed.ttlOffsets)
        #expect(scrubbed.result.minimumTTL == smallest ?? 0)
    }
}
