public import DNSWire
import FQDNCache
import FQDNPolicy

/// Which flows are meant: for each part that says something, one of its values has to be that of the flow.
public struct FlowFilter: Sendable {
    /// By what became of them.
    public var verdicts: Set<FlowVerdict> = []
    /// By how they ended.
    public var outcomes: Set<QueryOutcome> = []
    /// By the name that was asked for.
    public var names: [NameFilter] = []
    /// By the number of the identity that asked; nil for every one.
    public var identities: Set<UInt64>?
    /// By the identity that asked: its number, its name, or `namespace/name`.
    public var identityNames: Set<String> = []
    /// By the client's address.
    public var clients: [IPPrefix] = []
    /// By record type.
    public var types: Set<RecordType> = []
    /// By response code.
    public var responseCodes: Set<ResponseCode> = []

    /// Every flow.
    public init() {}

    /// Whether what is known of a flow without looking into its message is as it should be.
    func maySelect(_ entry: FlowEntry) -> Bool {
        guard verdicts.isEmpty || verdicts.contains(FlowVerdict(entry.outcome, isAudited: entry.isAudited)),
            outcomes.isEmpty || outcomes.contains(entry.outcome),
            identities?.contains(entry.identity.rawValue) ?? true
        else { return false }
        return clients.isEmpty || clients.contains { $0.contains(entry.client) }
    }

    /// Whether a query that the cache answered may be meant.
    var maySelectHits: Bool {
        (outcomes.isEmpty || outcomes.contains(.hit))
            && (verdicts.isEmpty || verdicts.contains(.forwarded) || verdicts.contains(.audit))
    }

    /// Whether every query that the cache answered is meant: one of its parts may say so, and no other says more.
    var selectsEveryHit: Bool {
        guard names.isEmpty, identities == nil, identityNames.isEmpty, clients.isEmpty, types.isEmpty,
            responseCodes.isEmpty
        else { return false }
        return (outcomes.isEmpty || outcomes.contains(.hit))
            && (verdicts.isEmpty || verdicts.isSuperset(of: [.forwarded, .audit]))
    }

    /// Whether a flow is meant, by all of its parts; `identity` is nil for one that is in no document any more.
    func selects(_ entry: FlowEntry, _ message: FlowMessage, _ identity: Identity?) -> Bool {
        guard maySelect(entry), types.isEmpty || message.type.map({ types.contains($0) }) ?? false,
            responseCodes.isEmpty || message.responseCode.map({ responseCodes.contains($0) }) ?? false
        else { return false }
        guard identityNames.isEmpty || isNamed(entry.identity, identity) else { return false }
        guard !names.isEmpty else { return true }
        guard let name = message.name else { return false }
        return names.contains { $0.selects(name) }
    }

    /// Whether `identityNames` has the identity.
    private func isNamed(_ id: IdentityID, _ identity: Identity?) -> Bool {
        if identityNames.contains("\(id)") { return true }
        guard let identity else { return false }
        return identity.names.contains {
            identityNames.contains($0) || identityNames.contains("\(identity.namespace)/\($0)")
        }
    }
}

/// Which flows a reader wants.
struct FlowSelection: Sendable {
    /// The flow has to be one of these; every flow is when there are none.
    var allow: [FlowFilter] = []
    /// The flow must not be one of these.
    var deny: [FlowFilter] = []
    /// It has ended then or later.
    var since: Moment?

    /// Whether a query that the cache answered may be wanted.
    var maySelectHits: Bool {
        (allow.isEmpty || allow.contains { $0.maySelectHits }) && !deny.contains { $0.selectsEveryHit }
    }

    /// Whether what is known of a flow without looking into its message does not rule it out.
    func maySelect(_ entry: FlowEntry) -> Bool {
        if let since, entry.ended < since { return false }
        return allow.isEmpty || allow.contains { $0.maySelect(entry) }
    }

    /// Whether a flow is wanted, by all of its parts.
    func selects(_ entry: FlowEntry, _ message: FlowMessage, _ identity: Identity?) -> Bool {
        if let since, entry.ended < since { return false }
        guard allow.isEmpty || allow.contains(where: { $0.selects(entry, message, identity) }) else { return false }
        return !deny.contains { $0.selects(entry, message, identity) }
    }
}
