import FQDNPolicy
import Logging
import ServiceLifecycle

extension Engine {
    /// How long a reader of flows sleeps when there is nothing new.
    private static let pause = Duration.milliseconds(50)
    /// After so many pauses in a row a reader is written to all the same, so that one that has gone is noticed.
    private static let pausesUntilSign = 100

    /// The exporter that `configuration` asks for.
    /// - Throws: `SystemError` when its file cannot be opened.
    static func exporter(
        _ configuration: EngineConfiguration, shared: EngineShared, logger: Logger
    ) throws(SystemError) -> FlowExporter? {
        guard let export = configuration.flows.export, shared.flows.isOn else { return nil }
        return try FlowExporter(
            export, flows: shared.flows, snapshots: shared.snapshots, node: System.hostName, logger: logger)
    }

    public var keepsFlows: Bool { shared.flows.isOn }

    public func flows(_ request: FlowRequest, _ body: ([FlowEvent]) async throws -> Void) async throws {
        let flows = shared.flows
        guard flows.isOn else { return }
        var listing = FlowListing(request, flows: flows, snapshots: shared.snapshots, now: SystemClock.now())
        let selection = listing.selection
        if request.follows { flows.beginWatching(selection) }
        defer { if request.follows { flows.endWatching(selection) } }
        while let events = listing.nextRecent() {
            if !events.isEmpty { try await body(events) }
        }
        var pauses = 0
        while request.follows, !Task.isCancelled, !Task.isShuttingDownGracefully {
            let (events, hasMore) = listing.next()
            if !events.isEmpty || pauses == Engine.pausesUntilSign {
                try await body(events)
                pauses = 0
            }
            guard !hasMore else { continue }
            try await Task.sleep(for: Engine.pause)
            pauses += 1
        }
    }
}

extension Engine {
    public func denials(limit: Int) async -> AdminDenials {
        // Denials are never in the ring of cache hits.
        let ring = shared.flows.others
        guard ring.isOn else { return AdminDenials(since: nil, isComplete: true, names: []) }
        let now = SystemClock.now()
        let (since, isComplete, most) = denialTally.withLock { tally in
            if tally == nil { tally = DenialTally(ring, now: now) }
            tally?.catchUp(ring, now: now)
            return (tally?.since ?? now, tally?.isComplete ?? true, tally?.most(limit) ?? [])
        }
        let clock = WallClock()
        let policy = shared.snapshots.load().policy
        return AdminDenials(
            since: clock.seconds(at: since), isComplete: isComplete,
            names: most.map { AdminDenials.Name($0.key, $0.count, policy: policy, clock: clock) })
    }
}

extension AdminDenials.Name {
    /// What was denied, for people.
    fileprivate init(_ key: DenialTally.Key, _ count: DenialTally.Count, policy: PolicySnapshot, clock: WallClock) {
        let index = policy.identityIndex(of: key.identity)
        let explanation = index.map { policy.explain(identity: $0, name: key.name, transport: count.transport) }
        let isDenied = explanation.map { $0.outcome == .denied || $0.outcome == .prohibited } ?? false
        let reason = isDenied ? explanation?.reason : explanation.map { _ in "the policy in force would let it pass" }
        self.init(
            name: "\(key.name)", identity: index.map { policy.identities[$0].title } ?? "", client: "\(count.client)",
            reason: reason ?? "its identity is in no document any more",
            hint: isDenied ? explanation?.nearMisses.first : nil, count: count.count,
            last: clock.seconds(at: count.last))
    }
}
