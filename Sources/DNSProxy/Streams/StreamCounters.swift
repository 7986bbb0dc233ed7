import Synchronization

/// What becomes of connections and queries that no worker ever sees.
final class StreamCounters: Sendable {
    /// Queries that are no queries.
    private let notQuery = Atomic<UInt64>(0)
    /// Queries that were too long.
    private let oversized = Atomic<UInt64>(0)
    /// Queries that found too much waiting.
    private let overloaded = Atomic<UInt64>(0)
    /// Connections that found too many.
    private let refused = Atomic<UInt64>(0)
    /// Connections whose clients did not take their answers.
    private let slowReaders = Atomic<UInt64>(0)
    /// Connections whose clients did not finish a query.
    private let slowWriters = Atomic<UInt64>(0)
    /// Times that no connection could be taken.
    private let acceptFailures = Atomic<UInt64>(0)
    /// Where they are noted for people to look at.
    private let flows: Mutex<FlowBatch>
    /// The policy, which knows whose they are.
    private let snapshots: PublishedCell<EngineSnapshot>

    /// Nothing counted yet. Queries are noted in `flows`.
    init(flows: RecentFlows, snapshots: PublishedCell<EngineSnapshot>) {
        self.flows = Mutex(FlowBatch(ring: flows.others))
        self.snapshots = snapshots
    }

    /// Counts a query of `client` that is dropped because of `reason`, one that workers have nothing to do with, and notes
    /// it if that is wanted.
    func drop(_ query: [UInt8], of client: SocketAddress, _ reason: DropReason) {
        switch reason {
        case .notQuery: notQuery.wrappingAdd(1, ordering: .relaxed)
        case .oversized: oversized.wrappingAdd(1, ordering: .relaxed)
        default: overloaded.wrappingAdd(1, ordering: .relaxed)
        }
        let now = SystemClock.now()
        let origin = QueryOrigin(client: client.address, port: client.port, transport: .tcp, arrived: now)
        let policy = snapshots.load().policy
        flows.withLock { batch in
            batch.note(
                query.span, of: origin, outcome: .dropped, drop: reason, isAudited: false, times: FlowTimes(),
                policy: policy, now: now)
            batch.handOver(end: now)
        }
    }

    /// Counts a connection that is closed at once because there are too many.
    func refuseConnection() { refused.wrappingAdd(1, ordering: .relaxed) }

    /// Why the daemon closes a connection that is neither idle nor one too many.
    enum Closing {
        /// The client leaves its answers lying.
        case slowReader
        /// The client has begun a query and does not finish it.
        case slowWriter
    }

    /// Counts a connection that is closed because its client is too slow.
    func close(_ reason: Closing) {
        switch reason {
        case .slowReader: slowReaders.wrappingAdd(1, ordering: .relaxed)
        case .slowWriter: slowWriters.wrappingAdd(1, ordering: .relaxed)
        }
    }

    /// Counts a connection that could not be taken, and waits in the kernel's queue.
    func failToAccept() { acceptFailures.wrappingAdd(1, ordering: .relaxed) }

    /// All of it, among the counters that a worker would have used for it.
    var asWorkerCounters: WorkerCounters {
        var counters = WorkerCounters()
        counters.droppedNotQuery = notQuery.load(ordering: .relaxed)
        counters.droppedOversized = oversized.load(ordering: .relaxed)
        counters.droppedOverloaded = overloaded.load(ordering: .relaxed)
        counters.queriesTCP = counters.droppedNotQuery + counters.droppedOversized + counters.droppedOverloaded
        counters[.dropped] = counters.queriesTCP
        counters.connectionsRefused = refused.load(ordering: .relaxed)
        counters.connectionsSlowReader = slowReaders.load(ordering: .relaxed)
        counters.connectionsSlowWriter = slowWriters.load(ordering: .relaxed)
        counters.acceptFailures = acceptFailures.load(ordering: .relaxed)
        return counters
    }
}
