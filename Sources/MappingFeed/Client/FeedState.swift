public import DNSWire

/// What is open, as the events of the feed tell it: the model that an enforcer brings its packet filter into line with.
///
/// A snapshot replaces everything at its end and not before. Whether something has expired is not looked at: the daemon
/// says so by a delete, and a packet filter has a clock of its own.
public struct FeedState: Sendable {
    /// What is in force.
    private var model = FeedModel()
    /// A snapshot that is being received.
    private var incoming: FeedModel?
    /// What the events since the last `takeChanges` touched, and how it was before.
    private var touched = FeedTouched()

    /// How much is kept at most.
    public let limits: FeedStateLimits

    /// An empty state.
    public init(limits: FeedStateLimits = FeedStateLimits()) {
        self.limits = limits
    }

    /// The identities that were announced, by their numbers.
    public var identities: [UInt64: FeedIdentity] { model.identities }

    /// Everything that is open, in no order.
    public var openings: some Sequence<FeedOpening> { model.openings }

    /// What is open for an identity at an address; nil for nothing.
    public func opening(_ identity: UInt64, _ address: IPAddress) -> FeedOpening? {
        model.opening(OpeningKey(identity: identity, address: address))
    }

    /// The names that hold an address for an identity, in no order.
    public func names(_ identity: UInt64, _ address: IPAddress) -> some Collection<DomainName> {
        model.names(OpeningKey(identity: identity, address: address))
    }

    /// Applies events in the order in which they came, and says what they changed together.
    ///
    /// A change that is undone by a later event is not told of.
    public mutating func apply(_ events: some Sequence<FeedEvent>) -> FeedChanges {
        for event in events { apply(event) }
        return takeChanges()
    }

    /// Applies one event.
    private mutating func apply(_ event: FeedEvent) {
        switch event {
        case .hello: incoming = nil
        case .snapshotBegin: incoming = FeedModel()
        case .snapshotEnd(let mark):
            guard let incoming else { return }
            touched.everything(of: model, and: incoming, mark.sequence)
            model = incoming
            self.incoming = nil
        case .identity, .upsert, .delete:
            var unnoted = FeedTouched(isNoting: false)
            let isWithin =
                incoming?.apply(event, within: limits, noting: &unnoted)
                ?? model.apply(event, within: limits, noting: &touched)
            if !isWithin, let sequence = event.sequence { touched.refused.append(sequence) }
            if incoming == nil { touched.sequence = event.sequence }
        case .ping(let sequence): if incoming == nil { touched.sequence = sequence }
        case .lagging, .error: break
        }
    }

    /// What was touched, compared to what is now.
    private mutating func takeChanges() -> FeedChanges {
        defer { touched = FeedTouched() }
        return touched.changes(to: model)
    }
}
