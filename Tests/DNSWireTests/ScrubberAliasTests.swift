import DNSWire
import Testing

/// Responses about a name to which aliases of our own have led.
@Suite struct ScrubberAliasTests {
    /// What is left of a response about `target.example.` with these records, behind aliases of our own from
    /// `www.local.` to it.
    private func scrub(
        code: UInt16 = 0, _ answer: [String], authority: [String] = [],
        aliases: [String] = ["www.local. 60 IN CNAME mid.local.", "mid.local. 300 IN CNAME target.example."],
        damage: (inout [UInt8]) -> Void = { _ in }
    ) -> Scrubbed {
        var message = WireMessage(flags: 0x8180 | code, question: "target.example.", type: .a)
        for line in answer { message.add(.answer, text: line) }
        for line in authority { message.add(.authority, text: line) }
        var bytes = message.bytes
        damage(&bytes)
        let end = bytes.count
        for line in aliases {
            guard let record = LDNS.record(line) else { continue }
            bytes += record.owner
            for word in [
                record.type.rawValue, 1, UInt16(record.ttl >> 16), UInt16(record.ttl & 0xFFFF),
                UInt16(record.data.count),
            ] { bytes += [UInt8(word >> 8), UInt8(word & 0xFF)] }
            bytes += record.data
        }
        var scrubber = AnswerScrubber()
        var image = [UInt8](repeating: 0xAA, count: 65_535)
        let asked = NameBuffer(name("www.local."))
        var span = image.mutableSpan
        let result = scrubber.scrub(bytes.span, question: asked, type: .a, aliases: end, into: &span)
        return Scrubbed(
            result: result, image: Array(image[..<result.length]), ttlOffsets: scrubber.ttlOffsets.map(Int.init),
            addresses: scrubber.addresses, aliases: scrubber.aliases.map(\.description))
    }

    /// The aliases as they stand in an image.
    private static let chain = [
        "www.local. 60 IN CNAME mid.local.", "mid.local. 300 IN CNAME target.example.",
    ]

    @Test func `an answer follows the aliases, and its addresses live no longer than they do`() throws {
        let scrubbed = scrub(["target.example. 900 IN A 192.0.2.1"])
        #expect(scrubbed.result.outcome == .answer)
        #expect(scrubbed.aliases == ["mid.local.", "target.example."])
        #expect(scrubbed.addresses.map { "\($0.address) \($0.ttl)" } == ["192.0.2.1 60"])
        let text = try #require(LDNS.text(scrubbed.image))
        #expect(text.answer == ScrubberAliasTests.chain + ["target.example. 900 IN A 192.0.2.1"])
    }

    @Test func `aliases of the response go on where ours end`() throws {
        let scrubbed = scrub(["target.example. 300 IN CNAME cdn.example.", "cdn.example. 30 IN A 192.0.2.1"])
        #expect(scrubbed.aliases == ["mid.local.", "target.example.", "cdn.example."])
        #expect(scrubbed.addresses.map { "\($0.address) \($0.ttl)" } == ["192.0.2.1 30"])
    }

    @Test func `a target that does not exist is an NXDOMAIN behind the aliases`() throws {
        let scrubbed = scrub(code: 3, [], authority: [ScrubberTests.soa])
        #expect(scrubbed.result.outcome == .nameError)
        let text = try #require(LDNS.text(scrubbed.image))
        #expect(text.answer == ScrubberAliasTests.chain)
        #expect(text.authority.count == 1)
    }

    @Test func `a response says nothing about names that only we speak about`() throws {
        for forged in [
            "www.local. 300 IN A 203.0.113.66", "mid.local. 300 IN A 203.0.113.66",
            "www.local. 300 IN CNAME evil.example.", "mid.local. 300 IN CNAME evil.example.",
        ] {
            let scrubbed = scrub([
                forged, "evil.example. 300 IN A 203.0.113.66", "target.example. 300 IN A 192.0.2.1",
            ])
            #expect(scrubbed.addresses.map { "\($0.address)" } == ["192.0.2.1"], "\(forged)")
        }
    }

    @Test func `counts that promise more than the response has do not reach our records`() throws {
        for section in [7, 9, 11] {
            let scrubbed = scrub(["target.example. 300 IN A 192.0.2.1"]) { $0[section] += 1 }
            #expect(scrubbed.result.outcome == .malformed(.wire(.truncated)), "\(section)")
        }
    }

    @Test func `records behind the counted ones of a response are not taken for ours`() throws {
        let record = try #require(LDNS.record("www.local. 300 IN A 203.0.113.66"))
        let scrubbed = scrub(["target.example. 300 IN A 192.0.2.1"]) { bytes in
            bytes += record.owner + [0, 1, 0, 1, 0, 0, 1, 44, 0, 4] + record.data
        }
        #expect(scrubbed.addresses.map { "\($0.address)" } == ["192.0.2.1"])
    }

    @Test func `the response after one with aliases is read as it is`() throws {
        var scrubber = AnswerScrubber()
        var message = WireMessage(flags: 0x8180, question: "www.local.", type: .a)
        message.add(.answer, text: "www.local. 300 IN A 192.0.2.5")
        var image = [UInt8](repeating: 0, count: 512)
        var span = image.mutableSpan
        let asked = NameBuffer(name("www.local."))
        let bytes = message.bytes + [7]
        let record = try #require(LDNS.record("www.local. 60 IN CNAME target.example."))
        let own = bytes + record.owner + [0, 5, 0, 1, 0, 0, 0, 60, 0, UInt8(record.data.count)] + record.data
        _ = scrubber.scrub(own.span, question: asked, type: .a, aliases: bytes.count, into: &span)
        #expect(scrubber.addresses.isEmpty)
        let again = scrubber.scrub(message.bytes.span, question: asked, type: .a, into: &span)
        #expect(again.outcome == .answer && scrubber.addresses.count == 1)
    }
}
