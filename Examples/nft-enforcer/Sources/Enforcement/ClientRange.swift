package import DNSWire
package import MappingFeed

/// Client addresses that follow each other and belong to one identity.
///
/// The intervals of an nftables map may not overlap, and prefixes of identities may, the longest of them counting. So
/// they are cut into ranges that are disjoint.
package struct ClientRange: Hashable, Sendable {
    /// The first address.
    package var first: IPAddress
    /// The last address.
    package var last: IPAddress
    /// Whether they are IPv4 addresses.
    package var isIPv4: Bool
    /// Whose they are.
    package var identity: UInt64

    /// The prefixes of `identities`, cut into disjoint ranges in which the longest prefix wins; of two identities with
    /// the same prefix the one with the lower number has it.
    package static func split(_ identities: some Sequence<FeedIdentity>) -> [ClientRange] {
        var owners: [IPPrefix: UInt64] = [:]
        for identity in identities {
            for prefix in identity.addresses { owners[prefix] = min(owners[prefix] ?? .max, identity.id) }
        }
        return [true, false].flatMap { family in
            split(owners.filter { $0.key.isIPv4 == family }, isIPv4: family)
        }
    }

    /// The same for the prefixes of one family.
    private static func split(_ owners: [IPPrefix: UInt64], isIPv4: Bool) -> [ClientRange] {
        // Outer prefixes come before those that lie in them, so those that are open at a time are nested.
        let prefixes = owners.sorted { left, right in
            (left.key.address, left.key.bits) < (right.key.address, right.key.bits)
        }
        var ranges: [ClientRange] = []
        var open: [(last: IPAddress, identity: UInt64)] = []
        var next: IPAddress? = nil
        /// Gives the addresses from the first that is not given yet up to `last` to the innermost open prefix.
        func give(upTo last: IPAddress) {
            guard let first = next, let identity = open.last?.identity, first <= last else { return }
            if let previous = ranges.last, previous.identity == identity, previous.last.successor == first {
                ranges[ranges.count - 1].last = last
            } else {
                ranges.append(ClientRange(first: first, last: last, isIPv4: isIPv4, identity: identity))
            }
            next = last.successor
        }
        for (prefix, identity) in prefixes {
            while let inner = open.last, inner.last < prefix.address {
                give(upTo: inner.last)
                open.removeLast()
            }
            if let before = prefix.address.predecessor { give(upTo: before) }
            next = prefix.address
            open.append((prefix.last, identity))
        }
        while let inner = open.popLast() {
            open.append(inner)
            give(upTo: inner.last)
            open.removeLast()
        }
        return ranges
    }

    /// Whether `address` lies in the range.
    package func contains(_ address: IPAddress) -> Bool {
        first <= address && address <= last && address.isIPv4 == isIPv4
    }

    /// How nftables writes the range.
    package var element: String {
        first == last ? text(first) : "\(text(first))-\(text(last))"
    }

    /// How nftables writes an address of the range. One in `::ffff:0:0/96` that bounds an IPv6 range must not look like
    /// an IPv4 address.
    private func text(_ address: IPAddress) -> String {
        guard address.isIPv4, !isIPv4 else { return "\(address)" }
        return "::ffff:\(String(address.ipv4 >> 16, radix: 16)):\(String(address.ipv4 & 0xFFFF, radix: 16))"
    }
}

extension IPPrefix {
    /// The last address of the prefix.
    fileprivate var last: IPAddress {
        IPAddress(
            high: bits >= 64 ? address.high : address.high | (bits <= 0 ? .max : .max >> UInt64(bits)),
            low: bits >= 128 ? address.low : address.low | (bits <= 64 ? .max : .max >> UInt64(bits - 64)))
    }
}

extension IPAddress {
    /// The address behind this one; nil behind the last.
    fileprivate var successor: IPAddress? {
        if low < .max { return IPAddress(high: high, low: low + 1) }
        return high < .max ? IPAddress(high: high + 1, low: 0) : nil
    }

    /// The address before this one; nil before the first.
    fileprivate var predecessor: IPAddress? {
        if low > 0 { return IPAddress(high: high, low: low - 1) }
        return high > 0 ? IPAddress(high: high - 1, low: .max) : nil
    }
}
