public import DNSWire
public import FQDNPolicy

/// What the admin API asks of the engine. Every function may be called from any thread, several at once, and none of
/// them may wait for a client or an upstream.
public protocol AdminBackend: Sendable {
    /// What the daemon is and how it does, for `GET /v1/status`.
    func status() async -> AdminStatus

    /// The figures of `GET /metrics`.
    func metrics() async -> AdminMetrics

    /// What is missing for clients to be sent here, for people to read, without names or addresses, since everybody
    /// may see it; empty when ready. `Readiness` says what it takes.
    func notReady() -> [String]

    /// Hands every mapping that `filter` selects to `body`, some hundred at a time, in any order.
    ///
    /// No lock may be held while `body` runs: it waits until the client has taken what it was given. A mapping that
    /// changes meanwhile may come in its old or its new form.
    /// - Throws: only what `body` throws, which ends the listing.
    func mappings(
        _ filter: MappingFilter, _ body: ([AdminMapping]) async throws -> Void
    ) async throws

    /// Hands every cached answer whose name `names` selects to `body`, as `mappings` does.
    func answers(
        _ names: NameFilter, _ body: ([AdminAnswer]) async throws -> Void
    ) async throws

    /// What was denied in the last minutes, what was denied most first, `limit` names at most. It is counted as of each
    /// call, so somebody has to call it once a second to miss nothing.
    func denials(limit: Int) async -> AdminDenials

    /// Forgets the answers whose name `names` selects, and tells how many there were.
    func removeAnswers(_ names: NameFilter) async -> Int

    /// Forgets the mappings whose name `names` selects, publishes that with the reason `flushed`, and tells how many
    /// there were.
    func removeMappings(_ names: NameFilter) async -> Int

    /// What would happen to a query, and why.
    func explain(_ query: ExplainedQuery) async -> AdminExplanation

    /// The identities of the snapshot in force, `reserved:unknown` among them.
    func identities() async -> [AdminIdentity]

    /// Hands every compiled rule of `identities`, or of all, to `body`, some hundred at a time, identity by identity. All
    /// of them are of one snapshot.
    /// - Throws: only what `body` throws, which ends the listing.
    func rules(of identities: Set<UInt64>?, _ body: ([AdminRule]) async throws -> Void) async throws

    /// A policy from the names that an identity asked for; nil when there is no such identity.
    func suggestion(for identity: UInt64) async -> AdminSuggestion?

    /// Whether finished queries are kept at all.
    var keepsFlows: Bool { get }

    /// Hands the flows that `request` wants to `body`, a few at a time, the oldest first. With `follows` until the task is
    /// cancelled, the daemon stops or `body` throws; then `body` also gets an empty list now and then.
    ///
    /// A `body` that takes long misses flows and is told how many; nobody waits for it.
    /// - Throws: what `body` throws, `CancellationError`.
    func flows(_ request: FlowRequest, _ body: ([FlowEvent]) async throws -> Void) async throws

    /// Reads every document again; what is wrong with them, and then nothing has changed if there is an error.
    func reload() async -> [DocumentProblem]
}

/// Which mappings a listing shows.
public struct MappingFilter: Sendable {
    /// By the name that was asked.
    public var names: NameFilter
    /// By the identity that asked; nil for every one.
    public var identities: Set<UInt64>?

    /// The mappings of `identities` under `names`.
    public init(names: NameFilter = .all, identities: Set<UInt64>? = nil) {
        self.names = names
        self.identities = identities
    }
}

/// A query that nobody has sent.
public struct ExplainedQuery: Sendable {
    /// Who would ask.
    public var client: IPAddress
    /// What for.
    public var name: DomainName
    /// The record type.
    public var type: RecordType
    /// How.
    public var transport: QueryTransport

    /// A query of `client` for `name`.
    public init(client: IPAddress, name: DomainName, type: RecordType = .a, transport: QueryTransport = .udp) {
        self.client = client
        self.name = name
        self.type = type
        self.transport = transport
    }
}
