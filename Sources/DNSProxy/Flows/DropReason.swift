import DNSWire

/// Why a query is not answered at all. There may be several under one label of `dnsproxyd_queries_dropped_total`.
enum DropReason: UInt8, CaseIterable {
    /// Its network is not in `allowQueriesFrom`.
    case notAllowed
    /// Its source port is 0.
    case noPort
    /// Its source is an address that no host has.
    case noHost
    /// Its source is where the daemon itself listens.
    case ownListener
    /// It is shorter than a header, or a response.
    case notQuery
    /// It is longer than a query may be.
    case oversized
    /// It came over a connection on which, or behind which, too much was waiting.
    case overloaded
    /// Its client has had as many responses as `limits.responsesPerSecond` lets it have.
    case rateLimited

    /// The counter of a worker for it.
    var counter: WritableKeyPath<WorkerCounters, UInt64> {
        switch self {
        case .notAllowed, .noPort: \.droppedNotAllowed
        case .noHost: \.droppedNoHost
        case .ownListener: \.droppedOwnListener
        case .notQuery: \.droppedNotQuery
        case .oversized: \.droppedOversized
        case .overloaded: \.droppedOverloaded
        case .rateLimited: \.droppedRateLimited
        }
    }

    /// What people are told of a query with this `length` in bytes.
    func text(length: Int) -> String {
        switch self {
        case .notAllowed: "the client's network is not in allowQueriesFrom"
        case .noPort: "its source port is 0, to which nothing can be sent"
        case .noHost: "its source is a broadcast, multicast or unspecified address"
        case .ownListener: "its source is where this daemon listens: a loop"
        case .notQuery where length < Header.length: "it is shorter than the header of a message"
        case .notQuery: "it is a response, not a query"
        case .oversized: "it is longer than \(DropReason.longestQuery) bytes"
        case .overloaded: "too much was waiting already"
        case .rateLimited: "the client has had its limits.responsesPerSecond"
        }
    }

    /// Longest query in bytes, over UDP and over connections.
    static let longestQuery = 4_096
}
