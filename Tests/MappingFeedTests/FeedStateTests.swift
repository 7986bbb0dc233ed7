import DNSWire
import Testing

@testable import MappingFeed

struct FeedStateTests {
    @Test func `an upsert opens, a later expiry extends, and a delete closes`() throws {
        var state = FeedState.knowingSeven
        let first = state.apply([upsert(1, "a.", "192.0.2.1", 100)])
        #expect(first.openings.map(\.kind) == [.added])
        #expect(first.sequence == 1)
        #expect(first.openings.first?.new == opening("192.0.2.1", 100))
        let second = state.apply([upsert(2, "a.", "192.0.2.1", 200)])
        #expect(second.openings.map(\.kind) == [.extended])
        #expect(second.openings.first?.new?.expires == 200)
        let third = state.apply([delete(3, "a.", "192.0.2.1")])
        #expect(third.openings.map(\.kind) == [.removed])
        #expect(Array(state.openings).isEmpty)
    }

    @Test func `an address of two names stays open until the last lets go`() throws {
        var state = FeedState.knowingSeven
        _ = state.apply([upsert(1, "a.", "192.0.2.1", 100, port: 80), upsert(2, "b.", "192.0.2.1", 300, port: 443)])
        #expect(state.opening(7, try #require(IPAddress("192.0.2.1")))?.ports.ranges.map(\.first) == [80, 443])
        let shorter = state.apply([delete(3, "b.", "192.0.2.1")])
        #expect(shorter.openings.map(\.kind) == [.changed])
        #expect(shorter.openings.first?.new == opening("192.0.2.1", 100, port: 80))
        #expect(state.apply([delete(4, "a.", "192.0.2.1")]).openings.map(\.kind) == [.removed])
    }

    @Test func `a snapshot changes nothing before its end, and tells only the differences`() throws {
        var state = FeedState.knowingSeven
        _ = state.apply([upsert(1, "a.", "192.0.2.1", 100), upsert(2, "b.", "192.0.2.2", 100)])
        let mark = SnapshotMark(sequence: 9, count: 2)
        let begun = state.apply([.snapshotBegin(mark), .seven, upsert(9, "a.", "192.0.2.1", 100)])
        #expect(begun.isEmpty)
        #expect(begun.sequence == nil)
        #expect(Array(state.openings).count == 2)
        let ended = state.apply([upsert(9, "c.", "192.0.2.3", 100), .snapshotEnd(mark)])
        #expect(ended.isSnapshot)
        #expect(ended.sequence == 9)
        #expect(Set(ended.openings.map(\.kind)) == [.added, .removed])
        #expect(ended.openings.count == 2)
        #expect(ended.openings.allSatisfy { $0.sequence == 9 })
    }

    @Test func `a snapshot that a new connection interrupts is forgotten`() {
        var state = FeedState.knowingSeven
        _ = state.apply([upsert(1, "a.", "192.0.2.1", 100)])
        _ = state.apply([.snapshotBegin(SnapshotMark(sequence: 5, count: 0)), upsert(5, "b.", "192.0.2.2", 100)])
        let changes = state.apply([.hello(FeedHello(instance: "i", sequence: 5)), upsert(6, "c.", "192.0.2.3", 100)])
        #expect(changes.openings.map(\.kind) == [.added])
        #expect(Array(state.openings).count == 2)
    }

    @Test func `an identity that goes takes along what was open for it`() {
        var state = FeedState()
        let announced = FeedEvent.identity(FeedIdentity(sequence: 1, id: 7, name: "api", namespace: "production"))
        #expect(state.apply([announced]).identities.map(\.new?.name) == ["api"])
        _ = state.apply([upsert(2, "a.", "192.0.2.1", 100)])
        let gone = FeedIdentity(sequence: 3, id: 7, name: "api", namespace: "production", isRemoved: true)
        let changes = state.apply([.identity(gone)])
        #expect(changes.identities.map(\.new) == [nil])
        #expect(changes.openings.map(\.kind) == [.removed])
        #expect(state.apply([.identity(gone)]).isEmpty)
    }

    @Test func `nothing is open for an identity that was not announced`() {
        var state = FeedState()
        let changes = state.apply([upsert(1, "a.", "192.0.2.1", 100)])
        #expect(changes.openings.isEmpty && changes.refused.isEmpty)
        #expect(changes.sequence == 1)
        #expect(state.apply([.seven]).openings.isEmpty)
    }

    @Test func `what a batch undoes itself is not told`() {
        var state = FeedState.knowingSeven
        let changes = state.apply([upsert(1, "a.", "192.0.2.1", 100), delete(2, "a.", "192.0.2.1")])
        #expect(changes.isEmpty)
        #expect(changes.sequence == 2)
    }

    @Test func `beyond the limits a change is refused and the rest goes on`() {
        var limits = FeedStateLimits()
        limits.names = 1
        limits.identities = 2
        limits.addressesPerName = 1
        var state = FeedState(limits: limits)
        let changes = state.apply([
            .seven,
            upsert(1, "a.", "192.0.2.1", 100), upsert(2, "b.", "192.0.2.2", 100), upsert(3, "a.", "192.0.2.3", 100),
            .identity(FeedIdentity(sequence: 4, id: 1, name: "a", namespace: "")),
            .identity(FeedIdentity(sequence: 5, id: 2, name: "b", namespace: "")),
        ])
        #expect(changes.refused == [2, 3, 5])
        #expect(changes.openings.count == 1)
        #expect(state.apply([delete(6, "a.", "192.0.2.1"), upsert(7, "b.", "192.0.2.2", 100)]).refused.isEmpty)
    }

    @Test func `a new rule for a name holds for all of its addresses`() {
        var state = FeedState.knowingSeven
        _ = state.apply([upsert(1, "a.", "192.0.2.1", 100, port: 80)])
        let changes = state.apply([upsert(2, "a.", "192.0.2.2", 100, port: 443)])
        #expect(changes.openings.map(\.kind).sorted { "\($0)" < "\($1)" } == [.added, .changed])
        #expect(state.openings.allSatisfy { $0.ports.ranges.map(\.first) == [443] })
    }

    @Test(
        arguments: [
            ([], ""), ([[]], "everything"), ([[(80, nil, "TCP")], []], "everything"),
            ([[(80, nil, "TCP")]], "TCP 80-80"), ([[(0, nil, "UDP")]], "UDP 0-65535"),
            ([[(0, 24, "TCP")]], "TCP 0-24"),
            ([[(53, nil, "ANY")]], "SCTP 53-53, TCP 53-53, UDP 53-53"),
            ([[(80, 90, "TCP")], [(85, 95, "TCP")]], "TCP 80-95"),
            ([[(80, 90, "TCP"), (85, nil, "TCP")]], "TCP 80-90"),
            ([[(80, nil, "TCP"), (81, nil, "TCP")]], "TCP 80-80, TCP 81-81"), ([[(90, 80, "TCP")]], ""),
            ([[(80, 90, "TCP"), (0, nil, "TCP")]], "TCP 0-65535"),
        ] as [([[(UInt16, UInt16?, String)]], String)])
    func `ports of several rules are their union`(_ rules: [[(UInt16, UInt16?, String)]], _ expected: String) {
        let ports = PortSet(
            rules.map { ports in
                MappingRule(
                    policy: "p",
                    ports: ports.map { port, end, transport in
                        MappingPort(port: port, endPort: end, transport: MappingTransport(rawValue: transport) ?? .sctp)
                    })
            })
        let text = ports.ranges.map { "\($0.transport.rawValue) \($0.first)-\($0.last)" }.joined(separator: ", ")
        #expect((ports.isEverything ? "everything" : text) == expected)
    }
}

extension FeedEvent {
    /// Identity 7 is there.
    fileprivate static let seven = FeedEvent.identity(FeedIdentity(id: 7, name: "api", namespace: "production"))
}

extension FeedState {
    /// A state in which identity 7 is announced, and nothing is open.
    fileprivate static var knowingSeven: FeedState {
        var state = FeedState()
        _ = state.apply([.seven])
        return state
    }
}

/// An upsert of one address for identity 7, for one TCP port.
private func upsert(
    _ sequence: UInt64, _ name: String, _ address: String, _ expires: Double, port: UInt16 = 443
) -> FeedEvent {
    .upsert(
        MappingUpsert(
            sequence: sequence, identity: 7, client: IPAddress(ipv4: 1), name: named(name),
            addresses: [MappedAddress(ip: addressed(address), ttl: 1, expires: expires)],
            rules: [MappingRule(policy: "p", ports: [MappingPort(port: port, transport: .tcp)])]))
}

/// A delete of one address of identity 7.
private func delete(_ sequence: UInt64, _ name: String, _ address: String) -> FeedEvent {
    .delete(
        MappingDelete(
            sequence: sequence, identity: 7, name: named(name), addresses: [addressed(address)], reason: .expired))
}

/// What is open for identity 7 at an address, for one TCP port.
private func opening(_ address: String, _ expires: Double, port: UInt16 = 443) -> FeedOpening {
    FeedOpening(
        identity: 7, address: addressed(address),
        ports: PortSet([MappingRule(policy: "p", ports: [MappingPort(port: port, transport: .tcp)])]), expires: expires)
}

/// A name of one label, `a.` for example.
private func named(_ text: String) -> DomainName {
    let label = Array(text.utf8.dropLast())
    return DomainName(canonicalBytes: [UInt8(label.count)] + label + [0])
}

/// An address; the unspecified one for what is none.
private func addressed(_ text: String) -> IPAddress { IPAddress(text) ?? IPAddress(ipv4: 0) }
