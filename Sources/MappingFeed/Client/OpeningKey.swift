internal import DNSWire

/// An identity and an address.
struct OpeningKey: Hashable, Sendable {
    /// The identity.
    var identity: UInt64
    /// The address.
    var address: IPAddress
}

extension OpeningKey {
    /// The key of an opening.
    init(_ opening: FeedOpening) {
        self.init(identity: opening.identity, address: opening.address)
    }
}
