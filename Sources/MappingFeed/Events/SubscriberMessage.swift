public import DNSWire

/// One line from an enforcer to the daemon.
public enum SubscriberMessage: Hashable, Sendable {
    /// The first line of every subscriber.
    case subscribe(Subscription)
    /// Everything up to this sequence number is in force.
    case ack(UInt64)
    /// A change was processed and is not in force.
    case nack(FeedRejection)
    /// Connections that live: keep these addresses past their expiry.
    case inUse(AddressesInUse)
    /// The answer to a ping.
    case pong
}

/// What a subscriber asks for.
public struct Subscription: Hashable, Sendable {
    /// Whether answers wait for this subscriber's acknowledgements.
    public var acknowledges: Bool
    /// Where an earlier connection ended; nil for a snapshot.
    public var resume: FeedPosition?
    /// The identities of interest, any of the selectors suffices; nil for all identities, empty for none.
    public var identities: [IdentitySelector]?

    /// A subscription to everything, unless `identities` says less.
    public init(acknowledges: Bool = false, resume: FeedPosition? = nil, identities: [IdentitySelector]? = nil) {
        self.acknowledges = acknowledges
        self.resume = resume
        self.identities = identities
    }
}

/// A place in the feed of one journal.
public struct FeedPosition: Hashable, Sendable {
    /// The journal's UUID, from `hello`.
    public var instance: String
    /// The last sequence number that was put in force.
    public var sequence: UInt64

    /// The place behind `sequence`.
    public init(instance: String, sequence: UInt64) {
        self.instance = instance
        self.sequence = sequence
    }
}

/// Identities that a subscriber is interested in: all of its conditions hold, and any selector suffices.
public struct IdentitySelector: Hashable, Sendable {
    /// The namespace; nil for any.
    public var namespace: String?
    /// Labels that the identity must have, with these values.
    public var labels: [String: String]

    /// A selector; without conditions it selects every identity.
    public init(namespace: String? = nil, labels: [String: String] = [:]) {
        self.namespace = namespace
        self.labels = labels
    }

    /// Whether the selector's conditions hold for `identity`.
    public func selects(_ identity: FeedIdentity) -> Bool {
        if let namespace, namespace != identity.namespace { return false }
        return labels.allSatisfy { identity.labels[$0.key] == $0.value }
    }
}

/// A change that an enforcer could not put in force.
public struct FeedRejection: Hashable, Sendable {
    /// The change.
    public var sequence: UInt64
    /// What went wrong, for a person to read.
    public var error: String

    /// A rejection of the change `sequence`.
    public init(sequence: UInt64, error: String) {
        self.sequence = sequence
        self.error = error
    }
}

/// Addresses that an identity has live connections to.
public struct AddressesInUse: Hashable, Sendable {
    /// Whose connections.
    public var identity: UInt64
    /// Their far ends.
    public var addresses: [IPAddress]

    /// Live connections of `identity`.
    public init(identity: UInt64, addresses: [IPAddress]) {
        self.identity = identity
        self.addresses = addresses
    }
}
