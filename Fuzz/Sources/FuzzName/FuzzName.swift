import Fuzzing

@testable import DNSWire

/// Any bytes as a name in a message, and as text.
@main
struct FuzzName {
    /// Runs the target.
    static func main() {
        Fuzzer.run { input in
            var choices = Choices()
            let options = choices.byte(input)
            let offset = Int(choices.byte(input))
            let message = input.extracting(choices.offset..<input.count)
            decode(message, at: offset, allowsCompression: options & 1 == 0)
            read(String(decoding: choices.bytes(input.count, input), as: UTF8.self))
        }
    }

    /// A name that was decoded is canonical, and survives every other form of it.
    private static func decode(_ message: Span<UInt8>, at offset: Int, allowsCompression: Bool) {
        var cursor = MessageCursor(offset: offset)
        var name = NameBuffer()
        cursor.readName(message, into: &name, allowsCompression: allowsCompression)
        guard cursor.isValid else {
            require(name.count == 0, "a failure leaves no name")
            require(cursor.offset == offset, "a failure does not move")
            return
        }
        require((1...255).contains(name.count) && name.labelCount < 128, "a name keeps the limits of RFC 1035")
        require(cursor.offset > offset && cursor.offset <= message.count, "a name is inside of its message")
        require(name.hash == HashSeed.process.hash(name.span), "the hash is that of the bytes")
        require(name.suffix(matches: message, at: offset), "a name is the one that it was read from")
        var spelled = SpelledName()
        require(spelled.read(message, at: offset) == cursor.offset, "both readers see the same end")
        require(spelled.count == name.count, "both readers see the same length")
        for index in 0..<name.count {
            require(canonicalCase(spelled.bytes[index]) == name.span[index], "both readers see the same bytes")
        }
        let owned = name.domainName
        require(owned.labelCount == name.labelCount, "labels are counted alike")
        require((try? DomainName(owned.description)) == owned, "the text of a name is that name")
        writeTwice(owned, name)
    }

    /// A name that is written, and written again, reads back the same, compressed and not.
    private static func writeTwice(_ owned: DomainName, _ name: borrowing NameBuffer) {
        var output = [UInt8](repeating: 0xEE, count: 600)
        var span = output.mutableSpan
        var builder = MessageBuilder(limit: span.count)
        builder.put(owned, to: &span)
        builder.put(name, to: &span)
        builder.put(owned, compressed: false, to: &span)
        require(!builder.overflowed, "three names fit 600 bytes when one is a pointer")
        var cursor = MessageCursor()
        var again = NameBuffer()
        for _ in 0..<3 {
            cursor.readName(output.span, into: &again)
            require(cursor.isValid && again.equals(name), "a name reads back as it was written")
        }
        require(cursor.offset == builder.count, "nothing else was written")
    }

    /// What is taken for the text of a value has a canonical text, which is taken for the same value.
    private static func read(_ text: String) {
        if let name = try? DomainName(text) {
            require((try? DomainName(name.description)) == name, "a name's text is a name's text")
        }
        if let address = IPAddress(text) {
            require(IPAddress(address.description) == address, "an address's text is an address's text")
        }
        if let prefix = IPPrefix(text) {
            require(IPPrefix(prefix.description) == prefix, "a prefix's text is a prefix's text")
        }
        if let type = RecordType(text) {
            require(RecordType(type.description) == type, "a type's text is a type's text")
        }
    }
}
