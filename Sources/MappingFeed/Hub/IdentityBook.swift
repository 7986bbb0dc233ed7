/// The identities that were published and not removed.
struct IdentityBook: Sendable {
    /// The identities, by their number; their sequence numbers are 0.
    private(set) var identities: [UInt64: FeedIdentity] = [:]
    /// The last change that was about an identity.
    private(set) var lastChange: UInt64 = 0

    /// No identity known yet.
    init() {}

    /// Takes the change `sequence`.
    mutating func take(_ identity: FeedIdentity, _ sequence: UInt64) {
        lastChange = max(lastChange, sequence)
        if identity.isRemoved {
            identities[identity.id] = nil
        } else {
            identities[identity.id] = IdentityBook.unnumbered(identity)
        }
    }

    /// Whether `identity` is known just as it is.
    func holds(_ identity: FeedIdentity) -> Bool { identities[identity.id] == IdentityBook.unnumbered(identity) }

    /// An identity without a place in the feed.
    private static func unnumbered(_ identity: FeedIdentity) -> FeedIdentity {
        var identity = identity
        identity.sequence = 0
        return identity
    }
}
