import DNSWire
import FQDNPolicy
import Testing

@Suite struct IdentityTests {
    /// The problems of an identities document.
    private func problems(_ identities: String) -> [String] {
        Policies.load("", identities: identities).problems.map(\.description)
    }

    @Test func `identities are dense, sorted, and unknown clients come first`() throws {
        let snapshot = try Policies.snapshot("")
        #expect(
            snapshot.identities.map(\.title)
                == ["reserved:unknown", "default/host", "production/api", "production/web-1", "staging/api"])
        #expect(snapshot.identities[0] == .unknown)
        #expect(snapshot.identities[0].labels == ["reserved": "unknown"])
        #expect(snapshot.identities[1].labels == ["name": "host"])
    }

    @Test func `replicas with the same labels are one identity with all their addresses`() throws {
        let snapshot = try Policies.snapshot("")
        let web = snapshot.identities[3]
        #expect(web.names == ["web-1", "web-2"])
        #expect(web.prefixes.map(\.description) == ["10.0.0.2", "10.0.0.3"])
        for address in ["10.0.0.2", "10.0.0.3"] {
            let index = snapshot.identityIndex(of: try #require(IPAddress(address)))
            #expect(index == 3)
        }
        #expect(snapshot.identityIndex(of: web.id) == 3)
        #expect(snapshot.identityIndex(of: IdentityID(rawValue: 12345)) == nil)
    }

    @Test func `the number of an identity depends on namespace and labels alone and never changes`() {
        let id = IdentityID(namespace: "production", labels: ["app": "api", "tier": "backend"])
        // Written into journals: another value would orphan every restored mapping.
        #expect(id.rawValue == 50_683_531_901_374)
        #expect(id == IdentityID(namespace: "production", labels: ["tier": "backend", "app": "api"]))
        let others = [
            IdentityID(namespace: "staging", labels: ["app": "api", "tier": "backend"]),
            IdentityID(namespace: "production", labels: ["app": "api"]),
            IdentityID(namespace: "production", labels: ["app": "api", "tier": "backen", "d": ""]),
            IdentityID(namespace: "productiona", labels: ["pp": "api", "tier": "backend"]), .unknown,
        ]
        #expect(Set(others + [id]).count == 6)
        #expect((others + [id]).allSatisfy { $0.rawValue < 1 << 48 })
    }

    @Test(
        arguments: [
            ("10.0.0.1", "ten/32"), ("10.0.0.2", "ten/24"), ("10.0.9.1", "ten/8"), ("11.0.0.1", "all"),
            ("::ffff:10.0.0.1", "ten/32"), ("fd00::1", "six/128"), ("fd00::2", "six/64"), ("2001:db8::1", "none"),
        ])
    func `the longest prefix that contains an address decides`(_ address: String, _ expected: String) throws {
        let snapshot = try Policies.snapshot(
            "",
            identities: """
                identities:
                - {name: a, labels: {id: ten/8}, prefixes: [10.0.0.0/8]}
                - {name: b, labels: {id: ten/24}, addresses: [10.0.0.0/24]}
                - {name: c, labels: {id: ten/32}, addresses: [10.0.0.1/32]}
                - {name: d, labels: {id: all}, addresses: [0.0.0.0/0]}
                - {name: e, labels: {id: six/64}, addresses: ["fd00::/64"]}
                - {name: f, labels: {id: six/128}, addresses: ["fd00::1"]}
                """)
        let index = snapshot.identityIndex(of: try #require(IPAddress(address)))
        #expect(snapshot.identities[index].labels["id"] ?? "none" == expected)
    }

    @Test func `a prefix of all IPv6 addresses contains no IPv4 address`() throws {
        let snapshot = try Policies.snapshot("", identities: "identities: [{name: a, addresses: ['::/0']}]")
        for (address, expected) in [("2001:db8::1", 1), ("192.0.2.1", 0)] {
            let index = snapshot.identityIndex(of: try #require(IPAddress(address)))
            #expect(index == expected, "\(address)")
        }
    }

    @Test func `many addresses are told apart as a search through all of them does`() throws {
        var generator = SplitMix(state: 7)
        var lines = ["identities:"]
        var prefixes: [(IPPrefix, String)] = []
        for number in 0..<300 {
            let length = Int.random(in: 8...32, using: &generator)
            let address = IPAddress(ipv4: 0x0A00_0000 | UInt32.random(in: 0...0xFFFF, using: &generator))
            guard let prefix = IPPrefix(address, length: length), !prefixes.contains(where: { $0.0 == prefix }) else {
                continue
            }
            prefixes.append((prefix, "n\(number)"))
            lines.append("- {name: n\(number), addresses: [\(prefix)]}")
        }
        let snapshot = try Policies.snapshot("", identities: lines.joined(separator: "\n"))
        for _ in 0..<5000 {
            let address = IPAddress(ipv4: 0x0A00_0000 | UInt32.random(in: 0...0xFFFF, using: &generator))
            let expected = prefixes.filter { $0.0.contains(address) }.max { $0.0.bits < $1.0.bits }?.1
            #expect(snapshot.identities[snapshot.identityIndex(of: address)].name == expected ?? "reserved:unknown")
        }
    }

    @Test func `all mistakes of an identities document are reported at once`() {
        let found = problems(
            """
            identities:
            - {name: a, addresses: [10.0.0.1, 10.0.0.0/33, 10.0.0.1/8, x], adresses: []}
            - {namespace: n}
            - {name: b, labels: {reserved: unknown, 'k8s:x': 1, x: 2, io.kubernetes.pod.namespace: n}}
            - {name: "c d", addresses: 10.0.0.9}
            - c
            """)
        let address = "expected an IP address or a prefix such as 10.0.0.0/24 whose host bits are zero, found"
        #expect(
            found == [
                #"identities.yaml:2:35: error: identities[0].addresses[1]: \#(address) "10.0.0.0/33""#,
                #"identities.yaml:2:48: error: identities[0].addresses[2]: \#(address) "10.0.0.1/8""#,
                #"identities.yaml:2:60: error: identities[0].addresses[3]: \#(address) "x""#,
                #"identities.yaml:2:64: error: identities[0]: unknown key "adresses""#,
                #"identities.yaml:3:3: error: identities[1]: "name" is missing"#,
                "identities.yaml:4:32: error: identities[2].labels.reserved: "
                    + "reserved labels belong to the daemon's own identities",
                #"identities.yaml:4:56: error: identities[2].labels.x: the label "x" is there twice"#,
                "identities.yaml:4:88: error: identities[2].labels.io.kubernetes.pod.namespace: "
                    + "the namespace is not a label here: use the key namespace",
                "identities.yaml:5:28: error: identities[3].addresses: expected a list, found text",
                "identities.yaml:5:10: error: identities[3].name: expected a name without blanks and slashes, "
                    + #"found "c d""#,
                "identities.yaml:6:3: error: identities[4]: expected a mapping of keys and values, found text",
            ])
    }

    @Test func `an address of two identities is an error that names both places`() {
        #expect(
            problems("identities:\n- {name: a, addresses: [10.0.0.1]}\n- {name: b, addresses: [10.0.0.1/32]}\n")
                == [
                    "identities.yaml:3:25: error: identities[1].addresses[0]: "
                        + #"10.0.0.1 already belongs to the identity "default/a" at identities.yaml:2:25"#
                ])
        #expect(problems("identities:\n- {name: a, addresses: [10.0.0.1, 10.0.0.1]}\n") == [])
        #expect(
            problems("identities:\n- {name: a, addresses: [10.0.0.0/24]}\n- {name: b, addresses: [10.0.0.1]}\n") == [])
    }

    @Test func `one name with different labels is an error, with the same labels it is not`() {
        #expect(
            problems("identities:\n- {name: a, labels: {x: 1}}\n- {name: a, labels: {x: 2}}\n")
                == [
                    #"identities.yaml:3:3: error: identities[1]: the identity "default/a" is at "#
                        + "identities.yaml:2:3 with other labels"
                ])
        #expect(problems("identities:\n- {name: a, labels: {x: 1}}\n- {name: a, labels: {x: 1}}\n") == [])
    }
}

/// A small generator of numbers that are the same in every run.
struct SplitMix: RandomNumberGenerator {
    /// Where it stands.
    var state: UInt64

    mutating func next() -> UInt64 {
        state &+= 0x9E37_79B9_7F4A_7C15
        var z = state
        z = (z ^ z >> 30) &* 0xBF58_476D_1CE4_E5B9
        z = (z ^ z >> 27) &* 0x94D0_49BB_1331_11EB
        return z ^ z >> 31
    }
}
