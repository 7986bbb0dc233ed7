public import DNSWire
public import FQDNPolicy

/// Everything that a running engine is told, already checked. The defaults are those of an empty file.
public struct EngineConfiguration: Sendable {
    /// Where clients are answered, over UDP and TCP.
    public var listen: [SocketAddress] = [SocketAddress(IPAddress(ipv4: 0x7F00_0001), port: 5355)]
    /// Whom the process becomes when its sockets are bound, by name or number; nil for nobody else.
    public var user: String?
    /// The group of its files then, by name or number; nil for the user's own.
    public var group: String?
    /// Worker threads, 1 to 256; nil for one per available core.
    public var workers: Int?
    /// When an identity is restricted.
    public var enforcement: EnforcementMode = .default
    /// What happens to clients that no identity owns, once there is a policy document.
    public var unknownClients: UnknownClientsMode = .refuse
    /// Files and folders with policy documents.
    public var policies: [String] = []
    /// Files with identities.
    public var identities: [String] = []
    /// Zone files with local records.
    public var zones: [String] = []
    /// Where questions are forwarded; empty for the nameservers of `/etc/resolv.conf`.
    public var upstreams: [UpstreamRoute] = []
    /// How a denied query is answered.
    public var denyResponse: DenyResponse = .refused
    /// Networks whose queries are taken; all others are dropped without an answer.
    public var allowQueriesFrom: [IPPrefix] = EngineConfiguration.privateNetworks
    /// The answer cache.
    public var cache = Cache()
    /// What is learned, and for how long.
    public var learning = Learning()
    /// How learned mappings leave.
    public var feed = Feed()
    /// Where operators look.
    public var admin = Admin()
    /// How much of the daemon clients may take.
    public var limits = Limits()
    /// What metrics tell.
    public var metrics = Metrics()
    /// What is kept of finished queries.
    public var flows = Flows()

    /// The defaults.
    public init() {}

    /// How a denied query is answered.
    public enum DenyResponse: String, CaseIterable, Sendable {
        /// REFUSED.
        case refused
        /// NXDOMAIN with a synthesised SOA, for resolvers that give up a search list on REFUSED.
        case nameError
    }

    /// The answer cache.
    public struct Cache: Sendable {
        /// Bytes that answers may take, names and bookkeeping included; 1 MiB at least.
        public var size: Int = 64 << 20
        /// Seconds that an answer is served at least.
        public var minTTL: UInt32 = 0
        /// Seconds that an answer is served at most.
        public var maxTTL: UInt32 = 86_400
        /// Seconds that a negative answer is served at most.
        public var negativeMaxTTL: UInt32 = 3_600
        /// Seconds that an expired answer may be served while no upstream answers (RFC 8767).
        public var serveStale: UInt32 = 3_600
        /// Whether popular answers are renewed before they expire.
        public var prefetch = true
    }

    /// What is learned, and for how long.
    public struct Learning: Sendable {
        /// Which names are learned.
        public enum Scope: String, CaseIterable, Sendable {
            /// Those that a `toFQDNs` rule of the client's identity selects.
            case selected
            /// Every name that is answered with addresses.
            case all
        }

        /// Which names are learned.
        public var scope: Scope = .selected
        /// Seconds that a mapping lives at least, grace not counted.
        public var minTTL: UInt32 = 0
        /// Seconds that a mapping stays after its TTL.
        public var grace: UInt32 = 60
        /// Addresses of one name for one identity, 1 to 65535; the earliest to expire go first.
        public var maxAddressesPerName: Int = 1_000
        /// Addresses that are never learned, besides loopback, link-local, multicast and unspecified ones.
        public var denyAddresses: [IPPrefix] = []
    }

    /// How learned mappings leave.
    public struct Feed: Sendable {
        /// What happens to an answer whose mapping was not acknowledged in time.
        public enum OnDelay: String, CaseIterable, Sendable {
            /// It leaves anyway.
            case answer
            /// The client gets SERVFAIL.
            case servfail
        }

        /// Path of the socket that enforcers connect to; nil for none.
        public var socket: String?
        /// Group, by name or number, whose members may connect to the socket; nil for the daemon's own group.
        public var group: String?
        /// Folder of the journal; nil for none.
        public var journal: String?
        /// Milliseconds that an answer waits for acknowledgements at most.
        public var maxDelayMilliseconds: Int = 100
        /// What happens after that.
        public var onDelay: OnDelay = .answer
        /// Whether answers that need a mapping also wait while no acknowledging enforcer is connected.
        public var requireEnforcer = false
    }

    /// Where operators look.
    public struct Admin: Sendable {
        /// Path of the socket of the admin API; nil for none.
        public var socket: String?
        /// Where metrics are served; nil for nowhere.
        public var http: SocketAddress?
        /// Whether the page is served there too.
        public var page = false
        /// Where `/health` and `/ready` are served; nil for nowhere.
        public var health: SocketAddress?
    }

    /// How much of the daemon clients may take.
    public struct Limits: Sendable {
        /// Connections of clients at a time, 1 to 1,000,000; fewer where there are not enough descriptors for them.
        public var connections = 4_096
        /// Connections of one client at a time, 1 to 1,000,000.
        public var connectionsPerClient = 256
        /// Seconds after which a connection is closed on which no whole query has come and no answer has left, 1 to 3600.
        public var idleTimeout: UInt32 = 10
        /// Seconds after which a new connection is closed on which no whole query has come yet, 1 to 3600.
        public var firstQueryTimeout: UInt32 = 5
        /// Responses over UDP to one client in a second at most, 1 to 1,000,000; nil for as many as it asks for.
        public var responsesPerSecond: Int?
        /// How many bits of an IPv6 address tell one client from another under `responsesPerSecond`, 32 to 128.
        public var ipv6PrefixLength = 64

        /// The defaults.
        public init() {}
    }

    /// What metrics tell.
    public struct Metrics: Sendable {
        /// Whether each server has metrics of its own, with its address and the domains of its route as labels.
        public var upstreamLabels = false
    }

    /// What is kept of finished queries.
    public struct Flows: Sendable {
        /// Flows that are kept for people to look at, and as many again of those that the cache answered; 0 for none, and
        /// then none are exported either.
        public var recent = 4_096
        /// Flows a second that are noted at most while nobody looks, over all workers.
        public var rate = 1_000
        /// The same while somebody looks, or flows are exported; as many again of those that the cache answers.
        public var watchedRate = 20_000
        /// Where flows are written; nil for nowhere.
        public var export: Export?

        /// Where flows are written, and which.
        public struct Export: Sendable {
            /// The path of the file; nil for standard output.
            public var file: String?
            /// Bytes that the file may have before another one begins.
            public var maxSize = 50_000_000
            /// Files that are kept besides it.
            public var maxFiles = 5
            /// Flows have to be one of these; all are written when there are none.
            public var allow: [FlowFilter] = []
            /// Flows must not be one of these.
            public var deny: [FlowFilter] = []
            /// What of a flow is written.
            public var fields = HubbleFields.all
        }
    }

    /// Loopback, private and link-local ranges (RFC 1918, RFC 4193, RFC 3927, RFC 4291).
    public static let privateNetworks: [IPPrefix] = [
        "127.0.0.0/8", "10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16", "169.254.0.0/16", "::1", "fc00::/7",
        "fe80::/10",
    ].compactMap { IPPrefix($0) }
}
