import Testing

extension EndToEnd {
    /// The twelve bytes of the header and the question, as clients get them back.
    @Suite struct Headers {
        /// A daemon with local records and `server` behind it.
        private static func daemon(_ server: ScriptedServer? = nil) throws -> Daemon {
            var setup = server.map { Setup(upstream: $0.port) } ?? Setup()
            setup.zone = Setup.localZone + "alias IN CNAME api\n"
            return try Daemon(setup)
        }

        @Test(arguments: Daemon.Transport.allCases)
        func `every opcode but QUERY is NOTIMP, with an OPT record for who sends one`(_ transport: Daemon.Transport)
            throws
        {
            let daemon = try Headers.daemon()
            for opcode: UInt16 in 1...15 {
                let query = WireQuery.plain("api.local.example", flags: opcode << 11 | 0x0100)
                // `ask` compares ID and opcode.
                let answer = try daemon.ask(query, over: transport)
                #expect(answer.code == 4 && answer.answers.isEmpty && answer.recursionDesired && answer.opt == nil)
                let extended = try daemon.ask(WireQuery("api.local.example", flags: opcode << 11), over: transport)
                #expect(extended.code == 4 && extended.extendedError == 21)
            }
        }

        /// What headers may say about sections, wrongly or rightly, and what follows them.
        private static let counts: [(counts: [UInt16], questions: Int)] = [
            ([0, 0, 0], 0), ([0, 0, 0], 1), ([2, 0, 0], 2), ([2, 0, 0], 1), ([65_535, 0, 0], 1), ([65_535, 0, 0], 100),
            ([1, 1, 0], 1), ([1, 0, 1], 1), ([1, 65_535, 65_535], 1), ([1, 0, 0], 0), ([1, 0, 0], 2),
        ]

        @Test(arguments: Daemon.Transport.allCases)
        func `anything but one question, and records where a query has none, are a format error`(
            _ transport: Daemon.Transport
        ) throws {
            let daemon = try Headers.daemon()
            for (counts, questions) in Headers.counts {
                var query = WireQuery.plain("api.local.example")
                query.counts = counts
                query.questions = questions
                let answer = try daemon.ask(query, over: transport)
                #expect(answer.code == 1 && answer.answers.isEmpty && answer.authorities.isEmpty, "\(counts)")
            }
        }

        @Test func `responses are met with silence, whatever they say`() throws {
            let daemon = try Headers.daemon()
            let client = try daemon.client()
            for flags: UInt16 in [0x8000, 0x8180, 0x8583, 0xA800, 0xFFFF] {
                client.send(WireQuery("api.local.example", flags: flags).bytes)
                client.send(WireQuery.plain("api.local.example", flags: flags).bytes)
            }
            // The answer to an honest question is the first that comes.
            client.send(WireQuery("api.local.example").bytes)
            let first = try #require(client.answer().flatMap { WireMessage($0.bytes) })
            #expect(first.addresses == [[192, 0, 2, 10]])
            #expect(client.answer(within: .milliseconds(100)) == nil)
            #expect(try daemon.exchange(WireQuery("api.local.example", flags: 0x8180).bytes, over: .tcp) == nil)
        }

        @Test(arguments: Daemon.Transport.allCases)
        func `the question comes back bit for bit, and its spelling is that of the answer, cached or not`(
            _ transport: Daemon.Transport
        ) throws {
            let server = try ScriptedServer { query in
                let target = [3] + Array("sub".utf8) + [0xC0, 12]
                let address = [UInt8](owner: [UInt8](name: "sub." + query.name), data: HostileServer.good)
                return query.name.lowercased().hasPrefix("www")
                    ? [query.reply([UInt8](type: 5, data: target) + address, answers: 2)]
                    : [query.response(address: HostileServer.good)]
            }
            defer { server.stop() }
            let daemon = try Headers.daemon(server)
            let spellings = ["Host.TeSt.Example", "host.test.example", "HOST.TEST.EXAMPLE", "hOsT.tEsT.eXaMpLe"]
            for name in spellings + ["API.local.EXAMPLE", "api.LOCAL.example"] {
                let query = WireQuery(name)
                let answer = try daemon.ask(query, over: transport)
                #expect(answer.question == query.question)
                #expect(answer.answers.map(\.owner) == ["\(name)."], "\(answer.answers)")
            }
            // Behind an alias too, where names end as the question does.
            for name in ["WwW.TeSt.Example", "www.test.example", "www.TEST.example"] {
                let query = WireQuery(name)
                let answer = try daemon.ask(query, over: transport)
                #expect(answer.question == query.question)
                #expect(answer.answers.map(\.owner) == ["\(name).", "sub.\(name)."], "\(answer.answers)")
            }
            #expect(server.queries.count == 2)
            // Errors too.
            for (name, type) in [("NoBody.LOCAL.Example", 1), ("API.local.example", 252)] as [(String, UInt16)] {
                let query = WireQuery(name, type: type)
                #expect(try daemon.ask(query, over: transport).question == query.question)
            }
        }

        @Test func `RD and CD are copied, RA is set, Z is never, and bits that mean nothing in a query are ignored`()
            throws
        {
            let server = try HostileServer.start()
            defer { server.stop() }
            let daemon = try Headers.daemon(server)
            let names = ["api.local.example", "none.local.example", "good.test.example", "servfail.test.example"]
            for flags: UInt16 in [0, 0x0100, 0x0010, 0x0110, 0x0040, 0x07EF, 0x0680] {
                for name in names {
                    let answer = try daemon.ask(WireQuery(name, flags: flags))
                    #expect(answer.recursionDesired == (flags & 0x0100 != 0), "\(name) \(flags)")
                    #expect(answer.isCheckingDisabled == (flags & 0x0010 != 0), "\(name) \(flags)")
                    #expect(answer.recursionAvailable && answer.flags & 0x0040 == 0 && !answer.isTruncated)
                    #expect(answer.code == (name.hasPrefix("none") ? 3 : name.hasPrefix("servfail") ? 2 : 0))
                }
            }
        }

        @Test func `AA is for local records only, cached or not`() throws {
            let server = try ScriptedServer { query in
                var response = query.response(address: HostileServer.good)
                response[2] |= 4
                return [response]
            }
            defer { server.stop() }
            let daemon = try Headers.daemon(server)
            for transport in Daemon.Transport.allCases {
                for _ in 1...2 {
                    for name in ["api", "alias", "none"] {
                        #expect(try daemon.ask(WireQuery("\(name).local.example"), over: transport).isAuthoritative)
                    }
                    #expect(try daemon.ask(WireQuery("api.local.example", type: 16), over: transport).isAuthoritative)
                    for query in [WireQuery("host.test.example"), WireQuery("host.test.example", type: 255)] {
                        #expect(try !daemon.ask(query, over: transport).isAuthoritative)
                    }
                }
            }
        }

        @Test func `AD is for who asks with AD or DO, and only if the upstream has set it`() throws {
            let server = try ScriptedServer { query in
                var response = query.response(address: HostileServer.good)
                if query.name.lowercased().hasPrefix("signed") { response[3] |= 0x20 }
                return [response]
            }
            defer { server.stop() }
            let daemon = try Headers.daemon(server)
            for _ in 1...2 {
                for isAD in [false, true] {
                    for isDO in [false, true] {
                        for name in ["signed", "plain"] {
                            let opt = WireQuery.OPT(flags: isDO ? 0x8000 : 0)
                            let query = WireQuery("\(name).test.example", flags: isAD ? 0x0120 : 0x0100).with(opt)
                            let isExpected = name == "signed" && (isAD || isDO)
                            #expect(try daemon.ask(query).isAuthentic == isExpected, "\(name) AD \(isAD) DO \(isDO)")
                        }
                    }
                }
                #expect(try daemon.ask(.plain("signed.test.example", flags: 0x0120)).isAuthentic)
                #expect(try !daemon.ask(.plain("signed.test.example")).isAuthentic)
            }
        }
    }
}
