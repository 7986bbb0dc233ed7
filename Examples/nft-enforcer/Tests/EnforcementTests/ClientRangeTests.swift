import DNSWire
import Enforcement
import MappingFeed
import Testing

struct ClientRangeTests {
    @Test(
        arguments: [
            ([:], []),
            ([1: ["10.0.0.1"]], ["10.0.0.1 1"]),
            ([1: ["10.0.0.0/24"]], ["10.0.0.0-10.0.0.255 1"]),
            (
                [1: ["10.0.0.0/24"], 2: ["10.0.0.17"]],
                ["10.0.0.0-10.0.0.16 1", "10.0.0.17 2", "10.0.0.18-10.0.0.255 1"]
            ),
            ([1: ["10.0.0.0/24"], 2: ["10.0.0.0"]], ["10.0.0.0 2", "10.0.0.1-10.0.0.255 1"]),
            ([1: ["10.0.0.0/24"], 2: ["10.0.0.255"]], ["10.0.0.0-10.0.0.254 1", "10.0.0.255 2"]),
            (
                [1: ["10.0.0.0/8"], 2: ["10.1.0.0/16"], 3: ["10.1.2.0/24"], 4: ["10.1.2.3"]],
                [
                    "10.0.0.0-10.0.255.255 1", "10.1.0.0-10.1.1.255 2", "10.1.2.0-10.1.2.2 3", "10.1.2.3 4",
                    "10.1.2.4-10.1.2.255 3", "10.1.3.0-10.1.255.255 2", "10.2.0.0-10.255.255.255 1",
                ]
            ),
            ([1: ["10.0.0.0/25", "10.0.0.128/25"]], ["10.0.0.0-10.0.0.255 1"]),
            ([1: ["10.0.0.0/24", "10.0.0.7"]], ["10.0.0.0-10.0.0.255 1"]),
            ([1: ["10.0.0.1"], 2: ["10.0.0.2"]], ["10.0.0.1 1", "10.0.0.2 2"]),
            ([2: ["10.0.0.1"], 1: ["10.0.0.1"]], ["10.0.0.1 1"]),
            (
                [1: ["0.0.0.0/0"], 2: ["255.255.255.255"], 3: ["0.0.0.0"]],
                ["0.0.0.0 3", "0.0.0.1-255.255.255.254 1", "255.255.255.255 2"]
            ),
            (
                [1: ["::/0", "0.0.0.0/0"], 2: ["fd00::/8"]],
                [
                    "0.0.0.0-255.255.255.255 1", "::-fcff:ffff:ffff:ffff:ffff:ffff:ffff:ffff 1",
                    "fd00::-fdff:ffff:ffff:ffff:ffff:ffff:ffff:ffff 2",
                    "fe00::-ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff 1",
                ]
            ),
            ([1: ["::/80"]], ["::-::ffff:ffff:ffff 1"]),
        ] as [([UInt64: [String]], [String])])
    func `prefixes become disjoint ranges in which the longest wins`(
        _ identities: [UInt64: [String]], _ expected: [String]
    ) throws {
        let ranges = ClientRange.split(try identities.map { try identity($0, $1) })
        #expect(ranges.map { "\($0.element) \($0.identity)" } == expected)
    }

    @Test(arguments: 0..<200 as Range<UInt64>)
    func `every address belongs to the longest prefix that holds it`(_ seed: UInt64) throws {
        var random = Sequence(state: seed)
        var identities: [FeedIdentity] = []
        for id in 0..<UInt64(1 + random.below(6)) {
            let prefixes = (0..<random.below(4)).compactMap { _ -> IPPrefix? in
                let length = 24 + random.below(9)
                return random.below(2) == 0
                    ? IPPrefix(IPAddress(ipv4: 0x0A00_0000 + UInt32(random.below(256))), length: length)
                    : IPPrefix(IPAddress(high: 0, low: UInt64(random.below(256))), length: 96 + length)
            }
            identities.append(FeedIdentity(id: id, name: "n", namespace: "n", addresses: prefixes))
        }
        var state = FeedState()
        _ = state.apply([.snapshotBegin(SnapshotMark(sequence: 1, count: 0))])
        _ = state.apply(identities.map { .identity($0) } + [.snapshotEnd(SnapshotMark(sequence: 1, count: 0))])
        var table = KernelTable(ruleset: Ruleset(table: "t", policy: .drop))
        _ = table.rewrite(state, found: KernelObjects(), now: 0)
        let ranges = ClientRange.split(identities)
        for (left, right) in zip(ranges, ranges.dropFirst()) where left.isIPv4 == right.isIPv4 {
            #expect(left.first <= left.last && left.last < right.first)
        }
        for offset in 0..<256 {
            for address in [IPAddress(ipv4: 0x0A00_0000 + UInt32(offset)), IPAddress(high: 0, low: UInt64(offset))] {
                let owner = identities.flatMap { identity in
                    identity.addresses.filter { $0.contains(address) && $0.isIPv4 == address.isIPv4 }
                        .map { (bits: $0.bits, id: identity.id) }
                }.min { ($0.bits, $1.id) > ($1.bits, $0.id) }
                #expect(ranges.filter { $0.contains(address) }.map(\.identity) == (owner.map { [$0.id] } ?? []))
                #expect(table.identity(of: address) == owner?.id)
            }
        }
    }

    /// An identity with prefixes.
    private func identity(_ id: UInt64, _ prefixes: [String]) throws -> FeedIdentity {
        FeedIdentity(
            id: id, name: "\(id)", namespace: "n", addresses: try prefixes.map { try #require(IPPrefix($0)) })
    }
}

/// Random numbers that are the same in every run (SplitMix64).
private struct Sequence {
    /// What the next number is made of.
    var state: UInt64

    /// A number from 0 to below `bound`.
    mutating func below(_ bound: Int) -> Int {
        state &+= 0x9E37_79B9_7F4A_7C15
        var value = state
        value = (value ^ value >> 30) &* 0xBF58_476D_1CE4_E5B9
        value = (value ^ value >> 27) &* 0x94D0_49BB_1331_11EB
        return Int((value ^ value >> 31) % UInt64(bound))
    }
}
