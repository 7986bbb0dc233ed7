import DNSWire
import FQDNCache
import FQDNPolicy

/// Turns what workers have noted into flows: who asked, what was answered, and why. Everything that costs anything is here,
/// on the reader's side.
struct FlowReader {
    /// Which decision is remembered.
    private struct Key: Hashable {
        /// The identity's place in the policy.
        let identity: Int
        /// The name.
        let name: DomainName
        /// How the query came.
        let transport: QueryTransport
    }

    /// The policy in force.
    private let snapshots: PublishedCell<EngineSnapshot>
    /// The policy as of the last batch.
    private var policy: PolicySnapshot
    /// Places of identities in it, by their numbers.
    private var indices: [IdentityID: Int] = [:]
    /// The clocks as of the last batch.
    private var clock = WallClock()
    /// What was found out about names of this policy.
    private var decisions: [Key: PolicyDecision] = [:]

    /// Decisions that are remembered.
    private static let limit = 2_048

    /// A reader of flows that were judged by `snapshots`.
    init(_ snapshots: PublishedCell<EngineSnapshot>) {
        self.snapshots = snapshots
        policy = snapshots.load().policy
        adopt(policy)
    }

    /// Takes the policy and the clocks as they are now; called before each batch.
    mutating func beginBatch() {
        clock = WallClock()
        guard snapshots.generation != policy.generation else { return }
        adopt(snapshots.load().policy)
    }

    /// Takes another policy.
    private mutating func adopt(_ policy: PolicySnapshot) {
        self.policy = policy
        indices = Dictionary(policy.identities.enumerated().map { ($1.id, $0) }) { first, _ in first }
        decisions = [:]
    }

    /// Whether `selection` has what `entry` is.
    func selects(_ entry: FlowEntry, _ selection: FlowSelection) -> Bool {
        guard selection.maySelect(entry) else { return false }
        let message = entry.decoded
        return selection.selects(entry, message, indices[entry.identity].map { policy.identities[$0] })
    }

    /// The flow that `entry` is, if `selection` has it.
    mutating func flow(_ entry: FlowEntry, _ selection: FlowSelection) -> Flow? {
        guard selection.maySelect(entry) else { return nil }
        let message = entry.decoded
        let index = indices[entry.identity]
        guard selection.selects(entry, message, index.map { policy.identities[$0] }) else { return nil }
        return flow(entry, message, index)
    }

    /// The flow that `entry` with its message is; `index` is the place of its identity.
    private mutating func flow(_ entry: FlowEntry, _ message: FlowMessage, _ index: Int?) -> Flow {
        let identity = index.map { policy.identities[$0] }
        let verdict = FlowVerdict(entry.outcome, isAudited: entry.isAudited)
        var flow = Flow(
            time: clock.seconds(at: entry.ended), verdict: verdict, outcome: entry.outcome.label,
            client: "\(entry.client)", clientPort: entry.port, transport: entry.transport.rawValue,
            identity: entry.identity.rawValue, identityName: identity?.title ?? "",
            namespace: identity?.namespace ?? "",
            workload: identity?.name ?? "", labels: identity?.labels ?? [:],
            name: message.name.map(\.description) ?? "", type: message.type.map(\.description) ?? "",
            rcode: message.responseCode.map(\.description), nanoseconds: max(entry.total, 0))
        flow.addresses = message.addresses.map(\.description)
        flow.cnames = message.aliases.map(\.description)
        flow.ttl = message.ttl
        flow.recordTypes = message.recordTypes.map(\.description)
        flow.isCut = Int(entry.length) > entry.count
        if entry.upstream >= 0 { flow.upstreamNanoseconds = entry.upstream }
        if entry.hold >= 0 { flow.holdNanoseconds = entry.hold }
        flow.reason = FlowReader.reason(entry, message)
        if entry.generation == policy.generation, let index, let name = message.name,
            entry.outcome != .rejected, entry.outcome != .dropped
        {
            let decision = decision(Key(identity: index, name: name, transport: entry.transport))
            flow.rule = decision.rule.map { Flow.Rule($0) }
            if verdict == .dropped || verdict == .audit { flow.reason = decision.reason }
        } else if verdict == .audit || entry.outcome == .denied || entry.outcome == .prohibited {
            flow.reason = "by a policy that was replaced since"
        }
        return flow
    }

    /// What the policy says about a name, remembered.
    private mutating func decision(_ key: Key) -> PolicyDecision {
        if let known = decisions[key] { return known }
        if decisions.count >= FlowReader.limit { decisions = [:] }
        let decision = policy.decision(identity: key.identity, name: key.name, transport: key.transport)
        decisions[key] = decision
        return decision
    }

    /// Why a query ends so, where the policy has no part in it.
    private static func reason(_ entry: FlowEntry, _ message: FlowMessage) -> String? {
        switch entry.outcome {
        case .hit, .upstream, .coalesced, .local, .denied, .prohibited: nil
        case .stale: "the answer is past its lifetime, because no upstream has answered in time"
        case .rejected: rejection(message.responseCode)
        case .failed: "no upstream had a usable answer"
        case .overloaded: "too much was waiting already"
        case .unacknowledged: "its mapping was not acknowledged in time"
        case .dropped: entry.drop?.text(length: Int(entry.length))
        }
    }

    /// Why a query is answered with `code` because of what it is.
    private static func rejection(_ code: ResponseCode?) -> String {
        switch code {
        case .formatError: "the query is malformed"
        case .notImplemented: "its opcode is not supported"
        case .refused: "zone transfers and classes other than IN are not supported"
        case .badVersion: "its version of EDNS is not supported"
        default: "it is not supported"
        }
    }
}

extension Flow.Rule {
    /// A rule of an explanation.
    init(_ rule: Explanation.Rule) {
        self.init(policy: rule.policy, rule: rule.rule, file: rule.file, line: rule.line, path: rule.path)
    }
}
