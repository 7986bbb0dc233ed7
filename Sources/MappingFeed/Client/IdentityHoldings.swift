internal import DNSWire

/// The names that one identity holds, and the addresses that those hold open.
struct IdentityHoldings: Sendable {
    /// The names.
    private(set) var names: [DomainName: Holding] = [:]
    /// Who holds each address.
    private(set) var holders: [IPAddress: AddressHolders] = [:]

    /// What one name holds.
    struct Holding: Sendable {
        /// What its rules open.
        var ports: PortSet
        /// Its addresses.
        var addresses: Set<IPAddress> = []
    }

    /// Takes the addresses of a name, whose rules open `ports` now.
    mutating func apply(_ upsert: MappingUpsert, _ ports: PortSet) {
        if let known = names[upsert.name], known.ports != ports {
            for address in known.addresses { holders[address]?.change(upsert.name, from: known.ports, to: ports) }
        }
        names[upsert.name, default: Holding(ports: ports)].ports = ports
        for address in upsert.addresses {
            names[upsert.name]?.addresses.insert(address.ip)
            holders[address.ip, default: AddressHolders()].hold(upsert.name, ports, until: address.expires)
        }
    }

    /// Lets `name` go of addresses that it holds.
    mutating func release(_ addresses: [IPAddress], of name: DomainName) {
        guard let ports = names[name]?.ports else { return }
        for address in addresses {
            names[name]?.addresses.remove(address)
            holders[address]?.release(name, ports)
            if holders[address]?.isEmpty == true { holders[address] = nil }
        }
        if names[name]?.addresses.isEmpty == true { names[name] = nil }
    }
}
