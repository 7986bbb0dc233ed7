internal import DNSWire
internal import MappingFeed

/// What the kernel has refused and not taken since. It is not in force, whatever the feed's state says; so what names it
/// again is tried again, and not acknowledged unseen.
struct RefusedChanges {
    /// Identities whose clients or chain are not in force.
    private var identities: Set<UInt64> = []
    /// Openings that are not in force, by identity.
    private var openings: [UInt64: Set<IPAddress>] = [:]

    /// Whether all is in force.
    var isEmpty: Bool { identities.isEmpty && openings.isEmpty }

    /// Notes that the kernel refused a change.
    mutating func insert(_ change: TableChange) {
        switch change {
        case .identity(let change): if change.new != nil { identities.insert(change.id) }
        case .opening(let change):
            if let new = change.new { openings[new.identity, default: []].insert(new.address) }
        }
    }

    /// Notes that the kernel took a change.
    mutating func remove(_ change: TableChange) {
        guard !isEmpty else { return }
        switch change {
        case .identity(let change): identities.remove(change.id)
        case .opening(let change):
            guard let opening = change.new ?? change.old else { return }
            openings[opening.identity]?.remove(opening.address)
            if openings[opening.identity]?.isEmpty == true { openings[opening.identity] = nil }
        }
    }

    /// What `upserts`, which led to `state`, name of it, as changes; but not what `changes` have already.
    func retries(_ upserts: some Sequence<MappingUpsert>, beside changes: FeedChanges, in state: FeedState)
        -> [TableChange]
    {
        guard !isEmpty else { return [] }
        var rest = self
        for change in changes.identities { rest.remove(.identity(change)) }
        for change in changes.openings { rest.remove(.opening(change)) }
        var retries: [TableChange] = []
        for upsert in upserts {
            if rest.identities.contains(upsert.identity), let identity = state.identities[upsert.identity] {
                retries.append(
                    .identity(
                        FeedIdentityChange(id: identity.id, sequence: upsert.sequence, old: nil, new: identity)))
            }
            for address in upsert.addresses where rest.openings[upsert.identity]?.contains(address.ip) == true {
                guard let opening = state.opening(upsert.identity, address.ip) else { continue }
                retries.append(
                    .opening(
                        FeedOpeningChange(
                            sequence: upsert.sequence, name: upsert.name, old: opening, new: opening)))
            }
        }
        return retries
    }
}
