import Synchronization

/// What becomes of connections and queries that no worker ever sees.
final class StreamCounters: Sendable {
    /// Why a query is not handed to a worker, and its connection closed.
    enum Drop {
        /// It is shorter than a header, or a response.
        case notQuery
        /// It is longer than a query may be.
        case oversized
        /// Too much waits already.
        case overloaded
    }

    /// Queries that are no queries.
    private let notQuery = Atomic<UInt64>(0)
    /// Queries that were too long.
    private let oversized = Atomic<UInt64>(0)
    /// Queries that found too much waiting.
    private let overloaded = Atomic<UInt64>(0)
    /// Connections that found too many.
    private let refused = Atomic<UInt64>(0)

    /// Counts a query that is dropped.
    func drop(_ reason: Drop) {
        switch reason {
        case .notQuery: notQuery.wrappingAdd(1, ordering: .relaxed)
        case .oversized: oversized.wrappingAdd(1, ordering: .relaxed)
        case .overloaded: overloaded.wrappingAdd(1, ordering: .relaxed)
        }
    }

    /// Counts a connection that is closed at once because there are too many.
    func refuseConnection() { refused.wrappingAdd(1, ordering: .relaxed) }

    /// All of it, among the counters that a worker would have used for it.
    var asWorkerCounters: WorkerCounters {
        var counters = WorkerCounters()
        counters.droppedNotQuery = notQuery.load(ordering: .relaxed)
        counters.droppedOversized = oversized.load(ordering: .relaxed)
        counters.droppedOverloaded = overloaded.load(ordering: .relaxed)
        counters.queriesTCP = counters.droppedNotQuery + counters.droppedOversized + counters.droppedOverloaded
        counters[.dropped] = counters.queriesTCP
        counters.connectionsRefused = refused.load(ordering: .relaxed)
        return counters
    }
}
