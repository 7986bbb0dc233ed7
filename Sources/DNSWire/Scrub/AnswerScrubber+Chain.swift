/// The answer section: the aliases from the question on, and the RRset at their end.
extension AnswerScrubber {
    /// Writes the chain and the final RRset, and says how it ends.
    ///
    /// A final RRset beside NXDOMAIN contradicts it; the code is believed and the RRset left out, so that no client
    /// sees an address in what every cache takes for a negative answer.
    mutating func followChain(
        _ message: Span<UInt8>, type: RecordType, into image: inout MutableSpan<UInt8>
    ) throws(AnswerDefect) -> ScrubOutcome {
        let isNameError = responseCode == .nameError
        for link in 0...AnswerScrubber.aliasLimit {
            if !isNameError, type != .cname, try writeFinalSets(message, type: type, into: &image) { return .answer }
            let dname = findDNAME(message)
            let cname = dname == nil ? table.find(.answer, current, .cname, in: message) : nil
            if dname == nil, cname == nil || isNameError && type == .cname { break }
            if type == .cname, let cname {
                try writeSetAndSignatures(cname, message, single: true, into: &image)
                return .answer
            }
            guard link < AnswerScrubber.aliasLimit else { throw .aliasChain }
            if let dname { try follow(dname: dname, message, into: &image) }
            if let cname { try follow(cname: cname, message, into: &image) }
            if type == .cname, !isNameError { return .answer }
            aliases.append(current.domainName)
        }
        return isNameError ? .nameError : .noData
    }

    /// Writes what is owned by the end of the chain and was asked for; false when there is no such RRset.
    private mutating func writeFinalSets(
        _ message: Span<UInt8>, type: RecordType, into image: inout MutableSpan<UInt8>
    ) throws(AnswerDefect) -> Bool {
        guard type == .any || type == .rrsig else {
            guard let index = table.find(.answer, current, type, in: message) else { return false }
            try writeSetAndSignatures(index, message, into: &image)
            return true
        }
        var found = false
        for index in table.sets.indices {
            let set = table.sets[index]
            guard set.key.section == .answer, set.key.ownerHash == current.hash, set.key.isSignature || type == .any,
                current.suffix(matches: message, at: set.ownerOffset)
            else { continue }
            try writeSet(index, message, into: &image)
            found = true
        }
        return found
    }

    /// Writes RRset `index` of the end of the chain and the signatures over it.
    private mutating func writeSetAndSignatures(
        _ index: Int, _ message: Span<UInt8>, single: Bool = false, into image: inout MutableSpan<UInt8>
    ) throws(AnswerDefect) {
        try writeSet(index, message, single: single, into: &image)
        let type = table.sets[index].key.type
        if let signatures = table.find(.answer, current, type, isSignature: true, in: message) {
            try writeSet(signatures, message, into: &image)
        }
    }

    /// Writes the alias in RRset `index` and goes to what it names; of several, which none may have
    /// (RFC 1034, section 3.6.2), the first.
    private mutating func follow(
        cname index: Int, _ message: Span<UInt8>, into image: inout MutableSpan<UInt8>
    ) throws(AnswerDefect) {
        // Having been written already, it would be the second round of a loop.
        guard !table.sets[index].isWritten else { throw .aliasChain }
        try writeSet(index, message, single: true, into: &image)
        guard let ttlOffset = ttlOffsets.last else { throw .wire(.noRoom) }
        if let signatures = table.find(.answer, current, .cname, isSignature: true, in: message) {
            try writeSet(signatures, message, into: &image)
        }
        let set = table.sets[index]
        chainTTL = min(chainTTL, set.ttl)
        var failure: WireError?
        _ = current.decode(
            message, at: table.records[Int(set.first)].data.lowerBound, allowsCompression: true, failure: &failure)
        if let failure { throw .wire(failure) }
        moveCurrent(to: Int(ttlOffset) + 6, image)
    }

    /// The RRset of the nearest DNAME above the end of the chain, which it redirects (RFC 6672, section 2.3).
    private mutating func findDNAME(_ message: Span<UInt8>) -> Int? {
        guard table.hasDNAME else { return nil }
        var start = 0
        while current.span[start] != 0 {
            start = current.label(after: start)
            let hash = current.suffixHash(from: start)
            if let index = table.find(.answer, current, from: start, hash: hash, .dname, in: message) { return index }
        }
        return nil
    }

    /// Writes the DNAME in RRset `index`, the CNAME that follows from it, and goes to what that names.
    ///
    /// Whatever CNAME the response had, the one written is our own, with the TTL of the DNAME
    /// (RFC 6672, section 3.1); it has no signatures (section 5.3.1).
    private mutating func follow(
        dname index: Int, _ message: Span<UInt8>, into image: inout MutableSpan<UInt8>
    ) throws(AnswerDefect) {
        let set = table.sets[index]
        var failure: WireError?
        _ = other.decode(message, at: set.ownerOffset, allowsCompression: true, failure: &failure)
        if !set.isWritten {
            try writeSet(index, message, ownedByOther: true, single: true, into: &image)
            if let signatures = table.find(.answer, other, .dname, isSignature: true, in: message) {
                try writeSet(signatures, message, ownedByOther: true, into: &image)
            }
        }
        _ = scratch.decode(
            message, at: table.records[Int(set.first)].data.lowerBound, allowsCompression: true, failure: &failure)
        if let failure { throw .wire(failure) }
        let given = table.find(.answer, current, .cname, in: message)
        let open = beginRecord(.cname, ttl: set.ttl, into: &image)
        guard current.substitute(suffix: other, with: scratch) else { throw .wire(.nameTooLong) }
        builder.put(current, to: &image)
        builder.endRecord(open, to: &image)
        guard !builder.overflowed else { throw .wire(.noRoom) }
        if given.map({ isAlias($0, message) }) != true { synthesised += 1 }
        chainTTL = min(chainTTL, set.ttl)
        moveCurrent(to: open.dataOffset, image)
    }

    /// Whether the first CNAME of RRset `index` names the end of the chain.
    private mutating func isAlias(_ index: Int, _ message: Span<UInt8>) -> Bool {
        let data = table.records[Int(table.sets[index].first)].data
        var failure: WireError?
        _ = scratch.decode(message, at: data.lowerBound, allowsCompression: true, failure: &failure)
        return failure == nil && scratch.equals(current)
    }

    /// Notes that the end of the chain stands at `place` of the image, or where that points.
    private mutating func moveCurrent(to place: Int, _ image: borrowing MutableSpan<UInt8>) {
        currentPlace = place
        if image[place] >= 0xC0 { currentPlace = Int(image[place] & 0x3F) << 8 | Int(image[place + 1]) }
    }
}
