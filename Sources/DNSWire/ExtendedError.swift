/// An extended DNS error's info code (RFC 8914, section 4, and the IANA registry).
public struct ExtendedError: RawRepresentable, Hashable, Sendable {
    public let rawValue: UInt16
    @inlinable public init(rawValue: UInt16) { self.rawValue = rawValue }

    /// Nothing more to say than the response code.
    public static let none = ExtendedError(rawValue: .max)
    /// The answer is older than its TTL.
    public static let staleAnswer = ExtendedError(rawValue: 3)
    /// The failure was remembered, not met just now.
    public static let cachedError = ExtendedError(rawValue: 13)
    /// The server is not ready to answer.
    public static let notReady = ExtendedError(rawValue: 14)
    /// The operator's policy does not allow the name.
    public static let blocked = ExtendedError(rawValue: 15)
    /// The client may not ask here.
    public static let prohibited = ExtendedError(rawValue: 18)
    /// The NXDOMAIN is older than its TTL.
    public static let staleNameError = ExtendedError(rawValue: 19)
    /// The operation or query is not supported.
    public static let notSupported = ExtendedError(rawValue: 21)
    /// No upstream could be reached.
    public static let noReachableAuthority = ExtendedError(rawValue: 22)
    /// An upstream answered with an error.
    public static let networkError = ExtendedError(rawValue: 23)
}
