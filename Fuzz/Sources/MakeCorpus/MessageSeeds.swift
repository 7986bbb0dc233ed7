import DNSWire

/// Queries and responses of every shape that the code treats in a way of its own.
enum MessageSeeds {
    /// A record in its parts.
    private typealias Record = (owner: String, type: RecordType, data: [UInt8])

    /// Queries: plain, with EDNS, with every option that is looked at.
    static var queries: [[UInt8]] {
        let options: [[UInt8]] = [
            [], [0, 10, 0, 8] + Array(1...8), [0, 10, 0, 24] + Array(1...24), [0, 10, 0, 3, 1, 2, 3],
            [0, 8, 0, 7, 0, 1, 24, 0, 192, 0, 2], [0, 11, 0, 0], [0, 11, 0, 2, 0, 50], [0, 12, 0, 4, 0, 0, 0, 0],
            [0, 3, 0, 0, 0, 10, 0, 8] + Array(1...8),
        ]
        return [
            message(flags: .recursionDesired, question: "www.example.com.", type: .a),
            message(flags: [.recursionDesired, .authenticData], question: ".", type: .ns),
            message(flags: .recursionDesired, question: "_443._tcp.Example.", type: .https),
        ]
            + options.map {
                message(flags: .recursionDesired, question: "a.b.example.", type: .aaaa, additional: [opt($0)])
            }
    }

    /// Responses: chains, negative answers, signed ones, and each type whose data is looked into.
    static var responses: [[UInt8]] {
        let address: Record = ("www.example.", .a, [192, 0, 2, 1])
        let soa: Record = ("example.", .soa, wire("ns.example.") + wire("root.example.") + numbers(20))
        let signature = { (owner: String, type: RecordType) -> Record in
            (owner, .rrsig, [0, UInt8(type.rawValue), 8, 2] + numbers(14) + wire("example.") + numbers(32))
        }
        let nsec: Record = ("example.", .nsec, wire("a.example.") + [0, 2, 0x62, 0x01])
        let hints: [UInt8] =
            [0, 1, 0, 3, 2, 0x68, 0x32, 0, 4, 0, 4, 192, 0, 2, 7, 0, 6, 0, 16, 0x20, 0x01] + numbers(14)
        return [
            response("www.example.", .a, [address, ("www.example.", .a, [192, 0, 2, 2])]),
            response(
                "www.example.", .a, [("www.example.", .cname, wire("cdn.test.")), ("cdn.test.", .a, [1, 2, 3, 4])]),
            response(
                "a.sub.example.", .a,
                [("sub.example.", .dname, wire("other.test.")), ("a.other.test.", .a, [1, 2, 3, 4])]),
            response("www.example.", .a, [], authority: [soa]),
            response("www.example.", .a, [], authority: [soa], code: .nameError),
            response(
                "www.example.", .a, [address, signature("www.example.", .a)],
                authority: [nsec, signature("example.", .nsec)]),
            response(
                "no.example.", .a, [],
                authority: [
                    soa, signature("example.", .soa), nsec, signature("example.", .nsec),
                    ("abc.example.", .nsec3, [1, 0, 0, 1, 2, 7, 7, 4, 1, 2, 3, 4, 0, 1, 0x40]),
                    signature("abc.example.", .nsec3), ("sub.example.", .ds, numbers(24)),
                    signature("sub.example.", .ds),
                ], code: .nameError),
            response(
                "www.example.", .a, [("www.example.", .cname, wire("a.test.")), ("a.test.", .a, [1, 2, 3, 4])],
                authority: [
                    ("b.test.", .nsec, wire("c.test.") + [0, 1, 0x40]),
                    ("b.test.", .rrsig, [0, 47, 8, 2] + numbers(14) + wire("test.") + numbers(32)),
                ]),
            response("www.example.", .https, [("www.example.", .https, [0, 1] + wire("cdn.test.") + hints)]),
            response("www.example.", .https, [("www.example.", .https, [0, 0] + wire("cdn.test."))]),
            response("loop.example.", .a, [("loop.example.", .cname, wire("loop.example."))]),
            response("www.example.", .any, [address] + everyType()),
            response("www.example.", .mx, everyType().filter { $0.type == .mx }),
            response("www.example.", .txt, everyType().filter { $0.type == .txt }),
            response("www.example.", .a, [], code: .serverFailure),
        ]
    }

    /// Text of names, addresses, prefixes and types, behind the two bytes of the name target's options.
    static var texts: [[UInt8]] {
        ["www.example.", "a\\.b.\\255.", ".", "192.0.2.1", "2001:db8::1", "::ffff:1.2.3.4", "10.0.0.0/8", "TYPE65280"]
            .map { [0, 0] + Array($0.utf8) }
    }

    /// Programs of the builder target: limit, then an operation each with what it needs.
    static var programs: [[UInt8]] {
        let limit: [UInt8] = [0x07, 0xFF]
        let name: [UInt8] = [2, 3, 0x77, 0x77, 0x77, 2, 0x64, 0x65]
        return [
            limit + [0] + name + [1] + name + [0] + name,
            limit + [2] + name + [0, 1] + [3] + name + [0, 0, 60, 4, 192, 0, 2, 1],
            limit + [3] + name + [5, 0, 60, 10, 0, 10] + wire("mail.x.") + [0, 4, 1, 1, 0x61],
            limit + [0] + name + [5, 0] + [0] + name + [6, 7, 1, 2],
            [0x00, 0x20, 0] + name + [0] + name + [7, 1, 2],
        ]
    }

    /// One record of each type whose data is looked into, owned by the name that is asked for.
    private static func everyType() -> [Record] {
        let target = wire("x.example.")
        let data: [(RecordType, [UInt8])] = [
            (.aaaa, [0x20, 0x01] + numbers(14)), (.ns, target), (.ptr, target), (.minfo, target + target),
            (.mx, [0, 10] + target), (.txt, [1, 0x61, 2, 0x62, 0x63]), (.hinfo, [1, 0x61, 1, 0x62]),
            (.rp, target + target), (.afsdb, [0, 1] + target), (.px, [0, 1] + target + target),
            (.srv, [0, 1, 0, 2, 0, 53] + target), (.naptr, [0, 1, 0, 2, 1, 0x73, 1, 0x78, 1, 0x2E] + target),
            (.kx, [0, 1] + target), (.sig, [0, 1] + numbers(16) + target + numbers(8)), (.nxt, target + [0x40]),
            (RecordType(rawValue: 65_280), numbers(5)),
        ]
        return data.map { ("www.example.", $0.0, $0.1) }
    }

    /// A response with an OPT record.
    private static func response(
        _ question: String, _ type: RecordType, _ answer: [Record], authority: [Record] = [],
        code: ResponseCode = .noError
    ) -> [UInt8] {
        var flags: HeaderFlags = [.response, .recursionDesired, .recursionAvailable]
        flags.responseCode = code
        return message(
            flags: flags, question: question, type: type, answer: answer, authority: authority, additional: [opt([])])
    }

    /// A message, its names compressed as the builder does it.
    private static func message(
        flags: HeaderFlags, question: String, type: RecordType, answer: [Record] = [], authority: [Record] = [],
        additional: [Record] = []
    ) -> [UInt8] {
        var output = [UInt8](repeating: 0, count: 4096)
        var span = output.mutableSpan
        var builder = MessageBuilder(limit: span.count)
        Header(
            id: 0x1234, flags: flags, answerCount: UInt16(answer.count), authorityCount: UInt16(authority.count),
            additionalCount: UInt16(additional.count)
        ).write(to: &span)
        builder.putQuestion(NameBuffer(name(question)), type: type, to: &span)
        for record in answer + authority + additional {
            let isOPT = record.type == .opt
            let open = builder.beginRecord(
                name(record.owner), type: record.type, recordClass: isOPT ? RecordClass(rawValue: 1232) : .in,
                ttl: isOPT ? 0x8000 : 300, to: &span)
            builder.putData(record.data.span, of: record.type, to: &span)
            builder.endRecord(open, to: &span)
        }
        let count = builder.overflowed ? 0 : builder.count
        return Array(output[..<count])
    }

    /// An OPT record with these options.
    private static func opt(_ options: [UInt8]) -> Record { (".", .opt, options) }

    /// The name `text`; the root when it is none.
    private static func name(_ text: String) -> DomainName { (try? DomainName(text)) ?? .root }

    /// The wire form of a name.
    private static func wire(_ text: String) -> [UInt8] { name(text).bytes }

    /// Some bytes.
    private static func numbers(_ count: Int) -> [UInt8] { (0..<count).map { UInt8(truncatingIfNeeded: $0 &* 7) } }
}
