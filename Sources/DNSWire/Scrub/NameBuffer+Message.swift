extension NameBuffer {
    /// Whether the name from its byte `start` on is the one that stands at `offset` of `message`, case aside.
    ///
    /// For names of the message that have been decoded once: their pointers go backward, so the walk ends.
    func suffix(from start: Int = 0, matches message: Span<UInt8>, at offset: Int) -> Bool {
        let name = span
        var index = start
        var offset = offset
        while true {
            var length = message[offset]
            while length >= 0xC0 {
                offset = Int(length & 0x3F) << 8 | Int(message[offset + 1])
                length = message[offset]
            }
            guard index < count, length == name[index] else { return false }
            if length == 0 { return index == count - 1 }
            for step in 1...Int(length) where canonicalCase(message[offset + step]) != name[index + step] {
                return false
            }
            index += 1 + Int(length)
            offset += 1 + Int(length)
        }
    }

    /// Whether this is `name` or above it.
    func isEqualToOrAbove(_ name: DomainName) -> Bool {
        var offset = 0
        while name.bytes.count - offset > count { offset += 1 + Int(name.bytes[offset]) }
        guard name.bytes.count - offset == count else { return false }
        return equals(name.bytes.span.extracting(offset..<name.bytes.count))
    }
}

/// One name as a message spells it, uncompressed: a client sees the case that the zone's owner chose
/// (RFC 4343, section 4.1), while every comparison uses the canonical form.
struct SpelledName: ~Copyable {
    /// The uncompressed wire name; bytes from `count` on mean nothing.
    private(set) var bytes = InlineArray<256, UInt8>(repeating: 0)
    /// Length of the name in bytes.
    private(set) var count = 0

    /// Copies the name at `offset` of `message`, which has been decoded once and is known to be well formed, and
    /// returns the offset behind it where it stands.
    mutating func read(_ message: Span<UInt8>, at offset: Int) -> Int {
        var offset = offset
        var end: Int?
        count = 0
        while offset < message.count {
            let length = message[offset]
            if length >= 0xC0 {
                if end == nil { end = offset + 2 }
                offset = Int(length & 0x3F) << 8 | Int(message[offset + 1])
                continue
            }
            guard count + 1 + Int(length) <= 255 else { break }
            for index in 0...Int(length) { bytes[count + index] = message[offset + index] }
            count += 1 + Int(length)
            offset += 1 + Int(length)
            if length == 0 { break }
        }
        return end ?? offset
    }
}
