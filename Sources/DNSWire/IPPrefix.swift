/// A range of addresses that share their first bits, as in `10.244.3.0/24` or `fd00::/8`.
public struct IPPrefix: Hashable, Sendable {
    /// The first address of the range.
    public let address: IPAddress
    /// Bits that count, in the 128-bit space: an IPv4 prefix of n has 96 + n.
    public let bits: Int

    /// The single address.
    public init(_ address: IPAddress) {
        self.address = address
        bits = 128
    }

    /// The prefix of `address` with `length` bits of its own family (0 to 32 or 128), host bits cleared; nil otherwise.
    public init?(_ address: IPAddress, length: Int) {
        guard (0...(address.isIPv4 ? 32 : 128)).contains(length) else { return nil }
        bits = address.isIPv4 ? 96 + length : length
        self.address = address.masked(to: bits)
    }

    /// Bits in the address's own family, as written behind the slash.
    public var length: Int { isIPv4 ? bits - 96 : bits }

    /// Whether the range is one of IPv4 addresses.
    public var isIPv4: Bool { bits >= 96 && address.isIPv4 }

    /// Whether `other` lies in the range.
    @inlinable
    public func contains(_ other: IPAddress) -> Bool { other.masked(to: bits) == address }
}

extension IPAddress {
    /// The address with every bit behind the first `bits` (0 to 128) cleared.
    @inlinable
    public func masked(to bits: Int) -> IPAddress {
        IPAddress(
            high: bits >= 64 ? high : bits <= 0 ? 0 : high & (UInt64.max << UInt64(64 - bits)),
            low: bits >= 128 ? low : bits <= 64 ? 0 : low & (UInt64.max << UInt64(128 - bits)))
    }
}

extension IPPrefix: LosslessStringConvertible {
    /// Reads `address` or `address/length`; host bits must be zero, as `ip route` demands.
    public init?(_ description: String) {
        guard let slash = description.firstIndex(of: "/") else {
            guard let address = IPAddress(description) else { return nil }
            self.init(address)
            return
        }
        let digits = description[description.index(after: slash)...]
        guard let address = IPAddress(description[..<slash]), (1...3).contains(digits.utf8.count),
            digits.utf8.allSatisfy({ $0 &- 48 < 10 }), let length = Int(digits),
            let prefix = IPPrefix(address, length: length),
            prefix.address == address
        else { return nil }
        self = prefix
    }

    /// `address/length`, or the bare address for a single one.
    public var description: String { bits == 128 ? "\(address)" : "\(address)/\(length)" }
}
