/// Makes and checks server cookies of the interoperable form (RFC 9018): who shows one has received a packet at the
/// address that it asks from.
///
/// A plain value without a clock: copy it to every worker, and again after each rotation of its secrets. Servers that
/// share secrets take each other's cookies.
public struct ServerCookies: Sendable {
    /// Seconds that a cookie is taken after it was made (RFC 9018, section 4.3).
    public static let lifetime: UInt32 = 3600
    /// Seconds after which a client is given a new cookie (RFC 9018, section 4.3).
    public static let renewal: UInt32 = 1800
    /// Seconds that the clock of who made a cookie may be ahead (RFC 9018, section 4.3).
    public static let clockSkew: UInt32 = 300

    /// What new cookies are made with.
    public private(set) var current: CookieSecret
    /// What cookies were made with before the last rotation, which are good for as long as they live.
    public private(set) var previous: CookieSecret?

    /// Cookies made with `current`; those made with `previous` are taken too.
    public init(current: CookieSecret, previous: CookieSecret? = nil) {
        self.current = current
        self.previous = previous
    }

    /// Makes `secret` the current one, and the current one the previous (RFC 9018, section 5).
    ///
    /// No sooner than `lifetime` seconds after the last rotation, or clients lose cookies that are still good.
    public mutating func rotate(to secret: CookieSecret) {
        previous = current
        current = secret
    }

    /// Judges what a client sent from `address`, and says what to send back.
    ///
    /// - Parameter seconds: The time since the epoch in seconds, modulo 2^32; compared in serial number arithmetic
    ///   (RFC 1982), so that it may wrap.
    public func respond(to cookie: ClientCookie, from address: IPAddress, at seconds: UInt32) -> CookieResponse {
        let standing = standing(of: cookie, from: address, at: seconds)
        if standing == .good {
            return CookieResponse(
                standing: .good, client: cookie.client, prefix: cookie.serverPrefix, hash: cookie.serverHash)
        }
        let prefix = ServerCookies.version | UInt64(seconds)
        return CookieResponse(
            standing: standing, client: cookie.client, prefix: prefix,
            hash: current.hash(client: cookie.client, prefix: prefix, address: address))
    }

    /// What a client's cookie is worth.
    private func standing(of cookie: ClientCookie, from address: IPAddress, at seconds: UInt32) -> CookieStanding {
        guard cookie.serverLength > 0 else { return .absent }
        guard cookie.serverLength == ClientCookie.interoperableLength,
            cookie.serverPrefix & ServerCookies.versionMask == ServerCookies.version
        else { return .bad }
        let age = Int32(truncatingIfNeeded: seconds &- UInt32(truncatingIfNeeded: cookie.serverPrefix))
        guard age <= Int32(ServerCookies.lifetime), age >= -Int32(ServerCookies.clockSkew) else { return .bad }
        // The reserved bytes are hashed as they came (RFC 9018, section 4.4).
        if current.hash(client: cookie.client, prefix: cookie.serverPrefix, address: address) == cookie.serverHash {
            return age > Int32(ServerCookies.renewal) ? .old : .good
        }
        guard let previous,
            previous.hash(client: cookie.client, prefix: cookie.serverPrefix, address: address) == cookie.serverHash
        else { return .bad }
        return .old
    }

    /// Version 1 in the first byte of a server cookie, the three reserved bytes 0 (RFC 9018, sections 4.1 and 4.2).
    private static let version: UInt64 = 0x0100_0000_0000_0000
    /// Where the version is.
    private static let versionMask: UInt64 = 0xFF00_0000_0000_0000
}

/// What the cookie of a query is worth.
public enum CookieStanding: Equatable, Sendable {
    /// There is a client cookie only: the client does not know a cookie of ours yet.
    case absent
    /// There is a server cookie, but none that we made for this client at this address in the last hour.
    case bad
    /// It is good, and old enough to be replaced, or made with the secret before the last rotation.
    case old
    /// It is good.
    case good

    /// Whether the client has shown that it receives what is sent to its address.
    public var isValid: Bool { self == .old || self == .good }
}

/// What comes of a query's cookie, and the cookie for its response.
public struct CookieResponse: Equatable, Sendable {
    /// What the query's cookie was worth.
    public let standing: CookieStanding
    /// The client's part, repeated.
    let client: UInt64
    /// Version, reserved bytes and time of the server cookie.
    let prefix: UInt64
    /// Hash of the server cookie.
    let hash: UInt64

    /// Length of the whole option in bytes: code, length, client cookie, server cookie.
    public static let optionLength = 4 + 8 + ClientCookie.interoperableLength

    /// Writes the option at `offset` of `output`, which has room for it, and returns the offset behind it.
    public func write(to output: inout MutableSpan<UInt8>, at offset: Int) -> Int {
        output.put16(EDNSOption.cookie, at: offset)
        output.put16(UInt16(CookieResponse.optionLength - 4), at: offset + 2)
        output.put64(client, at: offset + 4)
        output.put64(prefix, at: offset + 12)
        output.put64(hash, at: offset + 20)
        return offset + CookieResponse.optionLength
    }
}
