import Foundation
import Testing

extension EndToEnd {
    /// What the commands say about cached answers.
    @Suite struct CacheCommands {
        /// An answer as `cache list --answers -o json` has it.
        private struct Answer: Decodable {
            /// The name.
            let name: String
            /// The type.
            let type: String
            /// The response code.
            let rcode: String
            /// Seconds left.
            let ttl: Int
            /// Times served from the cache.
            let hits: Int
            /// Bytes.
            let size: Int
            /// `fresh` or `stale`.
            let state: String
            /// The records' data.
            let data: [String]
        }

        /// The answers of `daemon` by name and type, the names of `test.example` without that.
        private static func answers(_ daemon: Daemon) throws -> [String: Answer] {
            let list = try daemon.command("cache", "list", "--answers", "-o", "json")
            #expect(list.status == 0, "\(list.errors)")
            let answers = try JSONDecoder().decode([Answer].self, from: Data(list.output.utf8))
            return Dictionary(
                uniqueKeysWithValues: answers.map { answer in
                    (answer.name.replacing(".test.example.", with: "") + " " + answer.type, answer)
                })
        }

        @Test func `cache list --answers has name, type, rcode, TTL left, hits, size and whether it is stale`() throws {
            let server = try ScriptedServer { query in
                switch query.name.lowercased().prefix(3) {
                case "bad": return [query.response(code: 2)]
                case "non": return [query.response(code: 3, authorities: [.soa("test.example", ttl: 60, minimum: 60)])]
                default:
                    return [query.response(address: [192, 0, 2, 1], ttl: query.name.lowercased() > "s" ? 1 : 60)]
                }
            }
            defer { server.stop() }
            let daemon = try Daemon(Setup(upstream: server.port))
            for name in ["host", "none", "short"] { _ = try daemon.dig("\(name).test.example") }
            for _ in 1...3 { _ = try daemon.dig("host.test.example") }
            usleep(1_050_000)
            _ = try daemon.dig("bad.test.example")
            let answers = try CacheCommands.answers(daemon)
            #expect(answers.count == 4)
            let host = try #require(answers["host A"])
            #expect(host.rcode == "NOERROR" && host.hits == 3 && host.state == "fresh" && host.data == ["192.0.2.1"])
            #expect((57...59).contains(host.ttl) && (60...200).contains(host.size), "\(host)")
            // It covers every type.
            #expect(answers["none ANY"]?.rcode == "NXDOMAIN" && answers["none ANY"]?.hits == 0, "\(answers)")
            let bad = try #require(answers["bad A"])
            #expect(bad.rcode == "SERVFAIL" && (1...2).contains(bad.ttl))
            let short = try #require(answers["short A"])
            #expect(short.state == "stale" && short.ttl == 0)

            let table = try daemon.command("cache", "list", "--answers")
            let line = try #require(table.lines.first { $0.hasPrefix("short.test.example.") })
            #expect(line.split(separator: " ").dropFirst().prefix(4) == ["A", "NOERROR", "0", "0"], "\(line)")
            #expect(line.contains("stale") && line.hasSuffix("192.0.2.1"), "\(line)")
        }

        @Test func `cache clean -p forgets the answers of the names that the pattern selects, and no mapping`() throws {
            let nsd = try NSD(zone: "a.one IN A 192.0.2.1\nb.one IN A 192.0.2.2\na.two IN A 192.0.2.3")
            var setup = Setup(upstream: nsd.port)
            setup.policies = ["web.yaml": Setup.policy("web")]
            let daemon = try Daemon(setup)
            let names = ["a.one", "b.one", "a.two"]
            for name in names { _ = try daemon.dig("\(name).test.example") }
            let clean = try daemon.command("cache", "clean", "-f", "-p", "*.one.test.example")
            #expect(clean.status == 0, "\(clean.errors)")
            #expect(try CacheCommands.answers(daemon).keys.sorted() == ["a.two A"])
            #expect(try daemon.command("cache", "clean", "-f").status == 0)
            #expect(try CacheCommands.answers(daemon).isEmpty)
            let mappings = try daemon.command("cache", "list").output
            for name in names { #expect(mappings.contains("\(name).test.example."), "\(mappings)") }
        }

        @Test func `status tells how many questions the cache has answered`() throws {
            let nsd = try NSD(zone: "host IN A 192.0.2.1")
            let daemon = try Daemon(Setup(upstream: nsd.port))
            for _ in 1...4 { #expect(try daemon.dig("host.test.example").addresses == ["192.0.2.1"]) }
            let status = try daemon.command("status").output
            let line = try #require(status.split(separator: "\n").first { $0.hasPrefix("Answers:") }, "\(status)")
            #expect(line.contains("hit ratio 75.0 % of 4 lookups") && line.contains("of 67108864 bytes"), "\(line)")
        }
    }
}
