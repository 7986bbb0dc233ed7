public import DNSWire

/// The zones that are answered from files, without any upstream; immutable, replaced whole on reload.
public final class LocalZones: Sendable {
    /// The zones by apex.
    private let zones: [DomainName: LocalZone]
    /// The hashes of the apexes, by which nearly every name is told to be in none of them.
    private let hashes: Set<UInt64>
    /// For each length of a name, whether an apex has it: only what is as long needs to be hashed.
    private let lengths: [Bool]

    /// The zones of `list`; of two with the same apex the first.
    init(_ list: [LocalZone]) {
        zones = Dictionary(list.map { ($0.apex, $0) }) { first, _ in first }
        hashes = Set(zones.keys.map { $0.hash(seed: .process) })
        var lengths = [Bool](repeating: false, count: 256)
        for apex in zones.keys { lengths[apex.bytes.count] = true }
        self.lengths = lengths
    }

    /// These zones, and those of the special names that are not among them.
    var withSpecialNames: LocalZones { LocalZones(Array(zones.values) + SpecialNames.all) }

    /// No zones at all.
    public static let none = LocalZones([])

    /// Number of zones.
    public var count: Int { zones.count }
    /// Whether there are no zones.
    public var isEmpty: Bool { zones.isEmpty }
    /// The names at which the zones begin, sorted.
    public var apexes: [DomainName] { zones.keys.sorted() }
    /// Those of zones that come from files.
    var configuredApexes: [DomainName] { zones.values.filter { $0.file != SpecialNames.file }.map(\.apex) }

    /// Writes the response to a question into `output`; nil when no zone holds the name.
    ///
    /// A whole message with ID 0 and AA: the RRset (RFC 1034, section 4.3.2), found directly or by a wildcard
    /// (RFC 4592), behind aliases as long as they stay in these zones, or NXDOMAIN or no data with the SOA
    /// (RFC 2308, section 2). An answer that does not fit becomes a question with TC.
    func respond(
        question: borrowing NameBuffer, type: RecordType, into output: inout MutableSpan<UInt8>
    ) -> LocalAnswer? {
        guard mayHold(question), output.count >= Header.length else { return nil }
        let name = question.domainName
        guard zone(of: name) != nil else { return nil }
        var builder = MessageBuilder(limit: output.count)
        builder.putQuestion(question, type: type, to: &output)
        guard !builder.overflowed else { return nil }
        let questionEnd = builder.count
        var response = LocalResponse(builder: builder)
        answer(name, type, &response, into: &output)
        var header = Header(id: 0, flags: [.response, .authoritative])
        if response.builder.overflowed {
            response.builder.rewind(to: questionEnd)
            header.flags.insert(.truncated)
        } else {
            header.flags.responseCode = response.code
            header.answerCount = UInt16(truncatingIfNeeded: response.answers)
            header.authorityCount = UInt16(truncatingIfNeeded: response.authorities)
        }
        header.write(to: &output)
        return LocalAnswer(
            length: response.builder.count,
            departure: response.departure.map {
                Departure(question: name, target: $0, aliases: response.aliases)
            })
    }

    /// Follows the aliases from `name` and writes what is at their end.
    private func answer(
        _ name: DomainName, _ type: RecordType, _ response: inout LocalResponse, into output: inout MutableSpan<UInt8>
    ) {
        var name = name
        for _ in 0...AnswerScrubber.aliasLimit {
            // An alias that leaves these zones ends the answer here: the rest is for an upstream.
            guard let zone = zone(of: name) else {
                response.departure = name
                return
            }
            switch zone.find(name) {
            case .missing:
                response.putNegative(zone, .nameError, to: &output)
                return
            case .redirected(let owner, let set):
                guard let target = LocalZone.target(of: set) else { return }
                response.put(set, owner: owner, to: &output)
                guard let next = name.replacing(owner, by: target) else {
                    response.code = ResponseCode(rawValue: 6)  // YXDOMAIN (RFC 6672, section 2.2)
                    return
                }
                response.putAlias(name, to: next, ttl: set.ttl, to: &output)
                if type == .cname { return }
                name = next
            case .found(let node):
                let sets = type == .any ? node.sets : node.sets.filter { $0.type == type }
                for set in sets { response.put(set, owner: name, to: &output) }
                if !sets.isEmpty { return }
                guard let alias = node.set(.cname), let target = LocalZone.target(of: alias) else {
                    response.putNegative(zone, .noError, to: &output)
                    return
                }
                response.put(alias, owner: name, to: &output)
                name = target
            }
        }
        response.code = .serverFailure
    }

    /// Whether a zone may hold the name; false is certain.
    private func mayHold(_ name: borrowing NameBuffer) -> Bool {
        guard !isEmpty else { return false }
        var start = 0
        while start < name.count {
            if lengths[name.count - start], hashes.contains(name.suffixHash(from: start)) { return true }
            start = name.label(after: start)
        }
        return false
    }

    /// The zone that holds `name`: the one with the longest apex.
    private func zone(of name: DomainName) -> LocalZone? {
        var candidate: DomainName? = name
        while let apex = candidate {
            if let zone = zones[apex] { return zone }
            candidate = apex.parent
        }
        return nil
    }
}

/// What the local records say to a question.
struct LocalAnswer {
    /// Bytes of the response.
    var length: Int
    /// Where the aliases in it lead, when that is out of the local zones.
    var departure: Departure?
}

/// Local aliases that lead to a name which only an upstream knows.
struct Departure: Sendable {
    /// The name that was asked.
    let question: DomainName
    /// The name to ask an upstream for.
    let target: DomainName
    /// The records of the aliases, without compression.
    let aliases: [UInt8]
}
