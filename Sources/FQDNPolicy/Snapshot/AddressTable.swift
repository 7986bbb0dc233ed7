import DNSWire

/// From a client address to the identity with the longest prefix that contains it, as one flat hash table.
struct AddressTable: Sendable {
    /// A prefix and whose it is.
    private struct Slot: Sendable {
        /// The first address of the prefix.
        var address = IPAddress(high: 0, low: 0)
        /// Bits that count, of 128.
        var bits: UInt8 = 0
        /// Index of the identity; 0, which has no prefixes, means that the slot is empty.
        var identity: UInt32 = 0
    }

    /// The slots, a power of two, at most half of them taken.
    private var slots: [Slot]
    /// The lengths that occur, longest first.
    private let lengths: [UInt8]
    /// The key of the hash, random for each table.
    private let seed = UInt64.random(in: .min ... .max) | 1

    /// A table of prefixes, each with the index (1 or more) of its identity; of equal prefixes the first counts.
    init(_ prefixes: [(prefix: IPPrefix, identity: UInt32)]) {
        var size = 2
        while size < prefixes.count * 2 { size *= 2 }
        slots = [Slot](repeating: Slot(), count: size)
        lengths = Set(prefixes.map { UInt8(truncatingIfNeeded: $0.prefix.bits) }).sorted(by: >)
        for (prefix, identity) in prefixes {
            var index = start(prefix.address, UInt8(truncatingIfNeeded: prefix.bits))
            var isKnown = false
            while slots[index].identity != 0, !isKnown {
                isKnown = slots[index].address == prefix.address && Int(slots[index].bits) == prefix.bits
                if !isKnown { index = (index + 1) & (slots.count - 1) }
            }
            if !isKnown {
                slots[index] = Slot(
                    address: prefix.address, bits: UInt8(truncatingIfNeeded: prefix.bits), identity: identity)
            }
        }
    }

    /// Index of the identity that `address` belongs to; 0 when there is none. Allocates nothing.
    func identity(of address: IPAddress) -> Int {
        for position in lengths.indices {
            let bits = lengths[position]
            // A short IPv6 prefix such as ::/0 does not contain IPv4 clients, though their mapped form lies in it.
            if bits < 96, address.isIPv4 { break }
            let masked = bits == 128 ? address : address.masked(to: Int(bits))
            var index = start(masked, bits)
            while slots[index].identity != 0 {
                if slots[index].bits == bits, slots[index].address == masked { return Int(slots[index].identity) }
                index = (index + 1) & (slots.count - 1)
            }
        }
        return 0
    }

    /// Where the search for a prefix starts.
    private func start(_ address: IPAddress, _ bits: UInt8) -> Int {
        let first = (address.high ^ seed).multipliedFullWidth(by: 0x9E37_79B9_7F4A_7C15)
        let second = (address.low ^ first.high ^ first.low ^ UInt64(bits)).multipliedFullWidth(by: seed)
        return Int(truncatingIfNeeded: second.high ^ second.low) & (slots.count - 1)
    }
}
