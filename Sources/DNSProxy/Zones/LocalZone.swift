internal import DNSWire
internal import FQDNPolicy

/// One zone of local records: what a file says about the names at and below its apex.
struct LocalZone: Sendable {
    /// The name that owns the SOA.
    let apex: DomainName
    /// The file the zone came from.
    let file: String
    /// The line of its SOA.
    let line: Int
    /// Every name that exists, empty non-terminals (RFC 4592, section 2.2.2) included.
    let nodes: [DomainName: Node]
    /// Whether any name has a DNAME.
    let hasDNAME: Bool
    /// The SOA with the TTL of negative answers: the smaller of its own and MINIMUM (RFC 2308, section 3).
    let negativeSOA: RecordSet

    /// The RRsets of one name; none for an empty non-terminal.
    struct Node: Sendable {
        /// The RRsets in the order of the file.
        var sets: [RecordSet] = []

        /// The RRset of `type`.
        func set(_ type: RecordType) -> RecordSet? { sets.first { $0.type == type } }
    }

    /// Records of one name and type.
    struct RecordSet: Sendable {
        /// The type.
        let type: RecordType
        /// The smallest TTL of the records (RFC 2181, section 5.2).
        var ttl: UInt32
        /// The data of each record, in wire form without compression.
        var data: [[UInt8]]
        /// Bytes of all the data.
        var size: Int
        /// The line of the first record.
        let line: Int
    }

    /// Largest RRset in bytes; a message has to hold it with its names.
    static let setLimit = 60_000

    /// Puts `records` in order, noting in `problems` whatever is wrong with them; nil without a SOA.
    init?(_ records: [ZoneRecord], file: String, _ problems: inout [DocumentProblem]) {
        var check = Check(file: file, problems: problems)
        defer { problems = check.problems }
        guard let soa = records.first(where: { $0.type == .soa }), soa.data.count >= 22 else {
            check.fileProblem("the zone file has no SOA record, which says where the zone begins")
            return nil
        }
        let apex = soa.owner
        var nodes: [DomainName: Node] = [:]
        for record in records where check.accepts(record, soa: soa) { check.add(record, to: &nodes) }
        check.aliases(nodes)
        var name = nodes.keys.first
        for owner in Array(nodes.keys) {
            name = owner
            while let existing = name, existing != apex, let parent = existing.parent, nodes[parent] == nil {
                nodes[parent] = Node()
                name = parent
            }
        }
        self.apex = apex
        self.file = file
        line = soa.line
        hasDNAME = nodes.values.contains { $0.set(.dname) != nil }
        let minimum = soa.data.suffix(4).reduce(UInt32(0)) { $0 << 8 | UInt32($1) }
        negativeSOA = RecordSet(
            type: .soa, ttl: min(soa.ttl, minimum), data: [soa.data], size: soa.data.count, line: soa.line)
        self.nodes = nodes
    }
}

/// The rules a zone file has to keep.
extension LocalZone {
    /// Looks at one record after the other and collects what is wrong.
    private struct Check {
        /// The file the records are from.
        let file: String
        /// Everything that was wrong so far.
        var problems: [DocumentProblem]

        /// Notes a problem with the file as a whole.
        mutating func fileProblem(_ message: String) {
            problems.append(DocumentProblem(file: file, message: message))
        }

        /// Notes a problem with the record on `line`.
        mutating func problem(_ line: Int, _ message: String, _ severity: DocumentProblem.Severity = .error) {
            problems.append(
                DocumentProblem(severity: severity, file: file, line: line, column: 1, path: "", message: message))
        }

        /// Whether a record is one of the zone that begins with `soa`.
        mutating func accepts(_ record: ZoneRecord, soa: ZoneRecord) -> Bool {
            if record.recordClass != .in {
                problem(record.line, "only records of class IN are served, not of \(record.recordClass)")
            } else if !record.owner.isEqualToOrBelow(soa.owner) {
                problem(record.line, "\(record.owner) is not in the zone \(soa.owner)")
            } else if record.type == .soa, record.line != soa.line {
                problem(record.line, "a second SOA record; the first is on line \(soa.line)")
            } else if record.type == .ns, record.owner != soa.owner {
                problem(
                    record.line,
                    "the delegation of \(record.owner) is ignored: everything below \(soa.owner) is answered from here",
                    .warning)
            } else {
                return true
            }
            return false
        }

        /// Adds a record to its RRset.
        mutating func add(_ record: ZoneRecord, to nodes: inout [DomainName: Node]) {
            let index = nodes[record.owner]?.sets.firstIndex { $0.type == record.type }
            guard let index else {
                nodes[record.owner, default: Node()].sets.append(
                    RecordSet(
                        type: record.type, ttl: record.ttl, data: [record.data], size: record.data.count,
                        line: record.line))
                return
            }
            guard let set = nodes[record.owner]?.sets[index] else { return }
            if record.type == .cname || record.type == .dname {
                problem(record.line, "a second \(record.type) of \(record.owner); the first is on line \(set.line)")
            } else if set.size + record.data.count + 16 * (set.data.count + 1) > LocalZone.setLimit {
                problem(record.line, "\(record.owner) has more \(record.type) records than a message can hold")
            } else if set.data.count < 64, set.data.contains(record.data) {
                problem(record.line, "the same record twice", .warning)
            } else {
                nodes[record.owner]?.sets[index].data.append(record.data)
                nodes[record.owner]?.sets[index].size += record.data.count
                nodes[record.owner]?.sets[index].ttl = min(set.ttl, record.ttl)
            }
        }

        /// Looks for aliases that have other data (RFC 1034, section 3.6.2) or lead back to themselves.
        mutating func aliases(_ nodes: [DomainName: Node]) {
            for (owner, node) in nodes.sorted(by: { $0.key < $1.key }) {
                guard let alias = node.set(.cname) else { continue }
                if let other = node.sets.first(where: { ![.cname, .rrsig, .nsec].contains($0.type) }) {
                    problem(max(alias.line, other.line), "\(owner) has a CNAME and other records")
                }
                var target = LocalZone.target(of: alias)
                var links = 1
                while let name = target, name != owner, links <= AnswerScrubber.aliasLimit {
                    target = nodes[name]?.set(.cname).flatMap { LocalZone.target(of: $0) }
                    links += 1
                }
                if target != nil { problem(alias.line, "the alias \(owner) leads back to itself or through too many") }
            }
        }
    }

    /// The name that the data of a CNAME or DNAME is.
    static func target(of set: RecordSet) -> DomainName? {
        guard let data = set.data.first else { return nil }
        var cursor = MessageCursor(offset: 0)
        var name = NameBuffer()
        cursor.readName(data.span, into: &name, allowsCompression: false)
        return cursor.isValid ? name.domainName : nil
    }
}
