import DNSWire

/// Which letters of a question are sent in upper case: bits that whoever forges an answer has to guess, besides ID and
/// port (draft-vixie-dnsext-dns0x20, section 2).
struct CaseMask {
    /// One bit for each byte of a name, the lowest of the first word for the first byte.
    private var bits: InlineArray<4, UInt64>

    /// No letter.
    static let none = CaseMask(bits: InlineArray(repeating: 0))

    /// A mask of these bits.
    private init(bits: InlineArray<4, UInt64>) {
        self.bits = bits
    }

    /// Half of the letters of a name of `length` bytes, at random.
    static func random(length: Int) -> CaseMask {
        var mask = none
        for word in 0..<min((length + 63) / 64, 4) { mask.bits[word] = .random(in: .min ... .max) }
        return mask
    }

    /// The byte at `index` of a canonical name as it is sent: letters whose bit is set are in upper case.
    func apply(_ byte: UInt8, at index: Int) -> UInt8 {
        guard byte &- 0x61 < 26, index < 256, bits[index / 64] >> UInt64(index % 64) & 1 == 1 else { return byte }
        return byte ^ 0x20
    }

    /// Writes the canonical name of `length` bytes in the question of `message` as it is sent.
    func apply(to message: inout [UInt8], length: Int) {
        for index in 0..<length { message[Header.length + index] = apply(message[Header.length + index], at: index) }
    }
}
