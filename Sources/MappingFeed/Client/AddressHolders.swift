internal import DNSWire

/// The names that hold an address open, and what follows from them.
///
/// An address may have many thousands of names. Taking and letting go of one costs the same however many there are, but
/// for letting go of the one that holds it the longest.
struct AddressHolders: Sendable {
    /// Until when each name holds it.
    private var names: [DomainName: Double] = [:]
    /// How many of the names open each set of ports; few sets are different, however many names there are.
    private var counts: [PortSet: Int] = [:]
    /// The union of those sets.
    private var ports = PortSet.nothing
    /// The latest of the times.
    private var expires = -Double.infinity

    /// Nobody yet.
    init() {}

    /// Whether no name is left.
    var isEmpty: Bool { names.isEmpty }

    /// The names, in no order.
    var holdingNames: some Collection<DomainName> { names.keys }

    /// What is open because of them; nil when their rules open no port.
    func opening(_ identity: UInt64, _ address: IPAddress) -> FeedOpening? {
        guard !ports.isEmpty else { return nil }
        return FeedOpening(identity: identity, address: address, ports: ports, expires: expires)
    }

    /// A name opens `ports` until a time, which replaces what it said before.
    mutating func hold(_ name: DomainName, _ ports: PortSet, until time: Double) {
        let old = names.updateValue(time, forKey: name)
        if old == nil { count(ports) }
        let isShorter = old == expires && time < expires
        expires = isShorter ? names.values.max() ?? time : max(expires, time)
    }

    /// A name opens other ports than before.
    mutating func change(_ name: DomainName, from old: PortSet, to new: PortSet) {
        guard names[name] != nil else { return }
        uncount(old)
        count(new)
    }

    /// A name lets go.
    mutating func release(_ name: DomainName, _ ports: PortSet) {
        guard let old = names.removeValue(forKey: name) else { return }
        uncount(ports)
        if old == expires { expires = names.values.max() ?? -.infinity }
    }

    /// One more name opens `ports`.
    private mutating func count(_ ports: PortSet) {
        counts[ports, default: 0] += 1
        self.ports = self.ports.union(ports)
    }

    /// One name less opens `ports`.
    private mutating func uncount(_ ports: PortSet) {
        guard let count = counts[ports] else { return }
        counts[ports] = count > 1 ? count - 1 : nil
        if count == 1 { self.ports = counts.keys.reduce(.nothing) { $0.union($1) } }
    }
}
