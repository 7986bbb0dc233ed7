import DNSWire
import Testing

/// What reading a name at `offset` of `message` gives.
private func read(
    _ message: [UInt8], at offset: Int, allowsCompression: Bool = true
) -> (name: String?, failure: WireError?, end: Int) {
    var cursor = MessageCursor(offset: offset)
    var name = NameBuffer()
    cursor.readName(message.span, into: &name, allowsCompression: allowsCompression)
    return (cursor.isValid ? name.domainName.description : nil, cursor.failure, cursor.offset)
}

/// A header's worth of bytes, behind which names can be pointed at.
private let pad = [UInt8](repeating: 0, count: 12)

@Suite struct NameTests {
    @Test(arguments: [
        ("root", pad + [0], 12, ".", 13),
        ("lower case", pad + [3] + Array("WwW".utf8) + [0], 12, "www.", 17),
        ("pointer", pad + wire("b.") + [1, 0x61] + pointer(12), 15, "a.b.", 19),
        ("pointer to a pointer", pad + wire("b.") + pointer(12) + [1, 0x61] + pointer(15), 17, "a.b.", 21),
        ("pointer to the root", pad + [0] + pointer(12), 13, ".", 15),
        (
            "label of 63", pad + [63] + [UInt8](repeating: 0x61, count: 63) + [0], 12,
            String(repeating: "a", count: 63) + ".", 77
        ),
        ("bytes that are no letters", pad + [4, 0, 0x2E, 0xFF, 0x5C, 0], 12, "\\000\\.\\255\\\\.", 18),
        (
            "127 labels", pad + (0..<127).flatMap { _ in [1, 0x61] as [UInt8] } + [0], 12,
            String(repeating: "a.", count: 127), 267
        ),
    ])
    func `a well-formed name is read, its end is where it stands`(
        _ title: String, _ message: [UInt8], _ offset: Int, _ expected: String, _ end: Int
    ) {
        let result = read(message, at: offset)
        #expect(result.name == expected)
        #expect(result.failure == nil)
        #expect(result.end == end)
    }

    @Test(arguments: [
        ("nothing", pad, 12, WireError.truncated),
        ("length without label", pad + [1], 12, .truncated),
        ("half a label", pad + [3, 0x61, 0x62], 12, .truncated),
        ("no root", pad + [1, 0x61], 12, .truncated),
        ("half a pointer", pad + [0xC0], 12, .truncated),
        ("pointer to itself", pad + pointer(12), 12, .badPointer),
        ("pointer forward", pad + pointer(14) + [0], 12, .badPointer),
        ("pointer past the end", pad + pointer(0x3FFF), 12, .badPointer),
        ("pointer into the header", pad + pointer(2), 12, .badPointer),
        ("pointer to its own label", pad + [1, 0x61] + pointer(12), 12, .badPointer),
        ("two pointers at each other", pad + pointer(14) + pointer(12), 14, .badPointer),
        ("pointer into the run that it ends", pad + [1, 0x61, 1, 0x62] + pointer(14), 12, .badPointer),
        (
            "128 pointers in a row", pad + [0] + (0..<128).flatMap { pointer(12 + max(0, 2 * $0 - 1)) },
            12 + 1 + 2 * 127,
            .badPointer
        ),
        ("label of 64 (reserved type 01)", pad + [64] + [UInt8](repeating: 0x61, count: 64) + [0], 12, .badLabelType),
        ("reserved type 10", pad + [0x80, 0], 12, .badLabelType),
        ("name of 256", pad + (0..<127).flatMap { _ in [1, 0x61] as [UInt8] } + [1, 0x61, 0], 12, .nameTooLong),
        (
            "name of 256 by a pointer",
            pad + (0..<127).flatMap { _ in [1, 0x61] as [UInt8] } + [0, 1, 0x61] + pointer(12),
            267, .nameTooLong
        ),
    ])
    func `a malformed name is refused, and nothing of it is left`(
        _ title: String, _ message: [UInt8], _ offset: Int, _ expected: WireError
    ) {
        let result = read(message, at: offset)
        #expect(result.failure == expected)
        #expect(result.name == nil)
        #expect(result.end == offset)
    }

    @Test func `a pointer is an error where none may be`() {
        let result = read(pad + wire("b.") + pointer(12), at: 15, allowsCompression: false)
        #expect(result.failure == .badPointer)
    }

    @Test func `a name that is cut anywhere is truncated`() {
        let message = pad + wire("www.example.org.")
        for length in 12..<message.count {
            #expect(read(Array(message[..<length]), at: 12).failure == .truncated)
        }
    }

    @Test func `the hash of a name does not depend on how it was made`() throws {
        var generator = SeededGenerator(seed: 7)
        for _ in 0..<500 {
            let labels = (0..<Int.random(in: 0...6, using: &generator)).map { _ in
                String(
                    (0..<Int.random(in: 1...12, using: &generator)).map { _ in
                        "abcXYZ019-".randomElement(using: &generator) ?? "a"
                    })
            }
            let text = labels.isEmpty ? "." : labels.joined(separator: ".") + "."
            let owned = name(text)
            let assigned = NameBuffer(owned)
            var decoded = NameBuffer()
            var cursor = MessageCursor(offset: 0)
            let bytes = wire(text)
            cursor.readName(bytes.span, into: &decoded)
            let same = decoded.equals(assigned) && decoded.hash == assigned.hash
            #expect(same)
            #expect(owned.hash(seed: .process) == decoded.hash)
            #expect(decoded.domainName == owned)
            #expect(decoded.labelCount == labels.count && owned.labelCount == labels.count)
        }
    }

    @Test(arguments: [
        ("a.b.c.", "b.c.", true), ("a.b.c.", "a.b.c.", true), ("a.b.c.", ".", true), (".", ".", true),
        ("b.c.", "a.b.c.", false), ("ab.c.", "b.c.", false), ("a.b.c.", "b.", false), (".", "a.", false),
        ("a.B.c.", "b.C.", true),
    ])
    func `a name is below another only at a label's border`(_ below: String, _ above: String, _ expected: Bool) {
        #expect(name(below).isEqualToOrBelow(name(above)) == expected)
        let buffer = NameBuffer(name(below))
        let ancestor = NameBuffer(name(above))
        let isBelow = buffer.isEqualToOrBelow(ancestor)
        #expect(isBelow == expected)
    }

    @Test func `different seeds give different hashes`() {
        let one = HashSeed(additive: 1, multiplier: 0x9E37_79B9_7F4A_7C15)
        let two = HashSeed(additive: 2, multiplier: 0x9E37_79B9_7F4A_7C15)
        #expect(name("example.").hash(seed: one) != name("example.").hash(seed: two))
    }
}
