public import FQDNPolicy

/// A cached answer; an element of `GET /v1/answers`.
public struct AdminAnswer: Codable, Hashable, Sendable {
    /// The name in presentation format.
    public var name: String
    /// The record type's mnemonic; `ANY` for an NXDOMAIN, which covers all of them.
    public var type: String
    /// The response code's mnemonic.
    public var rcode: String
    /// Seconds of its lifetime left; 0 when it is stale.
    public var ttl: UInt32
    /// How often it was served.
    public var hits: UInt32
    /// Bytes that it occupies.
    public var size: Int
    /// `fresh` or `stale`.
    public var state: State
    /// The data of its records in presentation format, the first few of them.
    public var data: [String]

    /// An answer from all its parts.
    public init(
        name: String, type: String, rcode: String, ttl: UInt32, hits: UInt32, size: Int, state: State,
        data: [String] = []
    ) {
        self.name = name
        self.type = type
        self.rcode = rcode
        self.ttl = ttl
        self.hits = hits
        self.size = size
        self.state = state
        self.data = data
    }

    /// Whether an answer is within its lifetime.
    public enum State: String, Codable, Sendable {
        /// It is.
        case fresh
        /// It is not, and only served while no upstream answers (RFC 8767).
        case stale
    }
}

/// A labelled thing that owns client addresses; an element of `GET /v1/identities`.
public struct AdminIdentity: Codable, Hashable, Sendable {
    /// Its number in mappings and in the feed.
    public var id: UInt64
    /// Its name, the first of `names`.
    public var name: String
    /// Every name that documents give to its labels.
    public var names: [String]
    /// Its namespace; empty for `reserved:unknown`.
    public var namespace: String
    /// Its labels.
    public var labels: [String: String]
    /// Its addresses and prefixes.
    public var addresses: [String]
    /// The policies that select it.
    public var policies: [String]
    /// Whether it may ask only for what is allowed.
    public var isRestricted: Bool
    /// Its compiled rules, as `policy list` shows them.
    public var rules: Int

    /// An identity from all its parts.
    public init(
        id: UInt64, names: [String], namespace: String, labels: [String: String], addresses: [String],
        policies: [String], isRestricted: Bool, rules: Int
    ) {
        self.id = id
        name = names.first ?? ""
        self.names = names
        self.namespace = namespace
        self.labels = labels
        self.addresses = addresses
        self.policies = policies
        self.isRestricted = isRestricted
        self.rules = rules
    }

    /// Whether it is called so: by one of its names, or by its namespace, a slash and one of them.
    func isCalled(_ text: String) -> Bool { names.contains { $0 == text || "\(namespace)/\($0)" == text } }
}

/// What would happen to a query, and why; the answer of `GET /v1/policy/explain`.
public struct AdminExplanation: Codable, Hashable, Sendable {
    /// The address that would ask.
    public var client: String
    /// The number of the identity that owns it.
    public var identity: UInt64
    /// That identity as `namespace/name`.
    public var identityName: String
    /// The name, canonical.
    public var name: String
    /// The record type's mnemonic.
    public var type: String
    /// `udp` or `tcp`.
    public var transport: String
    /// `allowed`, `denied`, `audited` or `prohibited`.
    public var verdict: String
    /// Whether the addresses would be learned and published.
    public var learned: Bool
    /// The explanation line by line, as `policy explain` prints it.
    public var lines: [String]
    /// The same for programs: the rules that match, what is learned for which ports, near misses.
    public var details: Explanation

    /// An explanation from all its parts.
    public init(
        client: String, identity: UInt64, identityName: String, name: String, type: String, transport: String,
        verdict: String, learned: Bool, details: Explanation
    ) {
        self.client = client
        self.identity = identity
        self.identityName = identityName
        self.name = name
        self.type = type
        self.transport = transport
        self.verdict = verdict
        self.learned = learned
        self.lines = details.lines
        self.details = details
    }
}

/// How many things were forgotten; the answer of both DELETE requests.
public struct AdminRemoval: Codable, Hashable, Sendable {
    /// Answers or mappings.
    public var removed: Int
}

/// The answer of `POST /v1/reload`.
public struct AdminReload: Codable, Hashable, Sendable {
    /// Whether the new documents are in force; if not, the old ones still are.
    public var reloaded: Bool
    /// Everything there is to say about the documents, one line each.
    public var problems: [String]
}

/// The body of every answer that is not a success.
public struct AdminFailure: Codable, Hashable, Sendable {
    /// What is wrong, for a person.
    public var error: String
    /// The query parameter that is wrong, if it is one.
    public var parameter: String?
}
