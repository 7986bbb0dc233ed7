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
    /// The serials of the cached answers that were learned last and of which all addresses are here, or 0: there are two as a
    /// rule, one with IPv4 and one with IPv6 addresses.
    private var answers: (latest: UInt64, other: UInt64) = (0, 0)
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
    /// Bytes of an address of its own: 4 if all are IPv4, else 16.
    private var addressLength: UInt8 = 16

    /// No slot.
    static let none = UInt32.max
    /// Names of a chain that are kept.
    static let maximumChain = 64
    /// Bytes of one address without its own: expiry 8, sequence 8, TTL 4, source 1; they stand before it.
    private static let factsLength = 21
    /// Where the sequence number of an address is.
    private static let sequenceOffset = 8
    /// Where the TTL of an address is.
    private static let ttlOffset = 16
    /// Where the source of an address is.
    private static let sourceOffset = 20

    /// Whether the slot holds a mapping.
    var isLive: Bool { nameLength > 0 }

    /// Bytes of one address.
    private var stride: Int { MappingRecord.factsLength + Int(addressLength) }

    /// The number of addresses.
    var addressCount: Int { (content.count - Int(addressBase)) / stride }

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

    /// Where the address at `index` starts in `content`.
    private func offset(_ index: Int) -> Int { Int(addressBase) + index * stride }

    /// The address at `index`, with what is known about it.
    subscript(index: Int) -> MappedAddress {
        let base = offset(index)
        let learned = LearnedAddress(
            address: address(at: index), ttl: load32(base + MappingRecord.ttlOffset), expires: expiry(at: index),
            source: MappingSource(rawValue: content[base + MappingRecord.sourceOffset]) ?? .answer)
        return MappedAddress(learned, sequence: load64(base + MappingRecord.sequenceOffset))
    }

    /// The address at `index` alone.
    func address(at index: Int) -> IPAddress {
        let base = offset(index) + MappingRecord.factsLength
        if addressLength == 4 { return IPAddress(ipv4: load32(base)) }
        return IPAddress(high: load64(base), low: load64(base + 8))
    }

    /// When the address at `index` expires.
    func expiry(at index: Int) -> Moment { Moment(nanoseconds: Int64(bitPattern: load64(offset(index)))) }

    /// The index of an address.
    func index(of address: IPAddress) -> Int? {
        if addressLength == 4, !address.isIPv4 { return nil }
        return (0..<addressCount).first { self.address(at: $0) == address }
    }

    /// The indices of those of `wanted` that the mapping has, in ascending order.
    func indices(of wanted: [IPAddress]) -> [Int] {
        if wanted.count == 1 { return index(of: wanted[0]).map { [$0] } ?? [] }
        if wanted.count * addressCount <= 64 { return (0..<addressCount).filter { wanted.contains(address(at: $0)) } }
        let wanted = Set(wanted)
        return (0..<addressCount).filter { wanted.contains(address(at: $0)) }
    }

    /// Replaces name, chain (its first `maximumChain` names) and addresses.
    mutating func setContent(name: Span<UInt8>, chain: [DomainName], addresses: [MappedAddress]) {
        let chain = chain.prefix(MappingRecord.maximumChain)
        let base = chain.reduce(name.count) { $0 + $1.bytes.count }
        nameLength = UInt8(name.count)
        addressBase = UInt16(base)
        addressLength = addresses.allSatisfy(\.learned.address.isIPv4) ? 4 : 16
        last = addresses.reduce(Moment(nanoseconds: .min)) { max($0, $1.learned.expires) }
        var bytes = [UInt8](zeros: base + addresses.count * stride)
        var output = bytes.mutableSpan
        output.copy(name, at: 0)
        var offset = name.count
        for name in chain {
            output.copy(name.bytes.span, at: offset)
            offset += name.bytes.count
        }
        for mapped in addresses {
            output.setWord(UInt64(bitPattern: mapped.learned.expires.nanoseconds), at: offset)
            output.setWord(mapped.sequence, at: offset + MappingRecord.sequenceOffset)
            output.setHalfWord(mapped.learned.ttl, at: offset + MappingRecord.ttlOffset)
            output[offset + MappingRecord.sourceOffset] = mapped.learned.source.rawValue
            offset += MappingRecord.factsLength
            if addressLength == 4 {
                output.setHalfWord(mapped.learned.address.ipv4, at: offset)
            } else {
                output.setWord(mapped.learned.address.high, at: offset)
                output.setWord(mapped.learned.address.low, at: offset + 8)
            }
            offset += Int(addressLength)
        }
        content = bytes
    }

    /// Replaces the addresses only, by some of them.
    mutating func setAddresses(_ addresses: [MappedAddress]) {
        answers = (0, 0)
        let (name, chain) = (name, chain)
        setContent(name: name.bytes.span, chain: chain, addresses: addresses)
    }

    /// Lets the address at `index` live until `expires`, which is later than it would have, because a connection uses
    /// it.
    mutating func extend(_ index: Int, until expires: Moment, sequence: UInt64) {
        store(UInt64(bitPattern: expires.nanoseconds), at: offset(index))
        setSequence(sequence, of: index)
        content[offset(index) + MappingRecord.sourceOffset] = MappingSource.connection.rawValue
        last = max(last, expires)
    }

    /// Replaces the sequence number of the address at `index`.
    mutating func setSequence(_ sequence: UInt64, of index: Int) {
        store(sequence, at: offset(index) + MappingRecord.sequenceOffset)
    }

    /// Whether all addresses of the cached answer with this serial, which is not 0, are known to be here.
    func knows(answer: UInt64) -> Bool { answers.latest == answer || answers.other == answer }

    /// Notes that all addresses of the cached answer with this serial are here; 0 is none.
    mutating func note(answer: UInt64) {
        if answer != 0, !knows(answer: answer) { answers = (answer, answers.latest) }
    }

    /// Takes over what `record`, all of whose addresses are here, knows of answers.
    mutating func noteAnswers(of record: MappingRecord) { answers = record.answers }

    /// The event to wait for until all addresses are in force; nil if one is over at `now`, or waiting is not enough.
    func sequence(now: Moment, _ standing: (UInt64) -> EventStanding) -> UInt64? {
        var event = AwaitedEvent()
        for index in 0..<addressCount {
            let sequence = load64(offset(index) + MappingRecord.sequenceOffset)
            guard sequence != MappedAddress.unconfirmed, expiry(at: index) > now else { return nil }
            event.add(sequence, standing)
        }
        return event.awaitable(standing)
    }

    /// When the first address expires; never without addresses.
    var earliest: Moment { (0..<addressCount).reduce(.distantFuture) { min($0, expiry(at: $1)) } }

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

    /// The 64 bits at `offset` of the content, the least significant byte first.
    private func load64(_ offset: Int) -> UInt64 { content.span.word(at: offset) }

    /// The 32 bits at `offset` of the content, the least significant byte first.
    private func load32(_ offset: Int) -> UInt32 {
        UInt32(truncatingIfNeeded: content.span.word(at: offset, count: 4))
    }

    /// Writes 64 bits at `offset` of the content, the least significant byte first.
    private mutating func store(_ value: UInt64, at offset: Int) {
        var output = content.mutableSpan
        output.setWord(value, at: offset)
    }
}

extension MutableSpan<UInt8> {
    /// Writes 32 bits at `offset`, the least significant byte first.
    fileprivate mutating func setHalfWord(_ value: UInt32, at offset: Int) {
        for index in 0..<4 { self[offset + index] = UInt8(truncatingIfNeeded: value >> UInt32(8 * index)) }
    }
}
