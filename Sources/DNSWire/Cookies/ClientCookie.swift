/// The COOKIE option of a query (RFC 7873, section 4), copied out of it: what a client sent, good or not.
public struct ClientCookie: Equatable, Sendable {
    /// The client's own part, eight bytes in network order.
    public let client: UInt64
    /// Length of the server's part in bytes: 0 when the client has none, else 8 to 32.
    public let serverLength: Int
    /// The first eight bytes of the server's part, in network order: version, reserved bytes, time in our form.
    let serverPrefix: UInt64
    /// The next eight bytes of the server's part: the hash in our form; 0 when it is not of our form's length.
    let serverHash: UInt64

    /// Length of a server cookie of the interoperable form in bytes (RFC 9018, section 4).
    static let interoperableLength = 16

    /// Reads the option's data; nil when it has a length that no cookie has, which is a format error
    /// (RFC 7873, section 5.2.2).
    init?(_ option: EDNSOption, in message: Span<UInt8>) {
        let length = option.dataLength
        guard length == 8 || (16...40).contains(length) else { return nil }
        client = message.uint64(at: option.dataOffset)
        serverLength = length - 8
        serverPrefix = length >= 16 ? message.uint64(at: option.dataOffset + 8) : 0
        serverHash =
            length == 8 + ClientCookie.interoperableLength ? message.uint64(at: option.dataOffset + 16) : 0
    }
}
