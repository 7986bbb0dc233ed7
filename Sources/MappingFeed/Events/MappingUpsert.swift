public import DNSWire

/// Addresses that a name turned into for one identity, new or valid for longer than before.
public struct MappingUpsert: Hashable, Sendable {
    /// Position in the feed; the hub assigns it.
    public var sequence: UInt64
    /// Whose connections are to be let through.
    public var identity: UInt64
    /// The address that asked.
    public var client: IPAddress
    /// The name that was asked.
    public var name: DomainName
    /// The CNAME targets between the name and the addresses, in order.
    public var chain: [DomainName]
    /// Exactly the addresses that are new or extended.
    public var addresses: [MappedAddress]
    /// The rules that select the name, with the ports that they open.
    public var rules: [MappingRule]
    /// Where the addresses come from.
    public var source: MappingSource

    /// A mapping that has not been published yet.
    public init(
        sequence: UInt64 = 0, identity: UInt64, client: IPAddress, name: DomainName, chain: [DomainName] = [],
        addresses: [MappedAddress], rules: [MappingRule] = [], source: MappingSource = .answer
    ) {
        self.sequence = sequence
        self.identity = identity
        self.client = client
        self.name = name
        self.chain = chain
        self.addresses = addresses
        self.rules = rules
        self.source = source
    }
}

/// One address of a mapping.
public struct MappedAddress: Hashable, Sendable {
    /// The address to open.
    public var ip: IPAddress
    /// The TTL that the client was given, in seconds.
    public var ttl: UInt32
    /// When to close it, grace included: UTC seconds since the epoch, kept to the microsecond.
    public var expires: Double

    /// An address that is open until `expires`.
    public init(ip: IPAddress, ttl: UInt32, expires: Double) {
        self.ip = ip
        self.ttl = ttl
        self.expires = expires
    }
}

/// A policy that selects a mapping.
public struct MappingRule: Hashable, Sendable {
    /// The policy, as `namespace/name`.
    public var policy: String
    /// What it opens; empty for every port.
    public var ports: [MappingPort]

    /// A rule of `policy`.
    public init(policy: String, ports: [MappingPort] = []) {
        self.policy = policy
        self.ports = ports
    }
}

/// A port or a range of ports.
public struct MappingPort: Hashable, Sendable {
    /// The port, or the first of the range; 0 is any.
    public var port: UInt16
    /// The last port of a range; nil for a single one.
    public var endPort: UInt16?
    /// The transport.
    public var transport: MappingTransport

    /// A port of a transport.
    public init(port: UInt16, endPort: UInt16? = nil, transport: MappingTransport = .any) {
        self.port = port
        self.endPort = endPort
        self.transport = transport
    }
}

/// The transports that a rule can name; the raw value is what the feed carries as `protocol`.
public enum MappingTransport: String, Hashable, Sendable, CaseIterable {
    /// All of them.
    case any = "ANY"
    /// TCP.
    case tcp = "TCP"
    /// UDP.
    case udp = "UDP"
    /// SCTP.
    case sctp = "SCTP"
}

/// Where the addresses of a mapping come from.
public enum MappingSource: String, Hashable, Sendable, CaseIterable {
    /// A and AAAA records of an answer.
    case answer
    /// The address hints of an HTTPS or SVCB record (RFC 9460, section 7.3).
    case hint
    /// An answer of before, kept because an enforcer reported a live connection.
    case connection
    /// A journal, after a restart.
    case restore
}
