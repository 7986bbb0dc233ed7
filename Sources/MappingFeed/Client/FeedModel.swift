internal import DNSWire

/// Identities, the names that they hold, and the addresses that those hold open.
struct FeedModel: Sendable {
    /// The identities that were announced.
    private(set) var identities: [UInt64: FeedIdentity] = [:]
    /// The names and addresses of each identity.
    private var holdings: [UInt64: IdentityHoldings] = [:]
    /// Names of all identities together.
    private var nameCount = 0

    /// Everything that is open, in no order.
    var openings: some Sequence<FeedOpening> {
        holdings.lazy.flatMap { identity, holdings in
            holdings.holders.lazy.compactMap { $1.opening(identity, $0) }
        }
    }

    /// What is open for an identity at an address; nil for nothing.
    func opening(_ key: OpeningKey) -> FeedOpening? {
        holdings[key.identity]?.holders[key.address]?.opening(key.identity, key.address)
    }

    /// The names that hold an address, in no order.
    func names(_ key: OpeningKey) -> some Collection<DomainName> {
        (holdings[key.identity]?.holders[key.address] ?? AddressHolders()).holdingNames
    }

    /// Applies an identity, an upsert or a delete, and notes in `touched` what each thing was before; false if a limit
    /// left the event out.
    mutating func apply(_ event: FeedEvent, within limits: FeedStateLimits, noting touched: inout FeedTouched) -> Bool {
        switch event {
        case .identity(let identity): return apply(identity, limits, &touched)
        case .upsert(let upsert): return apply(upsert, limits, &touched)
        case .delete(let delete): apply(delete, &touched)
        case .hello, .snapshotBegin, .snapshotEnd, .ping, .lagging, .error: break
        }
        return true
    }

    /// Takes an identity, or lets go of it and of all that it holds.
    private mutating func apply(
        _ identity: FeedIdentity, _ limits: FeedStateLimits, _ touched: inout FeedTouched
    ) -> Bool {
        guard identity.isRemoved || identities[identity.id] != nil || identities.count < limits.identities else {
            return false
        }
        touched.note(identity: identity.id, in: self, identity.sequence)
        guard identity.isRemoved else {
            identities[identity.id] = identity
            return true
        }
        identities[identity.id] = nil
        guard let holdings = holdings[identity.id] else { return true }
        for address in holdings.holders.keys {
            let key = OpeningKey(identity: identity.id, address: address)
            touched.note(opening: key, nil, in: self, identity.sequence)
        }
        nameCount -= holdings.names.count
        self.holdings[identity.id] = nil
        return true
    }

    /// Takes addresses of a name, and the name's rules for all of its addresses.
    private mutating func apply(
        _ upsert: MappingUpsert, _ limits: FeedStateLimits, _ touched: inout FeedTouched
    ) -> Bool {
        // An identity that was not announced has just been removed, and nothing is open for it any more.
        guard identities[upsert.identity] != nil else { return true }
        let known = holdings[upsert.identity]?.names[upsert.name]
        guard known != nil || nameCount < limits.names else { return false }
        let count = (known?.addresses.count ?? 0) + upsert.addresses.count
        guard count <= limits.addressesPerName else { return false }
        guard known != nil || !upsert.addresses.isEmpty else { return true }
        let ports = PortSet(upsert.rules)
        for address in upsert.addresses {
            let key = OpeningKey(identity: upsert.identity, address: address.ip)
            touched.note(opening: key, upsert.name, in: self, upsert.sequence)
        }
        if let known, known.ports != ports {
            for address in known.addresses {
                let key = OpeningKey(identity: upsert.identity, address: address)
                touched.note(opening: key, upsert.name, in: self, upsert.sequence)
            }
        }
        if known == nil { nameCount += 1 }
        holdings[upsert.identity, default: IdentityHoldings()].apply(upsert, ports)
        return true
    }

    /// Lets a name go of addresses; of what it does not hold nothing is said.
    private mutating func apply(_ delete: MappingDelete, _ touched: inout FeedTouched) {
        guard let known = holdings[delete.identity]?.names[delete.name] else { return }
        let addresses = delete.addresses.filter(known.addresses.contains)
        for address in addresses {
            let key = OpeningKey(identity: delete.identity, address: address)
            touched.note(opening: key, delete.name, in: self, delete.sequence)
        }
        holdings[delete.identity]?.release(addresses, of: delete.name)
        if holdings[delete.identity]?.names[delete.name] == nil { nameCount -= 1 }
        if holdings[delete.identity]?.names.isEmpty == true { holdings[delete.identity] = nil }
    }
}
