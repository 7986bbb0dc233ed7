import DNSWire
import Enforcement
import MappingFeed
import Testing

struct KernelTableTests {
    @Test(
        arguments: [
            ([], "192.0.2.1", []),
            ([[]], "192.0.2.1", ["identity_7_v4_hosts 192.0.2.1"]),
            ([[MappingPort(port: 443, transport: .tcp)]], "192.0.2.1", ["identity_7_v4_ports 192.0.2.1 . tcp . 443"]),
            ([[MappingPort(port: 0, transport: .udp)]], "192.0.2.1", ["identity_7_v4_protocols 192.0.2.1 . udp"]),
            (
                [[MappingPort(port: 80, endPort: 90, transport: .tcp)]], "2001:db8::1",
                ["identity_7_v6_ranges 2001:db8::1 . tcp . 80-90"]
            ),
            (
                [[MappingPort(port: 53)]], "2001:db8::1",
                [
                    "identity_7_v6_ports 2001:db8::1 . sctp . 53", "identity_7_v6_ports 2001:db8::1 . tcp . 53",
                    "identity_7_v6_ports 2001:db8::1 . udp . 53",
                ]
            ),
            (
                [[MappingPort(port: 443, transport: .tcp)], [MappingPort(port: 0, transport: .tcp)]], "192.0.2.1",
                ["identity_7_v4_protocols 192.0.2.1 . tcp"]
            ),
        ] as [([[MappingPort]], String, [String])])
    func `an opening is in the sets that its ports need`(
        _ rules: [[MappingPort]], _ address: String, _ expected: [String]
    ) throws {
        let ports = PortSet(rules.map { MappingRule(policy: "p", ports: $0) })
        let opening = FeedOpening(identity: 7, address: try #require(IPAddress(address)), ports: ports, expires: 0)
        #expect(opening.elements.map { "\($0.set.name) \($0.text)" } == expected)
    }

    @Test func `the first opening makes the set and its rule, the second only an element`() throws {
        var follower = Follower()
        _ = try follower.commands([identity()])
        let first = try follower.commands([try upsert(1, "192.0.2.1", 100)])
        #expect(
            first == """
                add set inet t identity_7_v4_ports \
                { type ipv4_addr . inet_proto . inet_service; flags timeout; comment "production/api"; }
                insert rule inet t identity_7 ip daddr . meta l4proto . th dport @identity_7_v4_ports counter accept
                add element inet t identity_7_v4_ports { 192.0.2.1 . tcp . 443 timeout 100s comment "a." }

                """)
        let second = try follower.commands([try upsert(2, "192.0.2.2", 50.25)])
        #expect(
            second == "add element inet t identity_7_v4_ports { 192.0.2.2 . tcp . 443 timeout 51s comment \"a.\" }\n")
    }

    @Test func `a renewal replaces the element whether the kernel still has it or not`() throws {
        var follower = Follower()
        _ = try follower.commands([identity(), try upsert(1, "192.0.2.1", 100)])
        #expect(
            try follower.commands([try upsert(2, "192.0.2.1", 200)]) == """
                add element inet t identity_7_v4_ports { 192.0.2.1 . tcp . 443 }
                delete element inet t identity_7_v4_ports { 192.0.2.1 . tcp . 443 }
                add element inet t identity_7_v4_ports { 192.0.2.1 . tcp . 443 timeout 200s comment "a." }

                """)
    }

    @Test func `a closing removes the element whether the kernel still has it or not`() throws {
        var follower = Follower()
        _ = try follower.commands([identity(), try upsert(1, "192.0.2.1", 100)])
        let address = try #require(IPAddress("192.0.2.1"))
        let delete = MappingDelete(
            sequence: 2, identity: 7, name: try DomainName("a."), addresses: [address], reason: .expired)
        #expect(
            try follower.commands([.delete(delete)]) == """
                add element inet t identity_7_v4_ports { 192.0.2.1 . tcp . 443 }
                delete element inet t identity_7_v4_ports { 192.0.2.1 . tcp . 443 }

                """)
    }

    @Test func `an identity that goes takes its clients, its chain and its sets along`() throws {
        var follower = Follower()
        _ = try follower.commands([identity(), try upsert(1, "192.0.2.1", 100)])
        let commands = try follower.commands([identity(isRemoved: true)])
        #expect(commands.hasPrefix("delete element inet t clients_v4 { 10.0.0.1 }\n"))
        #expect(
            commands.hasSuffix(
                """
                flush chain inet t identity_7
                delete chain inet t identity_7
                delete set inet t identity_7_v4_ports

                """))
    }

    @Test func `clients that stay are not touched when others move`() throws {
        var follower = Follower()
        let commands = try follower.commands([identity(["10.0.0.0/30", "10.1.0.1"])])
        #expect(commands.contains("10.0.0.0-10.0.0.3 comment \"production/api\" : jump identity_7"))
        let moved = try follower.commands([identity(["10.0.0.0/30", "10.1.0.2"])])
        #expect(
            moved == """
                delete element inet t clients_v4 { 10.1.0.1 }
                add element inet t clients_v4 { 10.1.0.2 comment "production/api" : jump identity_7 }

                """)
    }

    @Test func `a snapshot makes everything anew but the base chain`() throws {
        var follower = Follower()
        _ = try follower.commands([identity(), try upsert(1, "192.0.2.1", 100)])
        var found = KernelObjects()
        found.chains = ["forward", "identity_7", "identity_9"]
        found.sets = ["identity_7_v4_ports", "stranger"]
        found.maps = ["clients_v4", "foreign"]
        let commands = follower.table.rewrite(follower.state, found: found, now: 0)
        #expect(!commands.contains("delete chain inet t forward"))
        #expect(!commands.contains("delete chain inet t identity_7\n"))
        #expect(!commands.contains("delete map inet t clients_v4\n"))
        for command in [
            "flush chain inet t identity_7\n", "delete chain inet t identity_9\n", "delete set inet t stranger\n",
            "delete set inet t identity_7_v4_ports\n", "flush map inet t clients_v4\n",
            "delete map inet t foreign\n",
            "add element inet t identity_7_v4_ports { 192.0.2.1 . tcp . 443 timeout 100s comment \"a.\" }\n",
        ] {
            #expect(commands.contains(command))
        }
    }

    @Test(
        arguments: [
            (10.0, 0.0, "10s"), (10.001, 0, "11s"), (0.2, 0, "1s"), (-5, 0, "1s"), (1e300, 0, "31536000s"),
            (.infinity, 0, "31536000s"), (.nan, 0, "1s"), (-.infinity, 0, "1s"),
        ])
    func `a timeout is whole seconds, at least one and at most a year`(
        _ expires: Double, _ now: Double, _ expected: String
    ) throws {
        var follower = Follower(now: now)
        _ = try follower.commands([identity()])
        #expect(try follower.commands([try upsert(1, "192.0.2.1", expires)]).contains(" timeout \(expected) "))
    }

    @Test func `a comment cannot end itself`() {
        #expect(Ruleset.comment("a\"; drop\\\n*.b_c/d-é") == "a?? drop??*.b_c/d-?")
        #expect(Ruleset.comment(String(repeating: "a", count: 1_000)).count == 100)
    }

    /// A table that follows a state.
    private struct Follower {
        /// The state.
        var state = FeedState()
        /// The table.
        var table = KernelTable(ruleset: Ruleset(table: "t", policy: .drop))
        /// The time.
        var now = 0.0

        /// The commands for a batch of events.
        mutating func commands(_ events: [FeedEvent]) throws -> String {
            let changes = state.apply(events)
            let all = changes.identities.map(TableChange.identity) + changes.openings.map(TableChange.opening)
            return table.commands(for: all, in: state, now: now)
        }
    }

    /// The identity 7.
    private func identity(_ addresses: [String] = ["10.0.0.1"], isRemoved: Bool = false) -> FeedEvent {
        .identity(
            FeedIdentity(
                sequence: 1, id: 7, name: "api", namespace: "production",
                addresses: addresses.compactMap { IPPrefix($0) }, isRemoved: isRemoved))
    }

    /// An address of the name `a.` for identity 7, for one port.
    private func upsert(_ sequence: UInt64, _ address: String, _ expires: Double) throws -> FeedEvent {
        .upsert(
            MappingUpsert(
                sequence: sequence, identity: 7, client: IPAddress(ipv4: 1), name: try DomainName("a."),
                addresses: [MappedAddress(ip: try #require(IPAddress(address)), ttl: 1, expires: expires)],
                rules: [MappingRule(policy: "p", ports: [MappingPort(port: 443, transport: .tcp)])]))
    }
}
