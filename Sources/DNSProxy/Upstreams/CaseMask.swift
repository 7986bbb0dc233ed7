import DNSWire

/// Which letters of a question are sent in upper case: bits that whoever forges an answer has to guess, besides ID and
/// port (draft-vixie-dnsext-dns0x20, section 2).
struct CaseMask {
    /// One bit for each byte of a name, the lowest of the first word for the first byte. Four properties, because reading
    /// an element of an `InlineArray` copies all of it (Swift 6.3).
    private var bits: (UInt64, UInt64, UInt64, UInt64)

    /// No letter.
    static let none = CaseMask(bits: (0, 0, 0, 0))

    /// A mask of these bits.
    private init(bits: (UInt64, UInt64, UInt64, UInt64)) {
        self.bits = bits
    }

    /// Half of the letters of a name of `length` bytes, at random.
    static func random(length: Int) -> CaseMask {
        var mask = none
        mask.bits.0 = .random(in: .min ... .max)
        if length > 64 { mask.bits.1 = .random(in: .min ... .max) }
        if length > 128 { mask.bits.2 = .random(in: .min ... .max) }
        if length > 192 { mask.bits.3 = .random(in: .min ... .max) }
        return mask
    }

    /// What the eight bytes from `index` (a multiple of eight, 0 to 248) of a canonical name are when they are sent:
    /// letters whose bit is set are in upper case.
    func apply(_ word: UInt64, at index: Int) -> UInt64 {
        let bits =
            switch index >> 6 {
            case 0: bits.0
            case 1: bits.1
            case 2: bits.2
            default: bits.3
            }
        let ones: UInt64 = 0x0101_0101_0101_0101
        // One bit of the eight in each byte, then all that are set in the highest one.
        let own = (bits >> UInt64(index & 63) & 0xFF) &* ones & 0x8040_2010_0804_0201
        let chosen = own &+ 0x7F &* ones
        // The highest bit of each byte says whether it is at least "a", or behind "z"; none carries into the next.
        let low = word & (0x7F &* ones)
        let isLower = (low &+ 0x1F &* ones) & ~(low &+ 0x05 &* ones) & ~word & (0x80 &* ones)
        return word ^ (chosen & isLower) >> 2
    }

    /// Writes the canonical name of `length` bytes in the question of `message`, behind which there are at least four
    /// bytes, as it is sent.
    func apply(to message: inout MutableSpan<UInt8>, length: Int) {
        var index = 0
        while index <= length - 8 {
            message.setWord(apply(message.span.word(at: Header.length + index), at: index), at: Header.length + index)
            index += 8
        }
        guard index < length else { return }
        let rest = apply(message.span.word(at: Header.length + index, count: length - index), at: index)
        for step in 0..<(length - index) {
            message[Header.length + index + step] = UInt8(truncatingIfNeeded: rest >> UInt64(8 * step))
        }
    }
}
