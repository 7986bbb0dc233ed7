import DNSWire

@testable import MappingFeed

/// Random numbers that are the same in every run (SplitMix64), and feed values made of them.
struct SplitMix: RandomNumberGenerator {
    /// What the next number is made of.
    var state: UInt64

    /// The next number.
    mutating func next() -> UInt64 {
        state &+= 0x9E37_79B9_7F4A_7C15
        var value = state
        value = (value ^ value >> 30) &* 0xBF58_476D_1CE4_E5B9
        value = (value ^ value >> 27) &* 0x94D0_49BB_1331_11EB
        return value ^ value >> 31
    }

    /// A number from 0 to below `bound`.
    mutating func below(_ bound: Int) -> Int { Int(next() % UInt64(bound)) }

    /// Fewer than `bound` elements.
    mutating func list<Element>(_ bound: Int, _ element: (inout SplitMix) -> Element) -> [Element] {
        (0..<below(bound)).map { _ in element(&self) }
    }

    /// Any text, often with what has to be escaped.
    mutating func text() -> String {
        String(String.UnicodeScalarView(list(12) { Unicode.Scalar(UInt32($0.below(0x300))) ?? "x" }))
            + (below(4) == 0 ? "\u{1F600}\"\\\n" : "")
    }

    /// A name, one in three of awkward bytes.
    mutating func name() -> DomainName {
        var bytes: [UInt8] = []
        let isPlain = below(3) > 0
        for _ in 0..<below(4) {
            let label = (0..<(1 + below(isPlain ? 20 : 63))).map { _ -> UInt8 in
                isPlain ? Array("abcdefghijklmnopqrstuvwxyz0123456789-_".utf8)[below(38)] : UInt8(below(65))
            }
            bytes += [UInt8(label.count)] + label
        }
        return DomainName(canonicalBytes: bytes + [0])
    }

    /// An address of either family.
    mutating func address() -> IPAddress {
        below(2) == 0
            ? IPAddress(ipv4: UInt32(truncatingIfNeeded: next()))
            : IPAddress(high: 0x2001_0DB8_0000_0000 | next() >> 48, low: below(2) == 0 ? next() : UInt64(below(9)))
    }

    /// An upsert.
    mutating func upsert() -> MappingUpsert {
        MappingUpsert(
            sequence: next(), identity: next(), client: address(), name: name(), chain: list(3) { $0.name() },
            addresses: list(5) {
                MappedAddress(
                    ip: $0.address(), ttl: UInt32(truncatingIfNeeded: $0.next()),
                    expires: (Double($0.below(2_000_000_000)) * 1_000_000 + Double($0.below(1_000_000))) / 1_000_000)
            },
            rules: list(3) {
                MappingRule(
                    policy: $0.text(),
                    ports: $0.list(3) {
                        MappingPort(
                            port: UInt16($0.below(65536)), endPort: $0.below(2) == 0 ? nil : UInt16($0.below(65536)),
                            transport: MappingTransport.allCases[$0.below(MappingTransport.allCases.count)])
                    })
            }, source: MappingSource.allCases[below(MappingSource.allCases.count)])
    }

    /// An event of any kind.
    mutating func event() -> FeedEvent {
        switch below(12) {
        case 0: .hello(FeedHello(instance: text(), sequence: next()))
        case 1: .snapshotBegin(SnapshotMark(sequence: next(), count: next()))
        case 2: .snapshotEnd(SnapshotMark(sequence: next(), count: next()))
        case 3:
            .identity(
                FeedIdentity(
                    sequence: next(), id: next(), name: text(), namespace: text(),
                    labels: Dictionary(list(4) { ($0.text(), $0.text()) }) { $1 },
                    addresses: list(4) { IPPrefix($0.address(), length: $0.below(33)) ?? IPPrefix($0.address()) },
                    isRemoved: below(2) == 0))
        case 4, 5:
            .delete(
                MappingDelete(
                    sequence: next(), identity: next(), name: name(), addresses: list(4) { $0.address() },
                    reason: DeleteReason.allCases[below(DeleteReason.allCases.count)]))
        case 6: .ping(next())
        case 7: .lagging(next())
        case 8: .error(text())
        default: .upsert(upsert())
        }
    }

    /// A message of any kind.
    mutating func message() -> SubscriberMessage {
        switch below(5) {
        case 0:
            .subscribe(
                Subscription(
                    acknowledges: below(2) == 0,
                    resume: below(2) == 0 ? nil : FeedPosition(instance: text(), sequence: next()),
                    identities: below(2) == 0
                        ? nil
                        : list(3) {
                            IdentitySelector(
                                namespace: $0.below(2) == 0 ? nil : $0.text(),
                                labels: Dictionary($0.list(3) { ($0.text(), $0.text()) }) { $1 })
                        }))
        case 1: .ack(next())
        case 2: .nack(FeedRejection(sequence: next(), error: text()))
        case 3: .inUse(AddressesInUse(identity: next(), addresses: list(5) { $0.address() }))
        default: .pong
        }
    }
}
