internal import DNSWire

/// What events touched, and how it was before.
struct FeedTouched: Sendable {
    /// Whether anybody wants to know.
    private let isNoting: Bool
    /// Whether a snapshot ended.
    private var isSnapshot = false
    /// What identities were, and the last event about them.
    private var identities: [UInt64: (old: FeedIdentity?, sequence: UInt64)] = [:]
    /// What openings were, and the last event about them.
    private var openings: [OpeningKey: (old: FeedOpening?, sequence: UInt64, name: DomainName?)] = [:]
    /// Identities in the order in which they were touched.
    private var identityOrder: [UInt64] = []
    /// Openings in the order in which they were touched.
    private var openingOrder: [OpeningKey] = []
    /// The last number that may be acknowledged.
    var sequence: UInt64?
    /// Changes that were not taken.
    var refused: [UInt64] = []

    /// Notes for what comes next, or for nobody.
    init(isNoting: Bool = true) {
        self.isNoting = isNoting
    }

    /// Notes that an identity in `model` is about to change because of the event `sequence`.
    mutating func note(identity id: UInt64, in model: FeedModel, _ sequence: UInt64) {
        guard isNoting else { return }
        if identities.index(forKey: id) == nil { identityOrder.append(id) }
        identities[id, default: (model.identities[id], sequence)].sequence = sequence
    }

    /// Notes that an opening in `model` is about to change because of what the event `sequence` says of `name`.
    mutating func note(opening key: OpeningKey, _ name: DomainName?, in model: FeedModel, _ sequence: UInt64) {
        guard isNoting else { return }
        if let index = openings.index(forKey: key) {
            openings.values[index].sequence = sequence
            openings.values[index].name = name
        } else {
            openings[key] = (model.opening(key), sequence, name)
            openingOrder.append(key)
        }
    }

    /// Notes that all of `old` gives way to `new`, which a snapshot up to `sequence` says.
    mutating func everything(of old: FeedModel, and new: FeedModel, _ sequence: UInt64) {
        for id in old.identities.keys { note(identity: id, in: old, sequence) }
        for id in new.identities.keys { note(identity: id, in: old, sequence) }
        for opening in old.openings { note(opening: OpeningKey(opening), nil, in: old, sequence) }
        for opening in new.openings { note(opening: OpeningKey(opening), nil, in: old, sequence) }
        isSnapshot = true
        self.sequence = sequence
    }

    /// The differences to what `model` has now.
    func changes(to model: FeedModel) -> FeedChanges {
        FeedChanges(
            isSnapshot: isSnapshot,
            identities: identityOrder.compactMap { id in
                guard let (old, sequence) = identities[id] else { return nil }
                let new = model.identities[id]
                if old == nil, new == nil { return nil }
                if let old, let new, old.isSame(as: new) { return nil }
                return FeedIdentityChange(id: id, sequence: sequence, old: old, new: new)
            },
            openings: openingOrder.compactMap { key in
                guard let (old, sequence, name) = openings[key] else { return nil }
                let new = model.opening(key)
                return old == new ? nil : FeedOpeningChange(sequence: sequence, name: name, old: old, new: new)
            },
            sequence: sequence, refused: refused)
    }
}

extension FeedIdentity {
    /// Whether `other` says the same, but for its place in the feed.
    fileprivate func isSame(as other: FeedIdentity) -> Bool {
        var other = other
        other.sequence = sequence
        return self == other
    }
}
