import Dispatch
import Logging
import Synchronization

/// Writes flows to a file or to standard output, a line each, on a thread of its own: what it is too slow for, or what the
/// disk has no room for, is lost and counted, and nobody waits for it.
final class FlowExporter: Sendable {
    /// What it needs to go on.
    private struct State: ~Copyable {
        /// Where lines go.
        var file: FlowFile
        /// What makes flows of what workers note.
        var reader: FlowReader
        /// How far it is.
        var position: RecentFlows.Position
        /// Whether the last write failed, so that it is said once.
        var isFailing = false
    }

    /// Where flows are.
    private let flows: RecentFlows
    /// Which ones are written.
    private let selection: FlowSelection
    /// What of each is written.
    private let fields: HubbleFields
    /// What this host is called.
    private let node: String
    /// What it needs to go on.
    private let state: Mutex<State>
    /// Whether the file is to be opened anew.
    private let isReopening = Atomic(false)
    /// Flows that were written.
    private let exportedCount = Atomic<UInt64>(0)
    /// Flows that could not be written.
    private let lostCount = Atomic<UInt64>(0)
    /// Its thread.
    private let queue = DispatchQueue(label: "export")
    /// Where failures go.
    private let logger: Logger

    /// How long it sleeps after it has found little, and after it has found much.
    private static let pauses = (long: Duration.milliseconds(100), short: Duration.milliseconds(10))
    /// How long the last flows may take when the daemon stops.
    private static let patience = Duration.seconds(1)
    /// Flows of one batch.
    private static let batch = 256

    /// An exporter as `configuration` says, which begins with what happens from now on.
    /// - Throws: `SystemError` when the file cannot be opened.
    init(
        _ configuration: EngineConfiguration.Flows.Export, flows: RecentFlows, snapshots: PublishedCell<EngineSnapshot>,
        node: String, logger: Logger
    ) throws(SystemError) {
        self.flows = flows
        self.node = node
        self.logger = logger
        selection = FlowSelection(allow: configuration.allow, deny: configuration.deny)
        fields = configuration.fields
        let file = try FlowFile(
            path: configuration.file, maxSize: configuration.maxSize, maxFiles: configuration.maxFiles)
        state = Mutex(State(file: file, reader: FlowReader(snapshots), position: flows.newest))
    }

    /// Flows that were written, and flows that could not be.
    var counts: (exported: UInt64, lost: UInt64) {
        (exportedCount.load(ordering: .relaxed), lostCount.load(ordering: .relaxed))
    }

    /// Opens the file at its path anew before the next line, as after a rotation by somebody else.
    func reopen() { isReopening.store(true, ordering: .relaxed) }

    /// Exports until the task is cancelled, and then what is there, if that can be written within a second.
    func run() async {
        flows.beginWatching(selection)
        defer { flows.endWatching(selection) }
        while !Task.isCancelled {
            let isBusy = await drain()
            try? await Task.sleep(for: isBusy ? FlowExporter.pauses.short : FlowExporter.pauses.long)
        }
        // Tasks of their own, because this one is cancelled.
        let last = Task.detached { _ = await self.drain() }
        let limit = Task.detached {
            try await Task.sleep(for: FlowExporter.patience)
            last.cancel()
        }
        await last.value
        limit.cancel()
    }

    /// Writes what is there, on the thread of its own, and tells whether that was a batch or more. Returns at once when the
    /// task is cancelled: a pipe that nobody reads, or a disk that does not answer, may hold that thread for ever, and must
    /// not hold the daemon.
    private func drain() async -> Bool {
        let (done, continuation) = AsyncStream.makeStream(of: Bool.self)
        queue.async {
            var isBusy = false
            while self.step() { isBusy = true }
            continuation.yield(isBusy)
            continuation.finish()
        }
        return await done.first { _ in true } ?? false
    }

    /// Writes one batch; false when there is no more.
    private func step() -> Bool {
        state.withLock { state in
            var entries: [FlowEntry] = []
            entries.reserveCapacity(FlowExporter.batch)
            let (loss, hasMore) = flows.read(
                from: &state.position, limit: FlowExporter.batch, takesHits: selection.maySelectHits, into: &entries)
            flows.countOvertaken(loss.overtaken)
            if isReopening.exchange(false, ordering: .relaxed) { note(&state, reopen(&state.file)) }
            state.reader.beginBatch()
            var events = loss.events
            for entry in entries {
                if let flow = state.reader.flow(entry, selection) { events.append(.flow(flow)) }
            }
            let time = SystemClock.wallSeconds()
            let lines = events.map { HubbleEvent($0, node: node, time: time, fields: fields).line + [0x0A] }
            guard !lines.isEmpty else { return hasMore }
            let (written, failure) = state.file.append(lines)
            // What tells of a loss is no flow, and stands before those that are.
            let notices = loss.events.count
            let exported = max(0, written - notices)
            exportedCount.wrappingAdd(UInt64(exported), ordering: .relaxed)
            lostCount.wrappingAdd(UInt64(lines.count - notices - exported), ordering: .relaxed)
            note(&state, failure)
            return hasMore
        }
    }

    /// Opens `file` anew; what is wrong if that fails.
    private func reopen(_ file: inout FlowFile) -> SystemError? {
        do throws(SystemError) {
            try file.reopen()
            return nil
        } catch {
            return error
        }
    }

    /// Says so when writing begins to fail, and when it works again.
    private func note(_ state: inout State, _ failure: SystemError?) {
        if let failure, !state.isFailing {
            logger.error("flows are lost: \(failure)")
        } else if failure == nil, state.isFailing {
            logger.notice("flows are exported again")
        }
        state.isFailing = failure != nil
    }
}
