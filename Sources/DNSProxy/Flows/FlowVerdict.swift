/// What became of a query, in the words of Hubble.
public enum FlowVerdict: String, Codable, CaseIterable, Sendable {
    /// It was answered, if only that there is no such name.
    case forwarded = "FORWARDED"
    /// The policy refused it, or its network may not ask.
    case dropped = "DROPPED"
    /// It was answered, and the policy would have refused it but for audit.
    case audit = "AUDIT"
    /// It could not be answered.
    case error = "ERROR"

    /// The verdict on a query that ended as `outcome`.
    init(_ outcome: QueryOutcome, isAudited: Bool) {
        switch outcome {
        case .hit, .stale, .upstream, .coalesced, .local: self = isAudited ? .audit : .forwarded
        case .denied, .prohibited, .dropped: self = .dropped
        case .rejected, .failed, .overloaded, .unacknowledged: self = .error
        }
    }
}
