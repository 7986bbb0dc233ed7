import Foundation
import Testing

extension EndToEnd {
    /// Answers from a real authoritative server, through policy, cache and learning.
    @Suite struct Forwarding {
        /// A hundred addresses: about 1,600 bytes, above what goes into a datagram.
        private static let hundred = (1...100).map { "192.0.2.\($0)" }

        /// What the upstream knows.
        private static let zone = """
            one IN A 192.0.2.1
            one IN AAAA 2001:db8::1
            brief 2 IN A 192.0.2.2
            alias IN CNAME one
            many \(hundred.map { "IN A \($0)" }.joined(separator: "\nmany "))
            text IN TXT "a \\"quoted\\" text" "and another"
            odd IN TYPE65280 \\# 4 DEADBEEF
            """

        /// An upstream with that zone, and a daemon in front of it that learns everything.
        private struct Pair {
            /// The upstream.
            let nsd: NSD
            /// The daemon.
            let daemon: Daemon

            /// Starts both; `servers` writes the upstream as the configuration has it.
            init(listen: [String] = ["127.0.0.1"], servers: (Int) -> String = { "127.0.0.1:\($0)" }) throws {
                nsd = try NSD(zone: Forwarding.zone)
                var setup = Setup(upstream: nsd.port)
                setup.listen = listen
                setup.upstreams = [#"{servers: ["\#(servers(nsd.port))"]}"#]
                setup.policies = ["web.yaml": Setup.policy("web")]
                daemon = try Daemon(setup)
            }
        }

        /// The ways to reach an upstream.
        private static let upstreams: [@Sendable (Int) -> String] = [
            { "127.0.0.1:\($0)" }, { "udp://127.0.0.1:\($0)" }, { "tcp://127.0.0.1:\($0)" },
        ]

        @Test(arguments: [0, 1, 2])
        func `an upstream over UDP or TCP is asked and its answers are whole`(_ index: Int) throws {
            let pair = try Pair(servers: Forwarding.upstreams[index])
            #expect(try pair.daemon.dig("one.test.example").addresses == ["192.0.2.1"])
            #expect(try pair.daemon.dig("one.test.example AAAA").addresses == ["2001:db8::1"])
            let alias = try pair.daemon.dig("alias.test.example")
            #expect(alias.data("CNAME") == ["one.test.example."])
            #expect(alias.addresses == ["192.0.2.1"])
            #expect(try pair.daemon.dig("many.test.example +tcp").addresses == Forwarding.hundred.sorted())
            #expect(try pair.daemon.dig("text.test.example TXT").data("TXT") == [#""a \"quoted\" text" "and another""#])
            #expect(try pair.daemon.dig("odd.test.example TYPE65280").records.first?.data == "\\# 4 DEADBEEF")
            #expect(try pair.daemon.dig("none.test.example").status == "NXDOMAIN")
            let noData = try pair.daemon.dig("text.test.example A")
            #expect(noData.status == "NOERROR" && noData.records.isEmpty)
        }

        @Test(.enabled(if: Ports.hasIPv6, "no IPv6 on this machine"))
        func `an upstream on IPv6 is asked over UDP and over TCP`() throws {
            for scheme in ["udp", "tcp"] {
                let pair = try Pair(servers: { "\(scheme)://[::1]:\($0)" })
                #expect(try pair.daemon.dig("one.test.example").addresses == ["192.0.2.1"], "\(scheme)")
                #expect(try pair.daemon.dig("many.test.example +tcp").addresses.count == 100, "\(scheme)")
            }
        }

        @Test(.enabled(if: Ports.hasIPv6, "no IPv6 on this machine"))
        func `clients on IPv4 and IPv6 are answered over UDP and TCP, dig and drill alike`() throws {
            let pair = try Pair(listen: ["127.0.0.1", "::1"])
            for server in ["127.0.0.1", "::1"] {
                for transport in ["+notcp", "+tcp"] {
                    let answer = try dig("one.test.example \(transport)", server: server, port: pair.daemon.port)
                    #expect(answer.addresses == ["192.0.2.1"], "\(server) \(transport): \(answer.text)")
                    #expect(answer.flags.isSuperset(of: ["qr", "rd", "ra"]))
                }
                for transport in ["-u", "-t"] {
                    let answer = try drill("\(transport) one.test.example", server: server, port: pair.daemon.port)
                    #expect(answer.status == "NOERROR", "\(server) \(transport): \(answer.text)")
                    #expect(answer.addresses == ["192.0.2.1"])
                }
            }
        }

        @Test func `a hundred addresses are truncated over UDP and whole over TCP`() throws {
            let pair = try Pair()
            // Once from the upstream, once from the cache.
            for _ in 0..<2 {
                let short = try pair.daemon.dig("many.test.example +ignore")
                #expect(short.flags.contains("tc"), "\(short.text)")
                let plain = try pair.daemon.dig("many.test.example +ignore +noedns")
                #expect(plain.flags.contains("tc"), "\(plain.text)")
                let retried = try pair.daemon.dig("many.test.example")
                #expect(retried.wasRetried, "\(retried.text)")
                #expect(retried.addresses == Forwarding.hundred.sorted())
                #expect(!retried.flags.contains("tc"))
                let whole = try drill("-t many.test.example", port: pair.daemon.port)
                #expect(whole.addresses == Forwarding.hundred.sorted())
            }
            let list = try pair.daemon.command("cache", "list", "-o", "json")
            for address in Forwarding.hundred { #expect(list.output.contains(address)) }
        }

        @Test func `the second answer comes from the cache with a smaller TTL`() throws {
            let nsd = try NSD(zone: Forwarding.zone)
            let relay = try Relay(to: nsd.port)
            defer { relay.stop() }
            var setup = Setup(upstream: relay.port)
            setup.policies = ["web.yaml": Setup.policy("web")]
            let daemon = try Daemon(setup)
            for name in ["one.test.example A", "none.test.example A", "text.test.example A"] {
                let before = relay.count
                let first = try daemon.dig(name)
                #expect(relay.count == before + 1, "\(name)")
                usleep(1_100_000)
                let second = try daemon.dig(name)
                #expect(relay.count == before + 1, "\(name) was asked again")
                #expect(second.status == first.status)
                #expect(second.records.map(\.data) == first.records.map(\.data))
                if let ttl = first.ttl { #expect(try #require(second.ttl) < ttl) }
            }
            // An answer of two seconds has to be asked for again.
            let before = relay.count
            #expect(try daemon.dig("brief.test.example").addresses == ["192.0.2.2"])
            usleep(2_200_000)
            #expect(try daemon.dig("brief.test.example").addresses == ["192.0.2.2"])
            #expect(relay.count == before + 2)
        }

        @Test func `each domain goes to the servers of its route`() throws {
            let cluster = try NSD(origin: "cluster.local", zone: "web IN A 10.96.0.1")
            let rest = try NSD(origin: "test.example", zone: "web IN A 192.0.2.1")
            var setup = Setup()
            setup.upstreams = [
                #"{domains: [cluster.local], servers: ["127.0.0.1:\#(cluster.port)"]}"#,
                #"{servers: ["127.0.0.1:\#(rest.port)"]}"#,
            ]
            let daemon = try Daemon(setup)
            #expect(try daemon.dig("web.cluster.local").addresses == ["10.96.0.1"])
            #expect(try daemon.dig("WEB.Cluster.LOCAL").addresses == ["10.96.0.1"])
            #expect(try daemon.dig("web.test.example").addresses == ["192.0.2.1"])
            // Not a name below that domain: nsd for test.example refuses it, and so no route but the rest had it.
            #expect(try daemon.dig("notcluster.local").addresses.isEmpty)
        }

        @Test func `a wildcard address answers from the address that was asked`() throws {
            let pair = try Pair(listen: Ports.hasIPv6 ? ["0.0.0.0", "::"] : ["0.0.0.0"])
            // dig and connected sockets take answers only from the address that they asked.
            for server in ["127.0.0.1", "127.0.0.5", "127.1.2.3"] + (Ports.hasIPv6 ? ["::1"] : []) {
                let source = server == "::1" ? nil : "127.0.0.1"
                for transport in ["+notcp", "+tcp"] {
                    let answer = try dig(
                        "one.test.example \(transport)", server: server, port: pair.daemon.port, source: source)
                    #expect(answer.addresses == ["192.0.2.1"], "\(server) \(transport): \(answer.text)")
                }
            }
        }
    }
}
