/// An IPv4 or IPv6 address as plain data, sixteen bytes in network order and a family.
///
/// IPv4 is kept as the IPv4-mapped address (RFC 4291, section 2.5.5.2); a mapped address that arrives as IPv6
/// compares equal to the IPv4 address, because for policy and enforcement it is the same host.
public struct IPAddress: Hashable, Sendable {
    /// The upper 64 bits, host byte order.
    public let high: UInt64
    /// The lower 64 bits, host byte order.
    public let low: UInt64

    /// Takes the 128 bits of an IPv6 (or IPv4-mapped) address.
    @inlinable
    public init(high: UInt64, low: UInt64) {
        self.high = high
        self.low = low
    }

    /// An IPv4 address from its 32 bits in host byte order.
    @inlinable
    public init(ipv4: UInt32) {
        high = 0
        low = 0xFFFF_0000_0000 | UInt64(ipv4)
    }

    /// Whether this is an IPv4 address.
    @inlinable
    public var isIPv4: Bool { high == 0 && low >> 32 == 0xFFFF }

    /// The 32 bits of an IPv4 address, host byte order; meaningless for IPv6.
    @inlinable
    public var ipv4: UInt32 { UInt32(truncatingIfNeeded: low) }

    /// The byte at `index` (0 to 15) in network order.
    @inlinable
    public func byte(_ index: Int) -> UInt8 {
        UInt8(truncatingIfNeeded: index < 8 ? high >> UInt64(56 - 8 * index) : low >> UInt64(120 - 8 * index))
    }

    /// Reads an A (4 bytes) or AAAA (16 bytes) record's data; nil for any other length or past the end.
    public init?(_ message: Span<UInt8>, at offset: Int, count: Int) {
        guard offset >= 0, count == 4 || count == 16, offset <= message.count - count else { return nil }
        var high: UInt64 = 0
        var low: UInt64 = 0
        for index in 0..<count {
            high = high << 8 | low >> 56
            low = low << 8 | UInt64(message[offset + index])
        }
        if count == 4 { self.init(ipv4: UInt32(low)) } else { self.init(high: high, low: low) }
    }
}

/// Ranges that a name may not open (rule 5 of the architecture).
extension IPAddress {
    /// 0.0.0.0/8 or `::`: not an address of anybody (RFC 1122, section 3.2.1.3; RFC 4291, section 2.5.2).
    public var isUnspecified: Bool { isIPv4 ? ipv4 >> 24 == 0 : high == 0 && low == 0 }
    /// 127.0.0.0/8 or `::1`.
    public var isLoopback: Bool { isIPv4 ? ipv4 >> 24 == 127 : high == 0 && low == 1 }
    /// 169.254.0.0/16 (RFC 3927) or fe80::/10 (RFC 4291, section 2.5.6).
    public var isLinkLocal: Bool { isIPv4 ? ipv4 >> 16 == 0xA9FE : high >> 54 == 0x3FA }
    /// 224.0.0.0/4, ff00::/8, and the limited broadcast address.
    public var isMulticast: Bool { isIPv4 ? ipv4 >> 28 == 0xE || ipv4 == .max : high >> 56 == 0xFF }
    /// Whether a mapping may carry the address, before any list of the operator.
    public var isLearnable: Bool { !isUnspecified && !isLoopback && !isLinkLocal && !isMulticast }
}

extension IPAddress: Comparable {
    /// Numerical order, IPv4 at its mapped place.
    public static func < (left: IPAddress, right: IPAddress) -> Bool {
        left.high != right.high ? left.high < right.high : left.low < right.low
    }
}

extension IPAddress: LosslessStringConvertible {
    /// Reads dotted decimal (four numbers without leading zeros) or RFC 4291, section 2.2, text; no zone, no prefix.
    public init?(_ text: some StringProtocol) {
        let bytes = Array(text.utf8)
        if !bytes.contains(UInt8(ascii: ":")) {
            guard let value = IPAddress.parseIPv4(bytes[...]) else { return nil }
            self.init(ipv4: value)
        } else {
            guard let groups = IPAddress.parseIPv6(bytes) else { return nil }
            self.init(
                high: groups[0..<4].reduce(0) { $0 << 16 | UInt64($1) },
                low: groups[4..<8].reduce(0) { $0 << 16 | UInt64($1) })
        }
    }

    public init?(_ description: String) {
        self.init(description[...])
    }

    /// Dotted decimal, or the canonical text of RFC 5952.
    public var description: String {
        if isIPv4 { return "\(ipv4 >> 24).\(ipv4 >> 16 & 255).\(ipv4 >> 8 & 255).\(ipv4 & 255)" }
        let groups = (0..<8).map { Int(byte(2 * $0)) << 8 | Int(byte(2 * $0 + 1)) }
        var best = 0..<0
        var start: Int? = nil
        for index in 0...8 {
            if index < 8, groups[index] == 0 {
                if start == nil { start = index }
            } else if let first = start {
                if index - first > best.count, index - first > 1 { best = first..<index }
                start = nil
            }
        }
        func text(_ range: Range<Int>) -> String {
            groups[range].map { String($0, radix: 16) }.joined(separator: ":")
        }
        return best.isEmpty ? text(0..<8) : text(0..<best.lowerBound) + "::" + text(best.upperBound..<8)
    }

    /// Four decimal numbers of 0 to 255 without leading zeros.
    private static func parseIPv4(_ bytes: ArraySlice<UInt8>) -> UInt32? {
        let parts = bytes.split(separator: UInt8(ascii: "."), omittingEmptySubsequences: false)
        guard parts.count == 4 else { return nil }
        var value: UInt32 = 0
        for part in parts {
            guard (1...3).contains(part.count), part.count == 1 || part.first != UInt8(ascii: "0") else { return nil }
            var number: UInt32 = 0
            for digit in part {
                guard digit &- 48 < 10 else { return nil }
                number = number * 10 + UInt32(digit - 48)
            }
            guard number <= 255 else { return nil }
            value = value << 8 | number
        }
        return value
    }

    /// Eight groups, one run of zeros written `::`, the last two groups perhaps in dotted decimal.
    private static func parseIPv6(_ bytes: [UInt8]) -> [UInt16]? {
        var groups: [UInt16] = []
        var gap: Int? = nil
        var index = 0
        if bytes.starts(with: "::".utf8) {
            gap = 0
            index = 2
        }
        while index < bytes.count {
            let end = bytes[index...].firstIndex(of: UInt8(ascii: ":")) ?? bytes.count
            let part = bytes[index..<end]
            if part.contains(UInt8(ascii: ".")) {
                guard end == bytes.count, let value = parseIPv4(part) else { return nil }
                groups += [UInt16(value >> 16), UInt16(value & 0xFFFF)]
                index = end
                break
            }
            guard (1...4).contains(part.count), part.allSatisfy({ isHexDigit($0) }),
                let group = UInt16(String(decoding: part, as: UTF8.self), radix: 16)
            else { return nil }
            groups.append(group)
            guard groups.count <= 8 else { return nil }
            index = end
            guard index < bytes.count else { break }
            index += 1
            guard index < bytes.count else { return nil }
            if bytes[index] == UInt8(ascii: ":") {
                guard gap == nil else { return nil }
                gap = groups.count
                index += 1
            }
        }
        guard let gap else { return groups.count == 8 ? groups : nil }
        guard groups.count < 8 else { return nil }
        return Array(groups[..<gap]) + Array(repeating: 0, count: 8 - groups.count) + Array(groups[gap...])
    }

    /// Whether a byte is a hexadecimal digit.
    private static func isHexDigit(_ byte: UInt8) -> Bool { byte &- 48 < 10 || (byte | 0x20) &- 97 < 6 }
}
