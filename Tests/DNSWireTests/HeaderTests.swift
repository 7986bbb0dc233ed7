import DNSWire
import Testing

@Suite struct HeaderTests {
    @Test func `a header comes back as it was written`() throws {
        var generator = SeededGenerator(seed: 1)
        for _ in 0..<200 {
            var bytes = (0..<12).map { _ in UInt8.random(in: 0...255, using: &generator) }
            let header = try #require(readHeader(bytes))
            let original = bytes
            bytes = [UInt8](repeating: 0, count: 12)
            var span = bytes.mutableSpan
            header.write(to: &span)
            #expect(bytes == original)
        }
    }

    @Test func `fewer than twelve bytes are no header`() {
        for count in 0..<12 { #expect(readHeader([UInt8](repeating: 0, count: count)) == nil) }
    }

    @Test func `flags are the bits of RFC 1035`() throws {
        let header = try #require(readHeader(hex("1234 8583 0001 0002 0003 0004")))
        #expect(header.id == 0x1234)
        #expect(header.flags.isSuperset(of: [.response, .authoritative, .recursionDesired, .recursionAvailable]))
        #expect(header.flags.responseCode == .nameError)
        #expect(header.flags.opcode == .query)
        #expect(header.questionCount == 1 && header.answerCount == 2)
        #expect(header.authorityCount == 3 && header.additionalCount == 4)
        #expect(HeaderFlags(rawValue: 0x2800).opcode == .update)
        var flags = HeaderFlags(rawValue: 0x8180)
        flags.responseCode = .refused
        #expect(flags.rawValue == 0x8185)
        flags.responseCode = .badVersion
        #expect(flags.rawValue == 0x8180)
    }

    @Test(arguments: [
        ("A", 1), ("aaaa", 28), ("HTTPS", 65), ("TYPE65280", 65_280), ("type1", 1), ("ANY", 255), ("NSEC3", 50),
    ])
    func `types are read by name and number`(_ text: String, _ value: UInt16) throws {
        let type = try #require(RecordType(text))
        #expect(type.rawValue == value)
        #expect(RecordType(type.description) == type)
    }

    @Test(arguments: ["", "B", "TYPE", "TYPE65536", "TYPE-1", "TYPE1x", "A "])
    func `text that is no type is refused`(_ text: String) {
        #expect(RecordType(text) == nil)
    }

    @Test(
        arguments: [
            (ExtendedError.staleAnswer, 3), (.cachedError, 13), (.notReady, 14), (.blocked, 15), (.prohibited, 18),
            (.staleNameError, 19), (.notSupported, 21), (.noReachableAuthority, 22), (.networkError, 23),
        ] as [(ExtendedError, UInt16)])
    func `extended errors have the codes of RFC 8914, section 4`(_ error: ExtendedError, _ code: UInt16) {
        #expect(error.rawValue == code)
    }
}
