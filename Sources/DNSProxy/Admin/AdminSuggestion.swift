/// A policy written from what an identity asked for; the answer of `GET /v1/policy/suggestion`.
public struct AdminSuggestion: Codable, Hashable, Sendable {
    /// The identity's number.
    public var identity: UInt64
    /// The identity as `namespace/name`.
    public var identityName: String
    /// Names that it asked for and was answered since the daemon started.
    public var names: Int
    /// Those of them that only audit has let pass.
    public var audited: Int
    /// Whether these are all; only so many are kept.
    public var isComplete: Bool
    /// A `CiliumNetworkPolicy` that allows exactly these names, or patterns that they were folded into.
    public var document: String
}
