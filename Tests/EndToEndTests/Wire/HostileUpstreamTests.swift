import Foundation
import Testing

extension EndToEnd {
    /// An authoritative server that does what is wrong in every way that is known: what reaches the client, the cache
    /// and the mapping table.
    @Suite struct HostileUpstream {
        /// What becomes of an answer.
        struct Outcome: Equatable, Sendable {
            /// The response code that the client gets.
            var code = 0
            /// The extended error that it gets.
            var error: Int?
            /// Whether it gets the good address, and the mapping table has it for the name that was asked.
            var isGood = false
            /// Whether the cache keeps it; a failure that is remembered for a moment is not meant.
            var isKept = false

            /// The right answer is given, kept and learned.
            static let good = Outcome(isGood: true, isKept: true)
            /// Nothing can be believed: SERVFAIL.
            static let refused = Outcome(code: 2, error: 23)
            /// Nothing came that answers the question: SERVFAIL.
            static let unanswered = Outcome(code: 2, error: 22)
            /// An answer without a record of what was asked for, which nobody may keep.
            static let empty = Outcome()
            /// NXDOMAIN with a SOA record.
            static let nameError = Outcome(code: 3, isKept: true)
        }

        /// A trick of the hostile server.
        struct Case: Sendable, CustomTestStringConvertible {
            /// Its label.
            let label: String
            /// What becomes of it over UDP.
            let overUDP: Outcome
            /// And over TCP.
            let overTCP: Outcome
            /// A counter of `status` that has to grow over UDP.
            let counter: String?

            /// A trick with one outcome, or two.
            init(_ label: String, _ overUDP: Outcome, overTCP: Outcome? = nil, counter: String? = nil) {
                self.label = label
                self.overUDP = overUDP
                self.overTCP = overTCP ?? overUDP
                self.counter = counter
            }

            var testDescription: String { label }
        }

        /// Every trick; the server has no other.
        private static let cases = [
            // What a forger sends: over UDP the right answer is awaited, over TCP nobody else can have sent it.
            Case("wrongid", .good, counter: "upstream_mismatches"),
            Case("otherquestion", .good, overTCP: .unanswered, counter: "upstream_mismatches"),
            Case("othertype", .good, overTCP: .unanswered, counter: "upstream_mismatches"),
            Case("noquestion", .good, overTCP: .unanswered, counter: "upstream_mismatches"),
            Case("twoquestions", .good, overTCP: .unanswered, counter: "upstream_mismatches"),
            Case("query", .good, overTCP: .unanswered, counter: "upstream_mismatches"),
            Case("opcode", .good, overTCP: .unanswered, counter: "upstream_mismatches"),
            Case("oversized", .good, counter: "upstream_mismatches"),
            Case("case", .good, counter: "upstream_case_changes"),
            Case("wrongport", .good), Case("twice", .good, counter: "upstream_mismatches"), Case("slow", .good),
            Case("late", .unanswered, counter: "upstream_timeouts"),
            Case("truncate", .good), Case("tcovertcp", .unanswered, counter: "upstream_errors"),
            // Records that belong to nothing.
            Case("offchain", .good, counter: "upstream_records_dropped"),
            Case("elsewhere", .empty, counter: "upstream_records_dropped"), Case("sidestep", .empty),
            Case("foreignclass", .good), Case("chain16", .good),
            Case("loop", .refused, counter: "upstream_errors"), Case("chain20", .refused, counter: "upstream_errors"),
            Case("loopback", Outcome(isKept: true), counter: "addresses_denied"),
            // Bytes that lie.
            Case("lyingcount", .refused, counter: "upstream_errors"), Case("fewcount", .empty),
            Case("hugecount", .refused), Case("manyrecords", .refused), Case("shortrdata", .refused),
            Case("longrdata", .refused), Case("emptyrdata", .refused), Case("namerdata", .refused),
            Case("pastend", .refused), Case("pointerloop", .refused), Case("forward", .refused),
            Case("headerpointer", .refused), Case("labeltype", .refused), Case("garbage", .refused),
            // EDNS.
            Case("edns", .good, counter: "upstream_errors"), Case("options", .good), Case("twoopts", .refused),
            Case("answeropt", .good), Case("upperbits", .refused),
            // Codes.
            Case("refused", .refused, counter: "upstream_errors"), Case("servfail", .refused),
            Case("reservedcode", .refused), Case("nxdomain", .nameError), Case("foreignsoa", Outcome(code: 3)),
        ]

        /// A daemon in front of `server` that learns everything.
        private static func daemon(_ server: ScriptedServer, over transport: Daemon.Transport) throws -> Daemon {
            var setup = Setup(upstream: server.port)
            if transport == .tcp { setup.upstreams = [#"{servers: ["tcp://127.0.0.1:\#(server.port)"]}"#] }
            setup.policies = ["web.yaml": Setup.policy("web")]
            setup.workers = 1
            return try Daemon(setup)
        }

        @Test func `every trick of the hostile server is in the table`() {
            // `big64k` has a test of its own.
            #expect(Set(HostileUpstream.cases.map(\.label) + ["big64k"]) == Set(HostileServer.tricks.keys))
        }

        @Test(arguments: HostileUpstream.cases, Daemon.Transport.allCases)
        func `what reaches the client, the cache and the mapping table`(
            _ trick: Case, _ transport: Daemon.Transport
        ) throws {
            let server = try HostileServer.start()
            defer { server.stop() }
            let daemon = try HostileUpstream.daemon(server, over: transport)
            let expected = transport == .udp ? trick.overUDP : trick.overTCP
            let name = "\(trick.label).test.example"
            let answer = try daemon.ask(WireQuery(name))
            if trick.label == "late" || trick.label == "twice" { usleep(1_200_000) }

            // 1. The client: never a byte of what is forged, no option but our own, and nothing off the chain.
            #expect(answer.code == expected.code && answer.extendedError == expected.error, "\(answer)")
            #expect(!HostileUpstream.contains(answer.bytes, HostileServer.bad), "\(answer)")
            #expect(answer.options?.contains { $0.code != 15 } == false, "\(answer)")
            #expect(answer.answers.allSatisfy { $0.owner == "\(name)." || $0.owner.hasPrefix("step") })
            #expect(answer.authorities.allSatisfy { $0.type == 6 && $0.owner == "test.example." })
            if trick.label != "loopback" { #expect(answer.addresses == (expected.isGood ? [HostileServer.good] : [])) }

            // 2. The cache: this name's answer, and nothing about any other.
            let cached = try daemon.cachedAnswers()
            #expect(cached.allSatisfy { $0.name == "\(name)." && !$0.data.contains("203.0.113.66") }, "\(cached)")
            #expect(cached.contains { $0.rcode != "SERVFAIL" } == expected.isKept, "\(cached)")

            // 3. The mapping table.
            let mappings = try daemon.mappings()
            let good = Daemon.ListedMapping(fqdn: "\(name).", ips: ["192.0.2.1"])
            #expect(mappings == (expected.isGood ? [good] : []))

            if transport == .udp, let counter = trick.counter {
                try eventually("\(counter) is not counted") { try daemon.counter(counter) > 0 }
            }
            // The server is believed as before where it deserves it.
            #expect(try daemon.ask(WireQuery("honest.test.example")).addresses == [HostileServer.good])
        }

        @Test(arguments: Daemon.Transport.allCases)
        func `an answer of 64 kB is whole over TCP, and truncated over UDP`(_ transport: Daemon.Transport) throws {
            let server = try HostileServer.start()
            defer { server.stop() }
            let daemon = try HostileUpstream.daemon(server, over: transport)
            for _ in 1...2 {
                let cut = try daemon.ask(WireQuery("big64k.test.example", type: 16))
                #expect(cut.isTruncated && cut.answers.isEmpty && cut.code == 0)
                let whole = try daemon.ask(WireQuery("big64k.test.example", type: 16), over: .tcp)
                #expect(!whole.isTruncated && whole.answers.count == 240 && whole.bytes.count > 64_000)
                #expect(Set(whole.answers.map { $0.data[1] }).count == 240)
            }
            #expect(try daemon.mappings().isEmpty)
            #expect(try daemon.cachedAnswers().map(\.name) == ["big64k.test.example."])
        }

        /// Whether `part` is somewhere in `bytes`.
        private static func contains(_ bytes: [UInt8], _ part: [UInt8]) -> Bool {
            bytes.indices.contains { bytes[$0...].starts(with: part) }
        }
    }
}
