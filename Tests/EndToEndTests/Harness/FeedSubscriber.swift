import DNSWire
import Foundation
import MappingFeed
import Synchronization

/// An enforcer on a raw Unix socket that notes when each line came, and acknowledges as slowly as it is told.
final class FeedSubscriber: Sendable {
    /// A line and the moment it was read.
    struct Arrival {
        /// What it says.
        let event: FeedEvent
        /// When.
        let moment: ContinuousClock.Instant
    }

    /// What the thread has seen and done.
    private struct Log {
        /// The lines, in order.
        var arrivals: [Arrival] = []
        /// When each sequence number was acknowledged.
        var acknowledged: [UInt64: ContinuousClock.Instant] = [:]
        /// Whether the daemon has closed the connection.
        var isClosed = false
        /// A line that is not an event of the feed.
        var garbage: String?
        /// Whether a snapshot has begun and not ended; its lines are acknowledged together, by its end.
        var isInSnapshot = false
    }

    /// The connection.
    private let socket: Socket
    /// What was seen.
    private let log = Mutex(Log())

    /// Subscribes at `path`; acknowledges every change and every snapshot `delay` after it came, or nothing when
    /// `delay` is nil.
    init(_ path: String, acknowledge: Bool, after delay: Duration? = nil, resume: FeedPosition? = nil) throws {
        guard let socket = try connectUnix(path) else { throw HarnessError("nobody listens on \(path)") }
        self.socket = socket
        send(.subscribe(Subscription(acknowledges: acknowledge, resume: resume)))
        Thread.detachNewThread { [self] in read(acknowledge ? delay : nil) }
    }

    /// Sends a message.
    func send(_ message: SubscriberMessage) { socket.send(message.line) }

    /// Leaves.
    func disconnect() { shutdown(socket.descriptor, Int32(SHUT_RDWR)) }

    /// All lines so far.
    var arrivals: [Arrival] { log.withLock { $0.arrivals } }

    /// The mappings among them.
    var upserts: [MappingUpsert] {
        arrivals.compactMap { if case .upsert(let upsert) = $0.event { upsert } else { nil } }
    }

    /// When the change `sequence` was acknowledged; nil while it is not.
    func acknowledged(_ sequence: UInt64) -> ContinuousClock.Instant? { log.withLock { $0.acknowledged[sequence] } }

    /// Whether the daemon has closed the connection.
    var isClosed: Bool { log.withLock { $0.isClosed } }

    /// Waits for the end of the snapshot that a subscription begins with.
    /// - Throws: `HarnessError` when it does not come.
    func waitForSnapshot() throws {
        try eventually("no end of the snapshot: \(arrivals)") {
            try check()
            return arrivals.contains { if case .snapshotEnd = $0.event { true } else { false } }
        }
    }

    /// Waits for a mapping of `name` for the identity of `client`, and returns it with the moment it came.
    /// - Throws: `HarnessError` when it does not come.
    func waitForUpsert(_ name: String, client: String? = nil) throws -> (MappingUpsert, ContinuousClock.Instant) {
        var found: (MappingUpsert, ContinuousClock.Instant)?
        try eventually("no upsert of \(name): \(arrivals)") {
            try check()
            for arrival in arrivals {
                guard case .upsert(let upsert) = arrival.event, "\(upsert.name)" == name,
                    client == nil || "\(upsert.client)" == client
                else { continue }
                found = (upsert, arrival.moment)
            }
            return found != nil
        }
        return try found ?? { throw HarnessError("no upsert of \(name)") }()
    }

    /// - Throws: `HarnessError` when a line was no event.
    private func check() throws {
        if let garbage = log.withLock({ $0.garbage }) { throw HarnessError("not an event: \(garbage)") }
    }

    /// The thread's loop: reads lines to the end of the connection.
    private func read(_ delay: Duration?) {
        var pending: [UInt8] = []
        while let bytes = socket.receive() {
            pending += bytes
            while let end = pending.firstIndex(of: UInt8(ascii: "\n")) {
                take(Array(pending[..<end]), delay)
                pending.removeSubrange(...end)
            }
        }
        log.withLock { $0.isClosed = true }
    }

    /// Notes a line, and answers it.
    private func take(_ line: [UInt8], _ delay: Duration?) {
        let moment = ContinuousClock.now
        let decoded: FeedEvent?
        do {
            decoded = try FeedEvent.decode(line.span)
        } catch {
            log.withLock { $0.garbage = "\(String(decoding: line, as: UTF8.self)): \(error)" }
            return
        }
        guard let event = decoded else { return }
        let isInSnapshot = log.withLock { log in
            log.arrivals.append(Arrival(event: event, moment: moment))
            if case .snapshotBegin = event { log.isInSnapshot = true }
            if case .snapshotEnd = event { log.isInSnapshot = false }
            return log.isInSnapshot
        }
        if case .ping = event { send(.pong) }
        guard let delay, let sequence = event.sequence, !isInSnapshot else { return }
        if case .snapshotEnd = event {
            // The state before the test began is in force at once.
            acknowledge(sequence)
        } else if event.isChange {
            usleep(UInt32(delay / .microseconds(1)))
            acknowledge(sequence)
        }
    }

    /// Confirms everything up to `sequence`; the moment noted is before the daemon can know.
    private func acknowledge(_ sequence: UInt64) {
        log.withLock { $0.acknowledged[sequence] = .now }
        send(.ack(sequence))
    }
}
