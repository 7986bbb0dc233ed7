import DNSWire
import Testing

/// Runs `body` on a builder and gives the bytes written behind the header.
private func build(limit: Int = 65_535, _ body: (inout MessageBuilder, inout MutableSpan<UInt8>) -> Void) -> (
    bytes: [UInt8], overflowed: Bool
) {
    var output = [UInt8](repeating: 0xEE, count: min(limit, 65_535))
    var builder = MessageBuilder(limit: limit)
    var span = output.mutableSpan
    body(&builder, &span)
    let count = builder.count
    let overflowed = builder.overflowed
    return (count <= output.count ? Array(output[12..<count]) : [], overflowed)
}

@Suite struct BuilderTests {
    @Test func `numbers are in network order`() {
        let result = build {
            $0.put8(1, to: &$1)
            $0.put16(0x0203, to: &$1)
            $0.put32(0x0405_0607, to: &$1)
            $0.put([8, 9, 10].span, 1..<3, to: &$1)
        }
        #expect(result.bytes == [1, 2, 3, 4, 5, 6, 7, 9, 10])
    }

    @Test func `the longest earlier suffix is pointed at, in any case`() {
        let result = build {
            $0.put(name("www.example.org."), to: &$1)
            $0.put(name("ftp.EXAMPLE.org."), to: &$1)
            $0.put(name("www.example.org."), to: &$1)
            $0.put(name("org."), to: &$1)
            $0.put(name("a.ftp.example.org."), to: &$1)
            $0.put(DomainName.root, to: &$1)
        }
        let expected: [UInt8] =
            wire("www.example.org.") + [3] + Array("ftp".utf8) + pointer(16) + pointer(12) + pointer(24)
            + [1, 0x61] + pointer(29) + [0]
        #expect(result.bytes == expected)
    }

    @Test func `a name that was not finished is nothing to point at`() {
        // The labels of one name are equal to each other and to names in the bytes that were there before.
        let result = build {
            $0.put(name("a.a.a.a."), to: &$1)
            $0.put(name("a.a."), to: &$1)
        }
        #expect(result.bytes == wire("a.a.a.a.") + pointer(16))
    }

    @Test func `uncompressed stays uncompressed`() {
        let result = build {
            $0.put(name("example."), to: &$1)
            $0.put(name("www.example."), compressed: false, to: &$1)
        }
        #expect(result.bytes == wire("example.") + wire("www.example."))
    }

    @Test func `no pointer reaches beyond 0x3FFF`() {
        let filler = [UInt8](repeating: 0, count: 0x4000)
        let result = build {
            $0.put(filler.span, to: &$1)
            $0.put(name("example."), to: &$1)
            $0.put(name("example."), to: &$1)
        }
        #expect(Array(result.bytes[0x4000...]) == wire("example.") + wire("example."))
    }

    @Test func `a record's length is that of its data`() {
        let result = build {
            let owner = NameBuffer(name("example."))
            let record = $0.beginRecord(owner, type: .mx, ttl: 300, to: &$1)
            $0.putData(([0, 10] + wire("mail.example.")).span, of: .mx, to: &$1)
            $0.endRecord(record, to: &$1)
        }
        #expect(
            result.bytes == wire("example.") + hex("000f 0001 0000012c 0009 000a 04") + Array("mail".utf8) + pointer(12)
        )
    }

    @Test func `data that is not of its type is not written`() {
        let result = build { $0.putData([1, 2, 3].span, of: .a, to: &$1) }
        #expect(result.overflowed)
        #expect(result.bytes.isEmpty)
    }

    @Test func `what does not fit is not written and remembered, at every limit`() {
        let whole = build { BuilderTests.sample(&$0, &$1) }
        #expect(!whole.overflowed)
        for limit in 0..<(12 + whole.bytes.count) {
            let cut = build(limit: limit) { BuilderTests.sample(&$0, &$1) }
            #expect(cut.overflowed)
            #expect(cut.bytes.count <= max(0, limit - 12))
        }
        let exact = build(limit: 12 + whole.bytes.count) { BuilderTests.sample(&$0, &$1) }
        #expect(exact.bytes == whole.bytes && !exact.overflowed)
    }

    /// A bit of everything.
    private static func sample(_ builder: inout MessageBuilder, _ output: inout MutableSpan<UInt8>) {
        let owner = NameBuffer(name("www.example.org."))
        builder.putQuestion(owner, type: .a, to: &output)
        let record = builder.beginRecord(owner, type: .cname, ttl: 1, to: &output)
        builder.put(name("ftp.example.org."), to: &output)
        builder.endRecord(record, to: &output)
        builder.put8(1, to: &output)
        builder.put32(1, to: &output)
    }

    @Test func `taken back means never written`() {
        let result = build(limit: 40) {
            $0.put(name("example."), to: &$1)
            let border = $0.count
            $0.put(name("www.test."), to: &$1)
            $0.put([UInt8](repeating: 1, count: 30).span, to: &$1)
            #expect($0.overflowed)
            $0.rewind(to: border)
            #expect(!$0.overflowed)
            $0.put8(0, to: &$1)
            $0.put(name("test."), to: &$1)
        }
        #expect(result.bytes == wire("example.") + [0] + wire("test."))
        #expect(!result.overflowed)
    }

    @Test func `a range outside of its bytes is not written`() {
        let result = build { $0.put([1, 2].span, 1..<3, to: &$1) }
        #expect(result.overflowed && result.bytes.isEmpty)
    }

    @Test func `whatever names are written, they read back the same`() {
        var generator = SeededGenerator(seed: 4)
        let labels = ["a", "b", "www", "example", "org", String(repeating: "x", count: 63), "A", "Example"]
        for _ in 0..<300 {
            let names = (0..<40).map { _ in
                (0..<Int.random(in: 0...12, using: &generator)).map { _ in
                    labels.randomElement(using: &generator) ?? "a"
                }
                .joined(separator: ".") + "."
            }.compactMap { try? DomainName($0) }
            var output = [UInt8](repeating: 0xEE, count: 20_000)
            var builder = MessageBuilder(limit: output.count)
            var span = output.mutableSpan
            for name in names { builder.put(name, compressed: Bool.random(using: &generator), to: &span) }
            var cursor = MessageCursor()
            var read = NameBuffer()
            for name in names {
                cursor.readName(output.span, into: &read)
                #expect(cursor.failure == nil)
                #expect(read.domainName == name)
            }
            #expect(cursor.offset == builder.count)
        }
    }
}
