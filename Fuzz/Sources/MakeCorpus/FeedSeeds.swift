import DNSWire
import MappingFeed

/// One line of every kind, in both directions.
enum FeedSeeds {
    /// The lines, as the feed's encoder writes them, and some as others may.
    static var lines: [[UInt8]] { events.map(\.line) + messages.map(\.line) + foreign.map { Array($0.utf8) } }

    /// What the daemon says.
    private static var events: [FeedEvent] {
        guard let client = IPAddress("10.1.2.3"), let other = IPAddress("2001:db8::1"),
            let prefix = IPPrefix("10.0.0.0/8"), let name = try? DomainName("www.example.com."),
            let alias = try? DomainName("cdn\\.x.example.net.")
        else { return [] }
        return [
            .hello(FeedHello(instance: "7f8d2c1e-0000-4000-8000-000000000000", sequence: 1)),
            .snapshotBegin(SnapshotMark(sequence: 2, count: 3)), .snapshotEnd(SnapshotMark(sequence: 2, count: 3)),
            .identity(
                FeedIdentity(
                    sequence: 3, id: .max, name: "a \"b\" \u{1F600}\n", namespace: "shop", labels: ["app": "web"],
                    addresses: [prefix])),
            .identity(FeedIdentity(sequence: 4, id: 7, name: "", namespace: "", isRemoved: true)),
            .upsert(
                MappingUpsert(
                    sequence: 5, identity: 9, client: client, name: name, chain: [alias],
                    addresses: [
                        MappedAddress(ip: client, ttl: 300, expires: 1_700_000_000.5),
                        MappedAddress(ip: other, ttl: 0, expires: 1_700_000_001),
                    ],
                    rules: [
                        MappingRule(policy: "shop/web", ports: [MappingPort(port: 80, endPort: 90, transport: .tcp)])
                    ], source: .hint)),
            .delete(MappingDelete(sequence: 6, identity: 9, name: name, addresses: [client, other], reason: .expired)),
            .ping(7), .lagging(8), .error("why"),
        ]
    }

    /// What an enforcer says.
    private static var messages: [SubscriberMessage] {
        [
            .subscribe(Subscription()),
            .subscribe(
                Subscription(
                    acknowledges: true, resume: FeedPosition(instance: "x", sequence: 5),
                    identities: [IdentitySelector(namespace: "shop", labels: ["app": "web"]), IdentitySelector()])),
            .ack(12), .nack(FeedRejection(sequence: 13, error: "no room")),
            .inUse(AddressesInUse(identity: 1, addresses: IPAddress("192.0.2.1").map { [$0] } ?? [])), .pong,
        ]
    }

    /// The same protocol in other hands.
    private static let foreign = [
        #"{ "seq" : 1e2 , "event" : "ping", "more": [null, true, {"deep": [[["x"]]]}] }"#,
        #"{"event":"error","reason":"\u00e9\ud83d\ude00\\\/\b\f\n\r\t"}"#,
        #"{"event":"upsert","seq":1,"identity":1,"client":"::1","name":"a.","addresses":[{"ip":"1.2.3.4","expires":1e400}]}"#,
        #"{"event":"unknown","seq":-0.5}"#,
    ]
}
