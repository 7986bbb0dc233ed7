/// The 128-bit secret that server cookies are keyed with (RFC 9018, section 4.4).
public struct CookieSecret: Equatable, Sendable {
    /// The first eight bytes, as SipHash takes them: little-endian.
    private let low: UInt64
    /// The last eight bytes, likewise.
    private let high: UInt64

    /// Length of a secret in bytes.
    public static let length = 16

    /// The secret in `bytes`, for servers that share it; nil when there are not sixteen.
    public init?(_ bytes: Span<UInt8>) {
        guard bytes.count == CookieSecret.length else { return nil }
        low = bytes.uint64(at: 0).byteSwapped
        high = bytes.uint64(at: 8).byteSwapped
    }

    /// A secret that nobody knows, from the system's generator.
    public static func random() -> CookieSecret {
        CookieSecret(low: .random(in: .min ... .max), high: .random(in: .min ... .max))
    }

    /// A secret from its halves.
    private init(low: UInt64, high: UInt64) {
        self.low = low
        self.high = high
    }

    /// The hash of a server cookie: SipHash-2-4 of client cookie, version, reserved bytes, time and the client's
    /// address of 4 or 16 bytes (RFC 9018, section 4.4), in network order.
    func hash(client: UInt64, prefix: UInt64, address: IPAddress) -> UInt64 {
        var state = SipHash(low: low, high: high)
        state.add(client.byteSwapped)
        state.add(prefix.byteSwapped)
        if address.isIPv4 {
            return state.finish(tail: UInt64(address.ipv4.byteSwapped), count: 20).byteSwapped
        }
        state.add(address.high.byteSwapped)
        state.add(address.low.byteSwapped)
        return state.finish(tail: 0, count: 32).byteSwapped
    }
}

/// SipHash-2-4, fed with whole words: two rounds for each, four at the end.
struct SipHash {
    /// The state.
    private var v0, v1, v2, v3: UInt64

    /// The state before the first word, for a key's halves.
    init(low: UInt64, high: UInt64) {
        v0 = low ^ 0x736F_6D65_7073_6575
        v1 = high ^ 0x646F_7261_6E64_6F6D
        v2 = low ^ 0x6C79_6765_6E65_7261
        v3 = high ^ 0x7465_6462_7974_6573
    }

    /// Takes eight bytes, little-endian.
    mutating func add(_ word: UInt64) {
        v3 ^= word
        round()
        round()
        v0 ^= word
    }

    /// Takes the last zero to seven bytes of a message of `count` bytes, and gives the hash.
    mutating func finish(tail: UInt64, count: Int) -> UInt64 {
        add(tail | UInt64(truncatingIfNeeded: count) << 56)
        v2 ^= 0xFF
        for _ in 0..<4 { round() }
        return v0 ^ v1 ^ v2 ^ v3
    }

    /// One round.
    private mutating func round() {
        v0 &+= v1
        v1 = SipHash.rotate(v1, 13) ^ v0
        v0 = SipHash.rotate(v0, 32)
        v2 &+= v3
        v3 = SipHash.rotate(v3, 16) ^ v2
        v0 &+= v3
        v3 = SipHash.rotate(v3, 21) ^ v0
        v2 &+= v1
        v1 = SipHash.rotate(v1, 17) ^ v2
        v2 = SipHash.rotate(v2, 32)
    }

    /// The bits of `word`, rotated to the left.
    private static func rotate(_ word: UInt64, _ count: UInt64) -> UInt64 { word << count | word >> (64 - count) }
}
