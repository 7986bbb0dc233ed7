import DequeModule
import NIOCore
import Synchronization

/// What viewers of the page are told: the same bytes for all of them, built once.
///
/// A viewer that does not read is dropped when `unreadLimit` events wait for it; `StalledClientHandler` then closes its
/// connection.
final class PageEvents: Sendable {
    /// Viewers at once.
    static let viewerLimit = 16
    /// Samples that a new viewer is told: five minutes.
    static let historyLimit = 300
    /// Events that may wait for a viewer.
    static let unreadLimit = 8

    /// Everything that changes.
    private struct State {
        /// Who listens, by a number that is never used again.
        var viewers: [UInt64: AsyncStream<ByteBuffer>.Continuation] = [:]
        /// The next number.
        var next: UInt64 = 0
        /// What was, oldest first.
        var history = Deque<PageSample>()
        /// Whether the daemon stops.
        var isClosed = false
    }

    /// Viewers and history.
    private let state = Mutex(State())

    /// Nobody looks, and nothing has happened.
    init() {}

    /// How many viewers there are.
    var viewerCount: Int { state.withLock { $0.viewers.count } }

    /// A new viewer's events, the history first; nil when there are too many viewers, or the daemon stops.
    func join() -> AsyncStream<ByteBuffer>? {
        let (stream, viewer) = AsyncStream<ByteBuffer>.makeStream(
            bufferingPolicy: .bufferingOldest(PageEvents.unreadLimit))
        let number = state.withLock { state -> UInt64? in
            guard !state.isClosed, state.viewers.count < PageEvents.viewerLimit else { return nil }
            // Under the lock, so that no viewer is told of a second before it has the history, or misses one.
            viewer.yield(PageEvents.event("history", Array(state.history)))
            state.viewers[state.next] = viewer
            state.next += 1
            return state.next - 1
        }
        guard let number else { return nil }
        viewer.onTermination = { [weak self] _ in
            self?.state.withLock { _ = $0.viewers.removeValue(forKey: number) }
        }
        return stream
    }

    /// Keeps `sample` for viewers to come.
    func note(_ sample: PageSample) {
        state.withLock { state in
            if state.history.count == PageEvents.historyLimit { state.history.removeFirst() }
            state.history.append(sample)
        }
    }

    /// Tells every viewer `page`.
    func tell(_ page: PageState) {
        let event = PageEvents.event("state", page)
        // Ending a stream calls back into this object, so never under the lock.
        for viewer in state.withLock({ Array($0.viewers.values) }) {
            if case .enqueued = viewer.yield(event) { continue }
            viewer.finish()
        }
    }

    /// Ends every viewer's events.
    func close() {
        let viewers = state.withLock { state in
            state.isClosed = true
            return Array(state.viewers.values)
        }
        for viewer in viewers { viewer.finish() }
    }

    /// An event in the format of server-sent events; empty when `value` cannot be told, which no value here is.
    private static func event(_ name: String, _ value: some Encodable) -> ByteBuffer {
        guard let json = try? AdminJSON.bytes(value) else { return ByteBuffer() }
        var buffer = ByteBuffer(string: "event: \(name)\ndata: ")
        buffer.writeBytes(json)
        buffer.writeString("\n\n")
        return buffer
    }
}
