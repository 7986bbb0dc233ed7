import Synchronization
import Testing

extension EndToEnd {
    /// What does not fit into a datagram, to the byte.
    @Suite struct Truncation {
        /// A server that answers `s400.test.example` with one record of an unknown type, so that the answer without OPT
        /// record is 400 bytes long; it says nothing while `isSilent`.
        private final class SizedServer: Sendable {
            /// Whether it swallows queries.
            let isSilent = Atomic(false)

            /// Starts it; the record lives for `ttl` seconds.
            func start(ttl: UInt16 = 300) throws -> ScriptedServer {
                try ScriptedServer { query in
                    let size = Int(query.name.dropFirst().prefix { $0.isNumber }) ?? 0
                    let length = size - query.questionEnd - 12
                    guard length >= 0, !self.isSilent.load(ordering: .relaxed) else { return [] }
                    let data = (0..<length).map { UInt8(truncatingIfNeeded: $0) }
                    return [query.reply([UInt8](type: 65_280, ttl: ttl, data: data))]
                }
            }
        }

        /// What clients offer, and how long a datagram may be then.
        private static let limits: [(payload: UInt16?, limit: Int)] = [
            (nil, 512), (0, 512), (1, 512), (511, 512), (512, 512), (513, 513), (1_000, 1_000), (1_231, 1_231),
            (1_232, 1_232), (1_233, 1_232), (4_096, 1_232), (65_535, 1_232),
        ]

        /// A query for an answer of `size` bytes without OPT record.
        private static func query(_ size: Int, payload: UInt16?, options: [UInt8] = []) -> WireQuery {
            let query = WireQuery.plain("s\(size).test.example", type: 65_280)
            return payload.map { query.with(WireQuery.OPT(payload: $0, options: options)) } ?? query
        }

        @Test func `an answer of as many bytes as the client takes is whole, one byte more is TC and OPT alone`() throws
        {
            let server = try SizedServer().start()
            defer { server.stop() }
            let daemon = try Daemon(Setup(upstream: server.port))
            for (payload, limit) in Truncation.limits {
                let opt = payload == nil ? 0 : 11
                for excess in [-1, 0, 1] {
                    let query = Truncation.query(limit - opt + excess, payload: payload)
                    // From the upstream, and from the cache.
                    for _ in 1...2 {
                        let answer = try daemon.ask(query)
                        #expect(answer.question == query.question && answer.code == 0)
                        if excess <= 0 {
                            #expect(!answer.isTruncated && answer.answers.count == 1)
                            #expect(answer.bytes.count == limit + excess, "\(limit) \(excess)")
                        } else {
                            #expect(answer.isTruncated && answer.answers.isEmpty && answer.authorities.isEmpty)
                            #expect(answer.bytes.count == 12 + query.question.count + opt, "\(limit) \(excess)")
                        }
                    }
                    let whole = try daemon.ask(query, over: .tcp)
                    #expect(!whole.isTruncated && whole.bytes.count == limit + excess)
                }
            }
        }

        @Test func `a cookie counts when it is seen whether an answer fits, and is in the one that is cut`() throws {
            let server = try SizedServer().start()
            defer { server.stop() }
            let daemon = try Daemon(Setup(upstream: server.port))
            let cookie = WireQuery.OPT.option(10, Array(1...8))
            // 11 bytes of OPT record, 28 of cookie.
            for (size, isWhole) in [(472, true), (473, true), (474, false)] {
                let answer = try daemon.ask(Truncation.query(size, payload: 512, options: cookie))
                #expect(answer.isTruncated != isWhole && answer.answers.count == (isWhole ? 1 : 0), "\(size)")
                #expect(answer.options?.map(\.code) == [10] && answer.options?.first?.data.count == 24)
            }
        }

        @Test func `an extended error leaves before a record does`() throws {
            let script = SizedServer()
            let server = try script.start(ttl: 1)
            defer { server.stop() }
            let daemon = try Daemon(Setup(upstream: server.port))
            // With 11 bytes of OPT record and 6 of extended error: 512, 513, and 518, of which 512 are allowed.
            let sizes: [UInt16] = [495, 496, 501]
            /// A query whose ID is the size of its answer.
            func query(_ size: UInt16) -> WireQuery {
                var query = Truncation.query(Int(size), payload: 512)
                query.id = size
                return query
            }
            for size in sizes { _ = try daemon.ask(query(size)) }
            try eventually("they do not expire") {
                try daemon.command("cache", "list", "--answers").lines.count { $0.contains("stale") } == 3
            }
            script.isSilent.store(true, ordering: .relaxed)
            let client = try daemon.client()
            for size in sizes { client.send(query(size).bytes) }
            for _ in sizes {
                let answer = try #require(client.answer().flatMap { WireMessage($0.bytes) })
                #expect(!answer.isTruncated && answer.answers.map(\.ttl) == [30])
                #expect(answer.extendedError == (answer.id == 495 ? 3 : nil))
                #expect(answer.bytes.count == (answer.id == 496 ? 507 : 512))
            }
        }
    }
}
