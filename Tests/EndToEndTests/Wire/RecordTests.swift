import Testing

extension EndToEnd {
    /// Records on their way from an upstream to a client.
    @Suite struct Records {
        /// Data by type, as an upstream sends it: `pointed` for data of names that are compressed.
        private struct Sample: Sendable {
            /// The type.
            let type: UInt16
            /// As it is sent.
            let sent: [UInt8]
            /// As it is without compression.
            let whole: [UInt8]

            /// Data of `type` that holds no compressed name.
            init(_ type: UInt16, _ data: [UInt8]) {
                self.type = type
                sent = data
                whole = data
            }

            /// `head`, then `names` times `host` and a pointer at the end of the question, then `tail`.
            init(_ type: UInt16, _ head: [UInt8], names: Int = 1, _ tail: [UInt8] = []) {
                self.type = type
                // The question is `d100.test.example`: its second label stands at 17.
                sent = head + (0..<names).flatMap { _ in [4] + Array("host".utf8) + [0xC0, 17] } + tail
                whole = head + (0..<names).flatMap { _ in [UInt8](name: "host.test.example") } + tail
            }
        }

        /// Asks a daemon for each of `samples`, over UDP and TCP, and calls `body` with what comes back.
        private static func forward(
            _ samples: [Sample], _ body: (Sample, WireMessage, WireMessage.Record) throws -> Void
        ) throws {
            let server = try ScriptedServer { query in
                guard let number = Int(query.name.dropFirst().prefix(3)), samples.indices ~= number - 100 else {
                    return []
                }
                return [query.reply([UInt8](type: query.type, data: samples[number - 100].sent))]
            }
            defer { server.stop() }
            let daemon = try Daemon(Setup(upstream: server.port))
            for (index, sample) in samples.enumerated() {
                let name = "d\(index + 100).test.example"
                for transport in Daemon.Transport.allCases {
                    let answer = try daemon.ask(WireQuery(name, type: sample.type), over: transport)
                    #expect(answer.code == 0 && answer.answers.count == 1, "\(sample): \(answer)")
                    let record = try #require(answer.answers.first)
                    #expect(record.type == sample.type && record.owner == "\(name)." && record.recordClass == 1)
                    try body(sample, answer, record)
                }
            }
            #expect(server.queries.count == samples.count)
        }

        /// Data of types that nobody has to know.
        private static let opaque: [Sample] = [
            Sample(65_280, []), Sample(65_280, [0]), Sample(65_534, [0xC0, 12]),
            Sample(65_535, [0xC0, 12, 0xC0, 0xFF]),
            Sample(4_711, Array(0...255)), Sample(32_769, Array(repeating: 0xC0, count: 900)),
            // SSHFP, TLSA, CAA, URI, SPF, OPENPGPKEY, and one whose data would be wrong if anybody read it (LOC).
            Sample(44, [1, 1] + Array(1...20)), Sample(52, [3, 1, 1] + Array(1...32)),
            Sample(257, [0, 5] + Array("issueca.example".utf8)), Sample(256, [0, 1, 0, 1] + Array("https://a".utf8)),
            Sample(99, [3] + Array("v=1".utf8)), Sample(61, Array(0...200)), Sample(29, [1, 2, 3]),
        ]

        @Test func `data of unknown types is passed on byte for byte, even where it looks like a pointer`() throws {
            try Records.forward(Records.opaque) { sample, _, record in #expect(record.data == sample.whole) }
        }

        /// Data that has names, none of them compressed, and structure.
        private static let structured: [Sample] = [
            // SVCB and HTTPS: alpn, port, ipv4hint, an unknown key; the form of an alias.
            Sample(64, [0, 1] + [UInt8](name: "Svc.TEST.example") + [0, 1, 0, 3, 2, 0x68, 0x32, 0, 3, 0, 2, 1, 0xBB]),
            Sample(65, [0, 1, 0] + [0, 4, 0, 4, 192, 0, 2, 1, 0xFF, 0xDC, 0, 2, 0xC0, 12]),
            Sample(65, [0, 0] + [UInt8](name: "other.Example")),
            // SRV and NAPTR.
            Sample(33, [0, 1, 0, 2, 0x1F, 0x90] + [UInt8](name: "Host.Test.Example")),
            Sample(
                35, [0, 1, 0, 2, 1, 0x75, 7] + Array("E2U+sip".utf8) + [10] + Array("!^.*$!sip!".utf8) + [0]),
            // TXT of two strings, one empty; HINFO; AAAA.
            Sample(16, [0, 3] + Array("a b".utf8)), Sample(13, [1, 0x61, 0]), Sample(28, Array(1...16)),
            // DS, DNSKEY, NSEC3PARAM.
            Sample(43, [0, 1, 8, 2] + Array(1...32)), Sample(48, [1, 1, 3, 8] + Array(1...64)),
            Sample(51, [1, 0, 0, 1, 0]),
        ]

        @Test func `SVCB, HTTPS, SRV, NAPTR and others are passed on byte for byte`() throws {
            try Records.forward(Records.structured) { sample, _, record in #expect(record.data == sample.whole) }
        }

        @Test func `names that arrive compressed in types of RFC 1035 mean the same to the client`() throws {
            let samples = [
                Sample(2, [], names: 1), Sample(12, [], names: 1), Sample(15, [0, 10], names: 1),
                Sample(14, [], names: 2), Sample(6, [], names: 2, Array(1...20)),
            ]
            try Records.forward(samples) { sample, answer, record in
                var offset = record.place.lowerBound + (sample.type == 15 ? 2 : 0)
                #expect(sample.type != 15 || record.data.starts(with: [0, 10]))
                for _ in 0..<(sample.type == 6 || sample.type == 14 ? 2 : 1) {
                    let name = try #require(answer.name(at: offset))
                    #expect(name.text == "host.test.example.")
                    offset = name.end
                }
                let tail = Array(answer.bytes[offset..<record.place.upperBound])
                #expect(tail == (sample.type == 6 ? Array(1...20) : []))
            }
        }

        @Test func `names that arrive compressed in other types leave whole`() throws {
            // RP, AFSDB, RT, PX, SRV, NAPTR, KX: RFC 3597, section 4.
            let samples = [
                Sample(17, [], names: 2), Sample(18, [0, 1], names: 1), Sample(21, [0, 1], names: 1),
                Sample(26, [0, 1], names: 2), Sample(33, [0, 1, 0, 2, 0x1F, 0x90], names: 1),
                Sample(35, [0, 1, 0, 2, 1, 0x75, 0, 0], names: 1), Sample(36, [0, 1], names: 1),
            ]
            try Records.forward(samples) { sample, _, record in
                // The server wrote the end of the name in the case of our question to it.
                #expect(record.data.map { 0x41...0x5A ~= $0 ? $0 | 0x20 : $0 } == sample.whole, "\(sample)")
            }
        }

        /// What signs `type` in `test.example`, with the signer's name in an unusual case.
        private static func signature(_ type: UInt16, owner: [UInt8] = [0xC0, 12]) -> [UInt8] {
            [UInt8](owner: owner, type: 46, data: signatureData(type))
        }

        /// The data of that.
        private static func signatureData(_ type: UInt16) -> [UInt8] {
            let numbers: [UInt8] = [13, 3, 0, 0, 0, 60, 0x70, 0, 0, 0, 0x60, 0, 0, 0, 0x12, 0x34]
            return [UInt8](wide: type) + numbers + [UInt8](name: "Test.EXAMPLE") + [UInt8](100...163)
        }

        /// The data of a NSEC record.
        private static let denial = [UInt8](name: "Next.test.example") + [0, 6, 0x40, 0, 0, 0, 0, 3]

        @Test func `DO and CD are passed on, and signatures and proofs come back as they were, for who asks with DO`()
            throws
        {
            let server = try ScriptedServer { query in
                let zone = [UInt8](name: "test.example")
                let numbers: [UInt8] = [0, 0, 0, 1, 0, 0, 0, 60, 0, 0, 0, 60, 0, 0, 0, 60, 0, 0, 0, 60]
                let soa = [UInt8](
                    owner: zone, type: 6,
                    data: [UInt8](name: "ns.test.example") + [UInt8](name: "h.test.example") + numbers)
                let denied = [UInt8](name: "denied.test.example")
                switch (query.name.lowercased().prefix { $0 != "." }, query.isDNSSECOK) {
                case ("denied", false): return [query.reply(code: 3, soa, answers: 0, authorities: 1)]
                case ("denied", true):
                    let proof =
                        soa + Records.signature(6, owner: zone) + [UInt8](owner: denied, type: 47, data: Records.denial)
                    return [
                        query.reply(code: 3, proof + Records.signature(47, owner: denied), answers: 0, authorities: 4)
                    ]
                case (_, false): return [query.response(address: HostileServer.good)]
                case (_, true):
                    return [query.reply([UInt8](data: HostileServer.good) + Records.signature(1), answers: 2)]
                }
            }
            defer { server.stop() }
            let daemon = try Daemon(Setup(upstream: server.port))
            var asked = 0
            for isCD in [false, true] {
                for isDO in [false, true] {
                    // Cached the second time.
                    for _ in 1...2 {
                        let opt = WireQuery.OPT(flags: isDO ? 0x8000 : 0)
                        let query = WireQuery("host.test.example", flags: isCD ? 0x0110 : 0x0100).with(opt)
                        let answer = try daemon.ask(query)
                        #expect(answer.isCheckingDisabled == isCD && answer.opt?.ttl == (isDO ? 0x8000 : 0))
                        #expect(answer.answers.map(\.type) == (isDO ? [1, 46] : [1]))
                        #expect(!isDO || answer.answers.last?.data == Records.signatureData(1))
                        var denied = query
                        denied.name = "denied.test.example"
                        let negative = try daemon.ask(denied)
                        let proof = negative.authorities
                        #expect(negative.code == 3 && proof.first?.type == 6)
                        #expect(Set(proof.map(\.type)) == (isDO ? [6, 46, 47] : [6]))
                        #expect(proof.first { $0.type == 47 }?.data == (isDO ? Records.denial : nil))
                        let signatures = Set(proof.filter { $0.type == 46 }.map(\.data))
                        #expect(signatures == (isDO ? [Records.signatureData(6), Records.signatureData(47)] : []))
                    }
                    asked += 2
                    #expect(server.queries.count == asked)
                    let last = server.queries.suffix(2)
                    #expect(last.allSatisfy { $0.isDNSSECOK == isDO && $0.isCheckingDisabled == isCD })
                }
            }
        }

        @Test func `a question of type ANY is no way past the policy, over UDP or TCP, before or after others`() throws
        {
            let server = try HostileServer.start()
            defer { server.stop() }
            var setup = Setup(upstream: server.port)
            setup.policies = ["web.yaml": Setup.policy("web", dns: ["good.test.example"])]
            let daemon = try Daemon(setup)
            for _ in 1...2 {
                for transport in Daemon.Transport.allCases {
                    let denied = try daemon.ask(WireQuery("bank.test.example", type: 255), over: transport)
                    #expect(denied.code == 5 && denied.answers.isEmpty && denied.extendedError == 15)
                    let allowed = try daemon.ask(WireQuery("good.test.example", type: 255), over: transport)
                    #expect(allowed.answers.map(\.type) == [13])
                    #expect(allowed.answers.first?.data == [7] + Array("RFC8482".utf8) + [0])
                    let unknown = try daemon.ask(
                        WireQuery("good.test.example", type: 255), over: transport, source: "127.0.0.77")
                    #expect(unknown.code == 5 && unknown.answers.isEmpty && unknown.extendedError == 18)
                }
                #expect(try daemon.ask(WireQuery("good.test.example")).addresses == [HostileServer.good])
            }
            #expect(server.queries.count == 1)
            #expect(try daemon.mappings().map(\.fqdn) == ["good.test.example."])
        }
    }
}
