internal import DNSWire

/// One mapping as a shard keeps it: fixed fields, and one run of bytes with the name, the chain and the addresses,
/// so that a mapping costs a single allocation whatever it holds.
struct MappingRecord: Sendable {
    /// For whom.
    var identity: UInt64 = 0
    /// Who asked last.
    var client = IPAddress(high: 0, low: 0)
    /// When something was last published for it.
    var learnedAt = Moment.distantFuture
    /// When its entry in the shard's timer is due; never later than its first expiry.
    var wake = Moment.distantFuture
    /// When its last address expires.
    private(set) var last = Moment.distantFuture
    /// Name, chain, addresses.
    private var content: [UInt8] = []
    /// The hash that places it in the index.
    var hash: UInt32 = 0
    /// The rules that selected it.
    var ruleSet: UInt32 = 0
    /// The slot before it among those of its identity, or `none`.
    var previous = MappingRecord.none
    /// The slot behind it among those of its identity, or among free slots; or `none`.
    var next = MappingRecord.none
    /// Where the addresses start in `content`.
    private var addressBase: UInt16 = 0
    /// Bytes of the name; 0 in a free slot.
    private var nameLength: UInt8 = 0

    /// No slot.
    static let none = UInt32.max
    /// Names of a chain that are kept.
    static let maximumChain = 64
    /// Bytes of one address: 16 of its own, expiry 8, sequence 8, TTL 4, source 1.
    private static let stride = 37

    /// Whether the slot holds a mapping.
    var isLive: Bool { nameLength > 0 }

    /// The number of addresses.
    var addressCount: Int { (content.count - Int(addressBase)) / MappingRecord.stride }

    /// Whether the mapping is for exactly this name.
    func hasName(_ name: borrowing NameBuffer) -> Bool {
        Int(nameLength) == name.count && name.equals(content.span.extracting(first: Int(nameLength)))
    }

    /// Lends the canonical name.
    func withName<Result>(_ body: (Span<UInt8>) -> Result) -> Result {
        body(content.span.extracting(first: Int(nameLength)))
    }

    /// The name.
    var name: DomainName { DomainName(canonicalBytes: [UInt8](content[..<Int(nameLength)])) }

    /// The chain.
    var chain: [DomainName] {
        var names: [DomainName] = []
        var start = Int(nameLength)
        while start < Int(addressBase) {
            var end = start
            while content[end] != 0 { end += 1 + Int(content[end]) }
            names.append(DomainName(canonicalBytes: [UInt8](content[start...end])))
            start = end + 1
        }
        return names
    }

    /// The addresses.
    var addresses: [MappedAddress] {
        [MappedAddress](capacity: addressCount) { output in
            for index in 0..<addressCount { output.append(self[index]) }
        }
    }

    /// The address at `index`.
    subscript(index: Int) -> MappedAddress {
        let base = Int(addressBase) + index * MappingRecord.stride
        let address = IPAddress(high: integer(base), low: integer(base + 8))
        let learned = LearnedAddress(
            address: address, ttl: integer(base + 32), expires: Moment(nanoseconds: integer(base + 16)),
            source: MappingSource(rawValue: content[base + 36]) ?? .answer)
        return MappedAddress(learned, sequence: integer(base + 24))
    }

    /// The index of an address.
    func index(of address: IPAddress) -> Int? {
        for index in 0..<addressCount {
            let base = Int(addressBase) + index * MappingRecord.stride
            if integer(base + 8) == address.low, integer(base) == address.high { return index }
        }
        return nil
    }

    /// Replaces name, chain (its first `maximumChain` names) and addresses.
    mutating func setContent(name: Span<UInt8>, chain: [DomainName], addresses: [MappedAddress]) {
        let chain = chain.prefix(MappingRecord.maximumChain)
        let base = chain.reduce(name.count) { $0 + $1.bytes.count }
        var bytes: [UInt8] = []
        bytes.reserveCapacity(base + addresses.count * MappingRecord.stride)
        for index in name.indices { bytes.append(name[index]) }
        for name in chain { bytes += name.bytes }
        for address in addresses {
            bytes.append(integer: address.learned.address.high)
            bytes.append(integer: address.learned.address.low)
            bytes.append(integer: address.learned.expires.nanoseconds)
            bytes.append(integer: address.sequence)
            bytes.append(integer: address.learned.ttl)
            bytes.append(address.learned.source.rawValue)
        }
        content = bytes
        nameLength = UInt8(name.count)
        addressBase = UInt16(base)
        last = addresses.reduce(Moment(nanoseconds: .min)) { max($0, $1.learned.expires) }
    }

    /// Replaces the addresses only.
    mutating func setAddresses(_ addresses: [MappedAddress]) {
        let (name, chain) = (name, chain)
        setContent(name: name.bytes.span, chain: chain, addresses: addresses)
    }

    /// When the first address expires; never without addresses.
    var earliest: Moment {
        var earliest = Moment.distantFuture
        for index in 0..<addressCount {
            let base = Int(addressBase) + index * MappingRecord.stride
            earliest = min(earliest, Moment(nanoseconds: integer(base + 16)))
        }
        return earliest
    }

    /// The mapping as an owned value.
    var mapping: Mapping {
        Mapping(
            identity: identity, client: client, name: name, chain: chain, addresses: addresses, ruleSet: ruleSet,
            learnedAt: learnedAt)
    }

    /// The change that says that something happened to `addresses` of this mapping.
    func change(_ kind: MappingChange.Kind, _ addresses: [LearnedAddress]) -> MappingChange {
        MappingChange(
            kind: kind, identity: identity, client: client, name: name, chain: chain, addresses: addresses,
            ruleSet: ruleSet)
    }

    /// The integer at `offset` of the content, the least significant byte first.
    private func integer<Value: FixedWidthInteger>(_ offset: Int) -> Value {
        var value: Value = 0
        for index in 0..<MemoryLayout<Value>.size {
            value |= Value(truncatingIfNeeded: content[offset + index]) << Value(truncatingIfNeeded: 8 * index)
        }
        return value
    }
}

extension [UInt8] {
    /// Appends the bytes of an integer, the least significant first.
    fileprivate mutating func append<Value: FixedWidthInteger>(integer: Value) {
        for index in 0..<MemoryLayout<Value>.size {
            append(UInt8(truncatingIfNeeded: integer >> Value(truncatingIfNeeded: 8 * index)))
        }
    }
}
