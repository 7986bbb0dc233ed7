import DNSWire
import Testing

@testable import MappingFeed

struct CodecTests {
    /// Events of every kind, made from random parts; the same seed gives the same events.
    static func randomEvents(_ count: Int, seed: UInt64) -> [FeedEvent] {
        var random = SplitMix(state: seed)
        return (0..<count).map { _ in random.event() }
    }

    @Test func `every event comes back as it was written`() throws {
        for event in CodecTests.randomEvents(3000, seed: 1) {
            let line = event.line
            let isOneLine = line.firstIndex { $0 < 0x20 || $0 == 0x7F } == line.count - 1
            #expect(isOneLine, "a line holds no control character but its end")
            #expect(try FeedEvent.decode(line.span) == event)
        }
    }

    @Test func `what could steer a terminal is escaped, by the writer and in what others have written`() throws {
        for (text, shown) in [
            ("\u{1B}[31m\n\u{7F}", #"\u001b[31m\n\u007f"#), ("caf\u{E9} \u{1F600}", "caf\u{E9} \u{1F600}"),
            ("\u{202E}\u{9B}3\u{85}", #"\u202e\u009b3\u0085"#), ("\u{2028}\"\\\u{E0041}", #"\u2028\"\\\udb40\udc41"#),
        ] {
            var writer = LineWriter()
            writer.string(text)
            #expect(String(decoding: writer.bytes, as: UTF8.self) == "\"\(shown)\"")
            // Encoders leave these as they are.
            let other = Array("{\n\"a\": \"\u{202E}\u{9B}\u{7F}\u{E9}\"\n}".utf8)
            let escaped = String(decoding: PrintableJSON.escaped(other), as: UTF8.self)
            #expect(escaped == "{\n\"a\": \"\\u202e\\u009b\\u007f\u{E9}\"\n}")
        }
        let identity = FeedEvent.identity(
            FeedIdentity(id: 1, name: "\u{202E}\u{E0041}", namespace: "\u{9B}", labels: [:], addresses: []))
        #expect(try FeedEvent.decode(identity.line.span) == identity)
    }

    @Test func `every message comes back as it was written`() throws {
        var random = SplitMix(state: 2)
        for _ in 0..<2000 {
            let message = random.message()
            #expect(try SubscriberMessage.decode(message.line.span) == message)
        }
    }

    @Test func `fields may come in any order, and unknown ones are ignored`() throws {
        let line = """
            {"new":{"a":[1,{"b":null}],"\\u0061":"x"},
             "addresses":[{"expires":1.5e3,"x":[],"ip":"192.0.2.1"}],"name":"A.Example",
            "client":"::ffff:10.0.0.1","a-name-of-more-than-sixteen-bytes":true, "identity":7,"seq":3 , "event":"upsert"}
            """.split(separator: "\n").joined()
        let expected = MappingUpsert(
            sequence: 3, identity: 7, client: IPAddress(ipv4: 0x0A00_0001), name: try DomainName("a.example."),
            addresses: [MappedAddress(ip: IPAddress(ipv4: 0xC000_0201), ttl: 0, expires: 1500)])
        #expect(try FeedEvent.decode(Array(line.utf8).span) == .upsert(expected))
    }

    @Test func `an event of a later version is ignored, not an error`() throws {
        #expect(try FeedEvent.decode(Array(#"{"event":"weather","seq":1}"#.utf8).span) == nil)
    }

    @Test func `an upsert reads as documented`() throws {
        let upsert = MappingUpsert(
            sequence: 9, identity: 1, client: IPAddress(ipv4: 0x0A00_0005), name: try DomainName("api.example"),
            chain: [try DomainName("cdn.example")],
            addresses: [
                MappedAddress(ip: IPAddress(high: 0x2001_0DB8_0000_0000, low: 1), ttl: 30, expires: 1_800_000_000.25)
            ],
            rules: [
                MappingRule(
                    policy: "production/api",
                    ports: [
                        MappingPort(port: 443, transport: .tcp), MappingPort(port: 8000, endPort: 8999),
                    ])
            ])
        let expected = [
            #"{"event":"upsert","seq":9,"identity":1,"client":"10.0.0.5","name":"api.example.","chain":["cdn.example."],"#,
            #""addresses":[{"ip":"2001:db8::1","ttl":30,"expires":1800000000.25}],"#,
            #""rules":[{"policy":"production/api","ports":[{"port":443,"protocol":"TCP"},"#,
            #"{"port":8000,"endPort":8999,"protocol":"ANY"}]}],"source":"answer"}"#, "\n",
        ]
        #expect(String(decoding: FeedEvent.upsert(upsert).line, as: UTF8.self) == expected.joined())
    }

    /// Lines that are no events, with the reason and the place.
    private static let malformed: [(String, FeedSyntaxError.Reason, Int)] = [
        ("", .truncated, 0),
        ("{", .truncated, 1),
        ("[]", .unexpectedByte, 0),
        ("{}", .missingField("event"), 2),
        (#"{"event":"ping"}"#, .missingField("seq"), 16),
        (#"{"event":"ping","seq":1}x"#, .trailingBytes, 24),
        (#"{"event":"ping","seq":1,}"#, .unexpectedByte, 24),
        (#"{"event":"ping" "seq":1}"#, .unexpectedByte, 16),
        (#"{"event":"ping","seq":-1}"#, .badNumber, 22),
        (#"{"event":"ping","seq":01}"#, .badNumber, 23),
        (#"{"event":"ping","seq":1.5}"#, .badNumber, 23),
        (#"{"event":"ping","seq":18446744073709551616}"#, .badNumber, 41),
        (#"{"event":"ping","seq":"1"}"#, .badNumber, 22),
        (#"{"event":"ping","seq":1"#, .truncated, 23),
        (#"{"event":"error","reason":"\x"}"#, .badEscape, 29),
        (#"{"event":"error","reason":"\ud800"}"#, .badEscape, 33),
        ("{\"event\":\"error\",\"reason\":\"a\u{1}\"}", .badString, 28),
        (
            #"{"event":"delete","seq":1,"identity":1,"name":"a..b","addresses":[],"reason":"expired"}"#,
            .badValue("name"), 46
        ),
        (
            #"{"event":"delete","seq":1,"identity":1,"name":"a","addresses":["1.2.3"],"reason":"expired"}"#,
            .badValue("addresses"), 63
        ),
        (
            #"{"event":"delete","seq":1,"identity":1,"name":"a","addresses":[],"reason":"bored"}"#, .badValue("reason"),
            74
        ),
        (#"{"x":"# + String(repeating: "[", count: 100_000), .tooDeep, 21),
        (#"{"event":"ping","x":1e999,"seq":1}"#, .badNumber, 25),
        (String(repeating: " ", count: 1 << 21), .lineTooLong, 1 << 20),
    ]

    @Test(arguments: malformed)
    func `what is no event is refused with a reason and a place`(
        line: String, reason: FeedSyntaxError.Reason, offset: Int
    ) {
        let bytes = Array(line.utf8)
        #expect(throws: FeedSyntaxError(reason, at: offset)) { try FeedEvent.decode(bytes.span) }
    }

    @Test func `bytes that are not UTF-8 are refused`() {
        let bytes = Array(#"{"event":"error","reason":""#.utf8) + [0xC3, 0x28] + Array(#""}"#.utf8)
        #expect(throws: FeedSyntaxError.self) { try FeedEvent.decode(bytes.span) }
    }

    @Test func `a name of any bytes survives the journal`() throws {
        for byte in UInt8.min ... .max where !(65...90).contains(byte) {
            let name = DomainName(canonicalBytes: [2, 97, byte, 3, byte, byte, 98, 0])
            let event = FeedEvent.delete(
                MappingDelete(sequence: 1, identity: 1, name: name, addresses: [], reason: .limit))
            #expect(try FeedEvent.decode(event.line.span) == event)
        }
    }

    @Test func `a time that is none is written as one`() throws {
        for (time, expected) in [
            (Double.infinity, 253_402_300_799.0), (-.infinity, 0), (.nan, 0), (-5, 0), (1e300, 253_402_300_799),
            (1.000_000_4, 1), (0.1, 0.1),
        ] {
            let event = FeedEvent.upsert(
                MappingUpsert(
                    identity: 0, client: IPAddress(ipv4: 1), name: .root,
                    addresses: [MappedAddress(ip: IPAddress(ipv4: 1), ttl: 0, expires: time)]))
            guard case .upsert(let upsert) = try FeedEvent.decode(event.line.span) else {
                Issue.record("no upsert")
                continue
            }
            #expect(upsert.addresses.first?.expires == expected)
        }
    }

    @Test func `no damage to a line does worse than an error`() {
        var random = SplitMix(state: 3)
        var refused = 0
        for event in CodecTests.randomEvents(2000, seed: 4) {
            var line = event.line
            for _ in 0...Int(random.next() % 3) {
                switch random.next() % 3 {
                case 0: line[Int(random.next() % UInt64(line.count))] = UInt8(truncatingIfNeeded: random.next())
                case 1: line.removeLast(Int(random.next() % UInt64(line.count)))
                default:
                    line.insert(UInt8(truncatingIfNeeded: random.next()), at: Int(random.next() % UInt64(line.count)))
                }
                if line.isEmpty { line = [0x7B] }
            }
            if (try? FeedEvent.decode(line.span)) == nil { refused += 1 }
            _ = try? SubscriberMessage.decode(line.span)
        }
        #expect(refused > 800)
    }
}
