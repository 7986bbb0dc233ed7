/// An authoritative server that is hostile in the way that the first label of the name says: `loop.`, `wrongid.` and so
/// on. What is right about its answers has the address `good`, what nobody may ever see has the address `bad`.
enum HostileServer {
    /// A query, as a trick sees it.
    typealias Query = ScriptedServer.Query
    /// What is done to a query.
    typealias Trick = @Sendable (Query) -> [ScriptedServer.Answer]

    /// The address of right answers.
    static let good: [UInt8] = [192, 0, 2, 1]
    /// The address of answers that are forged, or stand where they do not belong.
    static let bad: [UInt8] = [203, 0, 113, 66]

    /// Starts one.
    static func start() throws -> ScriptedServer {
        try ScriptedServer.timed { query in
            let label = String(query.name.lowercased().prefix { $0 != "." })
            return tricks[label]?(query) ?? one(query.response(address: good))
        }
    }

    /// Every trick by its label.
    static let tricks = [datagramTricks, orderTricks, recordTricks, byteTricks, ednsTricks, codeTricks]
        .reduce(into: [String: Trick]()) { $0.merge($1) { first, _ in first } }

    /// Names off the chain, aliases that lead nowhere or for ever, records that belong to nothing.
    private static let recordTricks: [String: Trick] = [
        "loop": { query in
            one(query.reply(cname(to: "back.test.example") + cname("back.test.example", to: query.name), answers: 2))
        },
        "chain16": { one(chain(of: 16, $0)) },
        "chain20": { one(chain(of: 20, $0)) },
        "offchain": { query in
            let bank = [UInt8](owner: [UInt8](name: "bank.test.example"), data: bad)
            let server = [UInt8](
                owner: [UInt8](name: "test.example"), type: 2, data: [UInt8](name: "ns.evil.example"))
            let glue = [UInt8](owner: [UInt8](name: "ns.evil.example"), data: bad)
            return one(
                query.reply(
                    bank + [UInt8](data: good) + server + bank + glue + bank, answers: 2, authorities: 2, additionals: 2
                ))
        },
        "elsewhere": { one($0.reply([UInt8](owner: [UInt8](name: "bank.test.example"), data: bad))) },
        "sidestep": { query in
            let other = [UInt8](owner: [UInt8](name: "bank.test.example"), data: bad)
            return one(query.reply(cname(to: "end.test.example") + other, answers: 2))
        },
        "foreignclass": { query in
            one(query.reply([UInt8](recordClass: 3, data: bad) + [UInt8](data: good), answers: 2))
        },
        "loopback": { query in
            one(query.reply([UInt8](data: [127, 0, 0, 1]) + [UInt8](data: [169, 254, 169, 254]), answers: 2))
        },
        "big64k": { query in
            guard query.isTCP else { return one(query.truncated([])) }
            let texts = (0..<240).flatMap { number in
                [UInt8](type: 16, data: [255, UInt8(number)] + [UInt8](repeating: 0x61, count: 254))
            }
            return one(query.reply(texts, answers: 240))
        },
        "manyrecords": { query in
            guard query.isTCP else { return one(query.truncated([])) }
            let record = [UInt8](owner: [0], type: 10, data: [])
            return one(query.reply((0..<4_200).flatMap { _ in record }, answers: 4_200))
        },
    ]

    /// One answer at once.
    static func one(_ bytes: [UInt8]) -> [ScriptedServer.Answer] { [ScriptedServer.Answer(bytes: bytes)] }

    /// An alias; of the name that was asked if no owner is given.
    static func cname(_ owner: String? = nil, to target: String) -> [UInt8] {
        [UInt8](owner: owner.map { [UInt8](name: $0) } ?? [0xC0, 12], type: 5, data: [UInt8](name: target))
    }

    /// That many aliases, with the good address behind the last of them.
    private static func chain(of count: Int, _ query: Query) -> [UInt8] {
        let names = (1...count).map { "step\($0).test.example" }
        var records = cname(to: names[0])
        for (owner, target) in zip(names, names.dropFirst()) { records += cname(owner, to: target) }
        return query.reply(records + [UInt8](owner: [UInt8](name: names[count - 1]), data: good), answers: count + 1)
    }
}

extension ScriptedServer.Query {
    /// A response with these bytes behind the question, which its header calls so many answers, authorities and
    /// additional records.
    func reply(
        code: UInt8 = 0, _ records: [UInt8], answers: Int = 1, authorities: Int = 0, additionals: Int = 0
    ) -> [UInt8] {
        var response = response(code: code)
        let counts = [answers, authorities, additionals].flatMap { [UInt8](wide: UInt16($0)) }
        response.replaceSubrange(6..<12, with: counts)
        return response + records
    }

    /// A response with TC, and these bytes as its answer.
    func truncated(_ record: [UInt8]) -> [UInt8] {
        var response = reply(record, answers: record.isEmpty ? 0 : 1)
        response[2] |= 2
        return response
    }
}
