/// The authority section: what proves a negative answer, or that a wildcard was rightly used.
extension AnswerScrubber {
    /// Writes the zone's SOA into a negative answer, and the denials of existence into any.
    mutating func writeProofs(
        _ message: Span<UInt8>, question: borrowing NameBuffer, _ result: inout ScrubResult,
        into image: inout MutableSpan<UInt8>
    ) throws(AnswerDefect) {
        let isNegative = result.outcome != .answer
        if isNegative, try writeSOA(message, into: &image) { result.negativeTTL = minimumTTL }
        for index in table.sets.indices {
            let key = table.sets[index].key
            guard key.section == .authority, !key.isSignature else { continue }
            switch key.type {
            case .nsec, .nsec3: break
            case .ds where isNegative: break
            default: continue
            }
            try writeProof(index, message, question: question, into: &image)
        }
        if result.negativeTTL != nil { result.negativeTTL = minimumTTL }
    }

    /// Writes the SOA of the nearest zone that holds the end of the chain; false when there is none.
    ///
    /// Its TTL becomes the smaller of its own and MINIMUM (RFC 2308, section 5).
    private mutating func writeSOA(
        _ message: Span<UInt8>, into image: inout MutableSpan<UInt8>
    ) throws(AnswerDefect) -> Bool {
        guard table.hasSOA, let index = findSOA(message) else { return false }
        let set = table.sets[index]
        let data = table.records[Int(set.first)].data
        guard data.count >= 22 else { throw .wire(.badDataLength) }
        let minimum = message.uint32(at: data.upperBound - 4)
        let ttl = min(set.ttl, minimum > 0x7FFF_FFFF ? 0 : minimum)
        try loadOwner(of: index, message)
        try writeSet(index, message, ttl: ttl, ownedByOther: true, single: true, into: &image)
        if let signatures = table.find(.authority, other, .soa, isSignature: true, in: message) {
            try writeSet(signatures, message, ttl: ttl, ownedByOther: true, into: &image)
        }
        return true
    }

    /// The RRset of the SOA whose owner is the end of the chain or the nearest name above it.
    private mutating func findSOA(_ message: Span<UInt8>) -> Int? {
        var start = 0
        while true {
            let hash = current.suffixHash(from: start)
            if let index = table.find(.authority, current, from: start, hash: hash, .soa, in: message) { return index }
            if current.span[start] == 0 { return nil }
            start = current.label(after: start)
        }
    }

    /// Writes RRset `index` of the authority section with its signatures, if it can prove anything here.
    ///
    /// It has to be signed by a zone that its owner and a name of the chain are in (RFC 4035, section 5.3.1):
    /// without a signature it proves nothing, and from elsewhere it is none of the question's business.
    private mutating func writeProof(
        _ index: Int, _ message: Span<UInt8>, question: borrowing NameBuffer, into image: inout MutableSpan<UInt8>
    ) throws(AnswerDefect) {
        try loadOwner(of: index, message)
        let type = table.sets[index].key.type
        guard let signatures = table.find(.authority, other, type, isSignature: true, in: message) else { return }
        let signature = table.records[Int(table.sets[signatures].first)].data
        var failure: WireError?
        _ = scratch.decode(message, at: signature.lowerBound + 18, allowsCompression: false, failure: &failure)
        if let failure { throw .wire(failure) }
        guard other.isEqualToOrBelow(scratch) else { return }
        guard question.isEqualToOrBelow(scratch) || aliases.contains(where: { scratch.isEqualToOrAbove($0) }) else {
            return
        }
        try writeSet(index, message, ownedByOther: true, into: &image)
        try writeSet(signatures, message, ownedByOther: true, into: &image)
    }

    /// Decodes the owner of RRset `index` into `other`.
    private mutating func loadOwner(of index: Int, _ message: Span<UInt8>) throws(AnswerDefect) {
        var failure: WireError?
        _ = other.decode(message, at: table.sets[index].ownerOffset, allowsCompression: true, failure: &failure)
        if let failure { throw .wire(failure) }
    }
}
