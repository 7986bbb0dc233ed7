import Testing

extension EndToEnd {
    /// EDNS (RFC 6891) as clients see it, byte for byte.
    @Suite struct ExtensionMechanisms {
        /// A daemon with local records, under a policy that allows `api`.
        private static func daemon() throws -> Daemon {
            var setup = Setup()
            setup.zone = Setup.localZone
            setup.policies = ["web.yaml": Setup.policy("web", dns: ["api.local.example", "*.nowhere.example"])]
            return try Daemon(setup)
        }

        /// A query that gets an answer.
        private static let good = WireQuery("api.local.example")

        @Test(arguments: Daemon.Transport.allCases)
        func `a version above 0 is BADVERS, with an OPT record of version 0 and nothing else`(
            _ transport: Daemon.Transport
        ) throws {
            let daemon = try ExtensionMechanisms.daemon()
            for version: UInt8 in [1, 2, 127, 255] {
                let query = ExtensionMechanisms.good.with(WireQuery.OPT(version: version, flags: 0x8000))
                let answer = try daemon.ask(query, over: transport)
                #expect(answer.code == 16 && answer.answers.isEmpty && answer.authorities.isEmpty)
                #expect(answer.question == query.question)
                // The upper bits of the code, version 0, DO as it was asked.
                #expect(answer.opt?.ttl == 0x0100_8000 && answer.options == [])
            }
        }

        @Test(arguments: Daemon.Transport.allCases)
        func `several OPT records, or one that is not owned by the root, are a format error`(
            _ transport: Daemon.Transport
        ) throws {
            let daemon = try ExtensionMechanisms.daemon()
            let opt = WireQuery.OPT()
            for opts in [[opt, opt], [opt, opt, opt], [opt, WireQuery.OPT(version: 1)]] {
                var query = ExtensionMechanisms.good
                query.opts = opts
                let answer = try #require(try daemon.exchange(query.bytes, over: transport))
                #expect(answer.code == 1 && answer.answers.isEmpty && answer.id == query.id)
            }
            var owned = WireQuery.plain("api.local.example").bytes + [1, 0x61] + opt.bytes
            owned[11] = 1
            let answer = try #require(try daemon.exchange(owned, over: transport))
            #expect(answer.code == 1 && answer.answers.isEmpty)
        }

        /// Options that do not fill their record.
        private static let malformed: [[UInt8]] = [
            [0], [0, 3], [0, 3, 0], [0, 3, 0, 1], [0, 3, 0xFF, 0xFF], [0, 3, 0, 0, 0],
            WireQuery.OPT.option(12, [0, 0]) + [0, 3, 0, 9, 1],
            WireQuery.OPT.option(10, [1, 2, 3, 4, 5, 6, 7]), WireQuery.OPT.option(10, Array(1...9)),
        ]

        @Test(arguments: ExtensionMechanisms.malformed)
        func `options that do not fill their record, and cookies that cannot be, are a format error`(
            _ options: [UInt8]
        ) throws {
            let daemon = try ExtensionMechanisms.daemon()
            let query = ExtensionMechanisms.good.with(WireQuery.OPT(options: options))
            for transport in Daemon.Transport.allCases {
                let answer = try #require(try daemon.exchange(query.bytes, over: transport))
                #expect(answer.code == 1 && answer.answers.isEmpty && answer.question == query.question)
            }
        }

        @Test func `an OPT record whose data ends behind the message is a format error`() throws {
            let daemon = try ExtensionMechanisms.daemon()
            var bytes = ExtensionMechanisms.good.bytes
            bytes[bytes.count - 1] = 1
            let answer = try #require(try daemon.exchange(bytes))
            #expect(answer.code == 1 && answer.answers.isEmpty)
        }

        /// Options of queries that have no place in a response over UDP: NSID, ECS, expire, padding, keepalive, chain,
        /// key tags, an extended error, a reserved and an unknown one.
        private static let options: [[UInt8]] = [
            WireQuery.OPT.option(3), WireQuery.OPT.option(8, [0, 1, 24, 0, 203, 0, 113]), WireQuery.OPT.option(9),
            WireQuery.OPT.option(12, Array(repeating: 0, count: 100)), WireQuery.OPT.option(11),
            WireQuery.OPT.option(13, [0]), WireQuery.OPT.option(14, [0x4A, 0x5C]), WireQuery.OPT.option(15, [0, 1]),
            WireQuery.OPT.option(0, [1]), WireQuery.OPT.option(65_001, [0xDE, 0xAD]),
        ]

        @Test func `options that nobody answers are not echoed, alone and all together`() throws {
            let daemon = try ExtensionMechanisms.daemon()
            for options in ExtensionMechanisms.options + [ExtensionMechanisms.options.flatMap { $0 }] {
                let answer = try daemon.ask(ExtensionMechanisms.good.with(WireQuery.OPT(options: options)))
                #expect(answer.code == 0 && answer.addresses == [[192, 0, 2, 10]])
                #expect(answer.options == [], "\(options)")
            }
        }

        @Test(arguments: Daemon.Transport.allCases)
        func `who sends no OPT record gets none, whatever the answer is, and who sends one gets one`(
            _ transport: Daemon.Transport
        ) throws {
            let daemon = try ExtensionMechanisms.daemon()
            // NOERROR, no data, denied, an upstream where nobody is, the same from the cache, ANY, a zone transfer.
            let queries: [(WireQuery, Int)] = [
                (WireQuery("api.local.example"), 0), (WireQuery("api.local.example", type: 16), 0),
                (WireQuery("ledger.local.example"), 5), (WireQuery("a.nowhere.example"), 2),
                (WireQuery("a.nowhere.example"), 2), (WireQuery("api.local.example", type: 255), 0),
                (WireQuery("api.local.example", type: 252), 5),
            ]
            for (query, code) in queries {
                var plain = query
                plain.opts = []
                // `ask` counts the OPT records and looks at what they say.
                #expect(try daemon.ask(plain, over: transport).code == code, "\(query)")
                #expect(try daemon.ask(query, over: transport).code == code, "\(query)")
            }
        }

        @Test func `bits of the OPT record that mean nothing are ignored and not repeated, DO is`() throws {
            let daemon = try ExtensionMechanisms.daemon()
            for flags: UInt16 in [0, 0x8000, 0x7FFF, 0xFFFF] {
                let opt = WireQuery.OPT(code: 0xFF, flags: flags)
                let answer = try daemon.ask(ExtensionMechanisms.good.with(opt))
                #expect(answer.code == 0 && answer.addresses.count == 1)
                #expect(answer.opt?.ttl == UInt32(flags & 0x8000))
            }
        }
    }
}
