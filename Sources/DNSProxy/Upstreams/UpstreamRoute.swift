public import DNSWire

/// Which servers answer for which names.
public struct UpstreamRoute: Equatable, Sendable {
    /// In what order servers are tried.
    public enum Policy: String, CaseIterable, Sendable {
        /// The first that is up.
        case sequential
        /// Any that is up.
        case random
        /// Each in turn.
        case roundRobin
    }

    /// The names at and below which this route is taken; empty for the rest.
    public var domains: [DomainName]
    /// The servers, at least one.
    public var servers: [UpstreamServer]
    /// In what order they are tried.
    public var policy: Policy
    /// Whether questions in datagrams have letters of random case (draft-vixie-dnsext-dns0x20).
    public var randomizesCase: Bool

    /// A route to `servers` for `domains`.
    public init(
        domains: [DomainName] = [], servers: [UpstreamServer], policy: Policy = .sequential, randomizesCase: Bool = true
    ) {
        self.domains = domains
        self.servers = servers
        self.policy = policy
        self.randomizesCase = randomizesCase
    }
}
