import DNSWire

/// How the question of a response compares with the one that was sent (RFC 5452, section 9.1).
enum QuestionEcho {
    /// Byte for byte the same.
    case exact
    /// The same but for the case of letters.
    case otherCase
    /// Another question.
    case none

    /// Compares `response` with the canonical `sent`, whose question ends at `end`; its letters were sent as `mask`
    /// says.
    static func compare(_ response: Span<UInt8>, with sent: [UInt8], end: Int, mask: CaseMask) -> QuestionEcho {
        guard response.count >= end, end <= sent.count, response[4] == 0, response[5] == 1 else { return .none }
        var isExact = true
        // Type and class are no letters to change.
        let nameEnd = end - 4
        for index in Header.length..<end {
            let byte = response[index]
            let expected = index < nameEnd ? mask.apply(sent[index], at: index - Header.length) : sent[index]
            if byte == expected { continue }
            guard index < nameEnd, byte ^ expected == 0x20, sent[index] &- 0x61 < 26 else { return .none }
            isExact = false
        }
        return isExact ? .exact : .otherCase
    }
}
