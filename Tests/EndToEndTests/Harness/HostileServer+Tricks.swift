/// Tricks that need no new record, only the wrong bytes, moments, ports or codes.
extension HostileServer {
    /// The right answer.
    private static func right(_ query: Query) -> [UInt8] { query.reply([UInt8](data: good)) }
    /// A forged one.
    private static func forged(_ query: Query) -> [UInt8] { query.reply([UInt8](data: bad)) }

    /// Something forged before the right answer.
    private static func before(_ forged: [UInt8], _ query: Query) -> [ScriptedServer.Answer] {
        one(forged) + one(right(query))
    }

    /// Answers that do not belong to the question, as a forger sends them who hopes to be first.
    static let datagramTricks: [String: Trick] = [
        "wrongid": { query in
            var wrong = forged(query)
            wrong[1] ^= 1
            return before(wrong, query)
        },
        "otherquestion": { query in
            var wrong = forged(query)
            wrong[13] = UInt8(ascii: "x") ^ (wrong[13] & 0x20)
            return before(wrong, query)
        },
        "othertype": { query in
            var wrong = forged(query)
            wrong[query.questionEnd - 3] = 28
            return before(wrong, query)
        },
        "noquestion": { query in
            var wrong = Array(forged(query).prefix(12)) + [UInt8](owner: [UInt8](name: query.name), data: bad)
            wrong[5] = 0
            return before(wrong, query)
        },
        "twoquestions": { query in
            var wrong = Array(forged(query).prefix(query.questionEnd))
            wrong[5] = 2
            wrong += Array(wrong[12...]) + [UInt8](data: bad)
            return before(wrong, query)
        },
        "query": { query in
            var wrong = forged(query)
            wrong[2] &= 0x7F
            return before(wrong, query)
        },
        "opcode": { query in
            var wrong = forged(query)
            wrong[2] |= 0x28
            return before(wrong, query)
        },
        "case": { query in
            guard !query.isTCP else { return one(right(query)) }
            var wrong = forged(query)
            wrong[13] ^= 0x20
            return one(wrong)
        },
        "oversized": { query in
            // Longer than any datagram that is taken.
            query.isTCP ? one(right(query)) : before(forged(query) + [UInt8](repeating: 0, count: 50_000), query)
        },
    ]

    /// Answers from the wrong place, too late, too often, and cut where they cannot be.
    static let orderTricks: [String: Trick] = [
        "wrongport": { query in
            guard !query.isTCP else { return one(right(query)) }
            return [
                ScriptedServer.Answer(bytes: forged(query), isFromElsewhere: true),
                ScriptedServer.Answer(bytes: right(query), delay: .milliseconds(50)),
            ]
        },
        "twice": { one(right($0)) + one(forged($0)) },
        "slow": { [ScriptedServer.Answer(bytes: right($0), delay: .milliseconds(300))] },
        "late": { query in
            // Longer than any attempt may take, over UDP or over a connection.
            [ScriptedServer.Answer(bytes: forged(query), delay: .milliseconds(2_300))]
        },
        "truncate": { query in one(query.isTCP ? right(query) : query.truncated([UInt8](data: bad))) },
        "tcovertcp": { one($0.truncated([UInt8](data: bad))) },
    ]

    /// Messages that are not what they say they are.
    static let byteTricks: [String: Trick] = [
        "lyingcount": { one($0.reply([UInt8](data: bad), answers: 5)) },
        "hugecount": { one($0.reply([UInt8](data: bad), answers: 65_535)) },
        "fewcount": { one($0.reply([UInt8](data: bad), answers: 0)) },
        "shortrdata": { one($0.reply([UInt8](data: Array(bad.dropLast())))) },
        "longrdata": { one($0.reply([UInt8](data: bad + [0]))) },
        "emptyrdata": { one($0.reply([UInt8](data: []))) },
        "namerdata": { one($0.reply([UInt8](type: 5, length: 3, data: [UInt8](name: "bank.test.example")))) },
        "pastend": { one($0.reply([UInt8](length: 400, data: bad))) },
        "pointerloop": { query in
            one(query.reply([UInt8](owner: [0xC0, UInt8(query.questionEnd)], data: bad)))
        },
        "forward": { query in
            // At the name in the data of the record itself.
            let place = UInt8(query.questionEnd + 12)
            return one(query.reply([UInt8](owner: [0xC0, place], type: 5, data: [UInt8](name: query.name))))
        },
        "headerpointer": { one($0.reply([UInt8](owner: [0xC0, 4], data: bad))) },
        "labeltype": { one($0.reply([UInt8](owner: [0x41, 0x61, 0], data: bad))) },
        "garbage": { query in
            one(query.reply((0..<200).map { UInt8(truncatingIfNeeded: $0 &* 151 &+ 7) }, answers: 3, authorities: 3))
        },
    ]

    /// OPT records with things in them, in the wrong number, at the wrong place.
    static let ednsTricks: [String: Trick] = [
        "edns": { query in
            guard !query.hasEDNS else { return one(query.reply(code: 1, [], answers: 0)) }
            return one(query.reply([UInt8](data: good) + opt(chatter), additionals: 1))
        },
        "options": { one($0.reply([UInt8](data: good) + opt(chatter), additionals: 1)) },
        "twoopts": { one($0.reply([UInt8](data: good) + opt([]) + opt([]), additionals: 2)) },
        "answeropt": { one($0.reply(opt(chatter) + [UInt8](data: good), answers: 2)) },
        "upperbits": { query in
            // 33, which nobody knows; the header alone says FORMERR.
            one(query.reply(code: 1, [UInt8](data: bad) + opt([], code: 2), additionals: 1))
        },
    ]

    /// Codes, and what contradicts them.
    static let codeTricks: [String: Trick] = [
        "refused": { one($0.reply(code: 5, [UInt8](data: bad))) },
        "servfail": { one($0.reply(code: 2, [UInt8](data: bad))) },
        "reservedcode": { one($0.reply(code: 12, [UInt8](data: bad))) },
        "nxdomain": { query in
            one(query.reply(code: 3, [UInt8](data: bad) + soa("test.example"), authorities: 1))
        },
        "foreignsoa": { one($0.reply(code: 3, soa("bank.example"), answers: 0, authorities: 1)) },
    ]

    /// Options that must stay between the server and the daemon: a cookie, a client subnet, an extended error, padding,
    /// and one that nobody knows.
    private static let chatter =
        WireQuery.OPT.option(10, Array(1...16)) + WireQuery.OPT.option(8, [0, 1, 24, 24, 203, 0, 113])
        + WireQuery.OPT.option(15, [0, 9] + Array("bogus".utf8)) + WireQuery.OPT.option(12, [0, 0])
        + WireQuery.OPT.option(65_001, [0xDE, 0xAD])

    /// An OPT record with `options` and the upper bits of a response code.
    private static func opt(_ options: [UInt8], code: UInt8 = 0) -> [UInt8] {
        WireQuery.OPT(payload: 4_096, code: code, flags: 0x8000, options: options).bytes
    }

    /// A SOA record.
    private static func soa(_ zone: String) -> [UInt8] {
        let names = [UInt8](name: "ns." + zone) + [UInt8](name: "hostmaster." + zone)
        let numbers = (0..<5).flatMap { _ in [0, 0, 0, 60] as [UInt8] }
        return [UInt8](owner: [UInt8](name: zone), type: 6, data: names + numbers)
    }
}
