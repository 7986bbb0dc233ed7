/// Outcomes that mean the same to whoever looks at the whole: each outcome is in one group.
enum OutcomeGroup: CaseIterable {
    /// Answered from the cache, past the answer's lifetime included.
    case cache
    /// Answered by an upstream.
    case resolved
    /// Answered here.
    case local
    /// Refused by the policy, or because no identity owns the client.
    case denied
    /// Answered SERVFAIL.
    case failed
    /// Refused because of what they are, or not answered at all.
    case rejected
}

extension QueryOutcome {
    /// The group that it is in.
    var group: OutcomeGroup {
        switch self {
        case .hit, .stale: .cache
        case .upstream, .coalesced: .resolved
        case .local: .local
        case .denied, .prohibited: .denied
        case .failed, .overloaded, .unacknowledged: .failed
        case .rejected, .dropped: .rejected
        }
    }
}

extension WorkerCounters {
    /// Queries that ended in one of the ways of `group`.
    func ended(_ group: OutcomeGroup) -> UInt64 {
        QueryOutcome.allCases.reduce(0) { sum, outcome in outcome.group == group ? sum + self[outcome] : sum }
    }
}
