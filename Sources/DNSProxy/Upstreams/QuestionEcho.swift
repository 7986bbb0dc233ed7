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
        let sent = sent.span
        // Type and class are no letters to change.
        let nameEnd = end - 4
        guard response.word(at: nameEnd, count: 4) == sent.word(at: nameEnd, count: 4) else { return .none }
        var isExact = true
        var offset = Header.length
        while offset < nameEnd {
            let size = min(8, nameEnd - offset)
            let received = size == 8 ? response.word(at: offset) : response.word(at: offset, count: size)
            let expected = size == 8 ? sent.word(at: offset) : sent.word(at: offset, count: size)
            if received != mask.apply(expected, at: offset - Header.length) {
                guard received.canonicalCase == expected else { return .none }
                isExact = false
            }
            offset += 8
        }
        return isExact ? .exact : .otherCase
    }
}
