/// Turns an upstream's response into the canonical image that is stored and served.
///
/// The image is a message of the question, the aliases from it in order, the RRset at their end, its signatures,
/// and what proves that answer or its absence; no other byte of the response reaches a client, the cache or the
/// mapping table. One value serves any number of responses, one after the other, and keeps its memory.
public struct AnswerScrubber: ~Copyable {
    /// Most aliases that are followed from one question.
    public static let aliasLimit = 16
    /// Most records of one response.
    public static let recordLimit = 4096
    /// Most bytes of names and data that are looked at for one response, four times the largest message.
    ///
    /// Only a response whose tiny records point at long names again and again needs more; no server sends that.
    public static let workLimit = 4 * 65_536

    /// Addresses that the image may carry, hints included; records with more are left out, the last ones first.
    public var addressLimit = Int.max

    /// Offsets in the image of every record's TTL, ascending.
    public private(set) var ttlOffsets: [UInt16] = []
    /// What a client learns from the image: A and AAAA records of the final RRset, and hints of SVCB and HTTPS.
    public private(set) var addresses: [ScrubbedAddress] = []
    /// The names that the question's name is an alias of, in the order of the chain.
    public internal(set) var aliases: [DomainName] = []

    /// The response's RRsets.
    var table = RecordSetTable()
    /// The image in the making.
    var builder = MessageBuilder(limit: 0)
    /// The name that the chain has come to.
    var current: NameBuffer
    /// Scratch space: owners while reading, names in data while checking and writing.
    var scratch: NameBuffer
    /// Scratch space: the owner of a record set in the authority section, or the next name of the chain.
    var other: NameBuffer
    /// Where `current` stands in the image.
    var currentPlace = Header.length
    /// The smallest TTL in the image so far.
    var minimumTTL = UInt32.max
    /// The smallest TTL of the aliases so far.
    var chainTTL = UInt32.max
    /// Aliases that the image has without a record of the response.
    var synthesised = 0
    /// Digests of the data that is written already, for one RRset at a time.
    private var digests = DigestSet()
    /// Records read from the answer and authority sections.
    var recordsRead = 0
    /// The response code, with the upper bits of an OPT record.
    var responseCode = ResponseCode.noError
    /// Work done on names and records outside the table.
    var steps = 0
    /// Hashes of names that only we speak about.
    var ownNames: [UInt64] = []

    /// A scrubber whose tables are keyed with `seed`.
    public init(seed: HashSeed = .process) {
        current = NameBuffer(seed: seed)
        scratch = NameBuffer(seed: seed)
        other = NameBuffer(seed: seed)
    }

    /// Writes the image of `message` and says what it is.
    ///
    /// The caller has checked that `message` is the response to its own query: ID, QR, and the question. The image
    /// has ID 0, neither AA nor TC, and AD, RA and the code of the response. Names in it point at the question
    /// wherever they can, so that the whole answer follows when the client's spelling is put there.
    ///
    /// Bytes from `aliases` on, if given, are not the response's: they are records, without compression, of aliases by
    /// which we ourselves have come from the question to the name that the response is about. What the response says
    /// of their owners is left out.
    public mutating func scrub(
        _ message: Span<UInt8>, question: borrowing NameBuffer, type: RecordType, aliases: Int? = nil,
        into image: inout MutableSpan<UInt8>
    ) -> ScrubResult {
        do throws(AnswerDefect) {
            let header = try read(message, aliases: min(max(aliases ?? message.count, 0), message.count))
            return try write(message, header: header, question: question, type: type, into: &image)
        } catch {
            clear()
            return ScrubResult(outcome: .malformed(error), steps: steps + table.steps)
        }
    }

    /// Gives all addresses of the last image the TTL, in seconds, that every record of it has got since.
    public mutating func setAddressTTLs(to ttl: UInt32) {
        for index in addresses.indices { addresses[index].ttl = ttl }
    }

    /// Forgets what was found in the response before.
    mutating func clear() {
        ttlOffsets.removeAll(keepingCapacity: true)
        addresses.removeAll(keepingCapacity: true)
        aliases.removeAll(keepingCapacity: true)
        ownNames.removeAll(keepingCapacity: true)
        currentPlace = Header.length
        minimumTTL = .max
        chainTTL = .max
        synthesised = 0
        recordsRead = 0
    }

    /// Writes the image of a response whose records are in the table.
    private mutating func write(
        _ message: Span<UInt8>, header: Header, question: borrowing NameBuffer, type: RecordType,
        into image: inout MutableSpan<UInt8>
    ) throws(AnswerDefect) -> ScrubResult {
        builder = MessageBuilder(limit: image.count)
        current.assign(question)
        builder.putQuestion(current, type: type, to: &image)
        var flags = header.flags.intersection([.recursionAvailable, .authenticData]).union(.response)
        flags.responseCode = responseCode.rawValue > 0xF ? .serverFailure : responseCode
        var result = ScrubResult(outcome: .failure(responseCode))
        var sections: (answer: Int, authority: Int) = (0, 0)
        if responseCode == .noError || responseCode == .nameError {
            result.outcome = try followChain(message, type: type, into: &image)
            sections.answer = ttlOffsets.count
            try writeProofs(message, question: question, &result, into: &image)
            sections.authority = ttlOffsets.count - sections.answer
            result.isCacheable = result.outcome == .answer ? type != .any : result.hasSOA
        }
        guard !builder.overflowed else { throw .wire(.noRoom) }
        Header(
            id: 0, flags: flags, answerCount: UInt16(truncatingIfNeeded: sections.answer),
            authorityCount: UInt16(truncatingIfNeeded: sections.authority)
        ).write(to: &image)
        result.length = builder.count
        result.minimumTTL = ttlOffsets.isEmpty ? 0 : minimumTTL
        // A CNAME made up for a DNAME is in the image without having been read.
        result.dropped = max(0, recordsRead - (ttlOffsets.count - synthesised))
        result.steps = steps + table.steps
        return result
    }

    /// Writes the records of RRset `index`, unless they are in the image; every one is checked, none appears twice.
    ///
    /// The owner is the name at the end of the chain, or the one in `other`. The TTL is the smallest of them, at most
    /// `limit` seconds. Only the first record is written when `single`.
    mutating func writeSet(
        _ index: Int, _ message: Span<UInt8>, ttl limit: UInt32 = .max, ownedByOther: Bool = false,
        single: Bool = false,
        into image: inout MutableSpan<UInt8>
    ) throws(AnswerDefect) {
        guard table.markWritten(index) else { return }
        let set = table.sets[index]
        let type = set.key.isSignature ? .rrsig : set.key.type
        let ttl = min(set.ttl, limit)
        digests.reset(count: set.count)
        var entry = set.first
        while entry >= 0 {
            let record = table.records[Int(entry)]
            entry = record.next
            try work(1 + record.data.count)
            let digest: UInt64
            switch RecordData.check(type, message, record.data, name: &scratch) {
            case .success(let value): digest = value
            case .failure(let error): throw .wire(error)
            }
            // Once to read the name and once to write it.
            if RecordData.layout(type) != nil { try work(2 * scratch.count) }
            guard digests.insert(digest), hasRoom(for: type, message, record.data) else { continue }
            let open = beginRecord(type, ttl: ttl, ownedByOther: ownedByOther, into: &image)
            RecordData.copy(type, message, record.data, builder: &builder, to: &image)
            builder.endRecord(open, to: &image)
            guard !builder.overflowed else { throw .wire(.noRoom) }
            learn(type, message, record.data, ttl: ttl)
            if single { break }
        }
    }

    /// Whether the image may carry the addresses in a record's data.
    private func hasRoom(for type: RecordType, _ message: Span<UInt8>, _ data: Range<Int>) -> Bool {
        switch type {
        case .a, .aaaa: return addresses.count < addressLimit
        case .svcb, .https:
            guard addressLimit < .max else { return true }
            var hints = 0
            ServiceParameters.forEachHint(message, data) { _ in hints += 1 }
            return addresses.count + hints <= addressLimit
        default: return true
        }
    }

    /// Counts bytes that are looked at.
    /// - Throws: `AnswerDefect.tooMuchWork` when that were too many for one response.
    mutating func work(_ count: Int) throws(AnswerDefect) {
        steps += count
        guard steps + table.steps <= AnswerScrubber.workLimit else { throw .tooMuchWork }
    }

    /// Begins a record of the name at the end of the chain, or of the one in `other`, and notes its TTL.
    mutating func beginRecord(
        _ type: RecordType, ttl: UInt32, ownedByOther: Bool = false, into image: inout MutableSpan<UInt8>
    ) -> MessageBuilder.OpenRecord {
        let start = builder.count
        if ownedByOther {
            builder.put(other, to: &image)
        } else if currentPlace < 0x4000 {
            builder.putPointer(to: currentPlace, output: &image)
        } else {
            builder.put(current, to: &image)
        }
        let open = builder.beginRecord(from: start, type: type, recordClass: .in, ttl: ttl, to: &image)
        ttlOffsets.append(UInt16(truncatingIfNeeded: open.ttlOffset))
        minimumTTL = min(minimumTTL, ttl)
        return open
    }

    /// Takes the addresses out of a record's data, valid as long as all of the chain before it.
    private mutating func learn(_ type: RecordType, _ message: Span<UInt8>, _ data: Range<Int>, ttl: UInt32) {
        let lifetime = min(ttl, chainTTL)
        switch type {
        case .a, .aaaa:
            guard let address = IPAddress(message, at: data.lowerBound, count: data.count) else { return }
            addresses.append(ScrubbedAddress(address: address, ttl: lifetime, isHint: false))
        case .svcb, .https:
            ServiceParameters.forEachHint(message, data) {
                addresses.append(ScrubbedAddress(address: $0, ttl: lifetime, isHint: true))
            }
        default: break
        }
    }
}
