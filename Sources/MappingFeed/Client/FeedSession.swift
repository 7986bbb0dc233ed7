public import NIOCore
internal import NIOPosix
internal import Synchronization

/// An enforcer's connections to the daemon, one after the other, for as long as it runs.
///
/// It connects, resumes behind what was acknowledged last, and when the connection ends it waits a little and connects
/// again: 0.1 s at first, twice as long after each attempt that brought nothing, at most 2 s.
public final class FeedSession: Sendable {
    /// The path of the daemon's socket.
    public let path: String
    /// Whether answers wait for this enforcer.
    private let acknowledges: Bool
    /// Runs the connections.
    private let group: any EventLoopGroup
    /// Runs what is done with what arrives; nil for wherever tasks run.
    private let executor: LoopExecutor?
    /// What changes.
    private let state: Mutex<State>

    /// What a session knows.
    private struct State {
        /// What was acknowledged last.
        var position: FeedPosition?
        /// The connection, once the daemon has said who it is, and the daemon's journal.
        var current: (client: FeedClient, instance: String)?
    }

    /// What a session tells of.
    public enum Event: Sendable {
        /// Something arrived; there is at least one event.
        case events([FeedEvent])
        /// There is no connection, and why; the session goes on. Not told again while the reason stays the same.
        case disconnected(any Error)
    }

    /// A session with the daemon whose feed socket is at `path`.
    /// - Parameters:
    ///   - position: what an earlier session acknowledged last; nil for a snapshot.
    ///   - loop: runs the connections, and also the body of `run` with the actors that it calls: no other thread has to
    ///     wake up between an event and its acknowledgement. Such a loop should do nothing else. nil for shared threads.
    public init(
        path: String, acknowledges: Bool = true, resume position: FeedPosition? = nil,
        runningOn loop: (any EventLoop)? = nil
    ) {
        self.path = path
        self.acknowledges = acknowledges
        group = loop ?? MultiThreadedEventLoopGroup.singleton
        executor = loop.map(LoopExecutor.init)
        state = Mutex(State(position: position))
    }

    /// What was acknowledged last, and where the next connection goes on.
    public var position: FeedPosition? { state.withLock(\.position) }

    /// Hands every batch to `body`, one after the other, until the task is cancelled or `body` throws.
    public func run(_ body: (Event) async throws -> Void) async throws {
        try await withTaskExecutorPreference(executor) { try await follow(body) }
    }

    /// Does what `run` says, wherever it is called.
    private func follow(_ body: (Event) async throws -> Void) async throws {
        var pause = FeedSession.firstPause
        var reason: String?
        while !Task.isCancelled {
            var failure: any Error = FeedSessionError.closed(nil)
            do {
                let client = try await FeedClient.connect(
                    to: path, subscription: Subscription(acknowledges: acknowledges, resume: position), on: group)
                do {
                    try await read(client) { events in
                        if events.contains(where: \.isNews) { (pause, reason) = (FeedSession.firstPause, nil) }
                        try await body(.events(events))
                    }
                } catch let error as FeedSessionError {
                    failure = error
                } catch {
                    await end(client)
                    throw error
                }
                await end(client)
            } catch let error as FeedClientError {
                failure = error
            }
            if Task.isCancelled { break }
            if reason != "\(failure)" {
                reason = "\(failure)"
                try await body(.disconnected(failure))
            }
            try? await Task.sleep(for: pause)
            pause = min(pause * 2, FeedSession.lastPause)
        }
    }

    /// Reads a connection to its end.
    /// - Throws: `FeedSessionError` for that end, else what `body` throws.
    private func read(_ client: FeedClient, _ body: ([FeedEvent]) async throws -> Void) async throws {
        let batches = client.batches.makeAsyncIterator()
        var isGreeted = false
        while true {
            let next: [FeedEvent]?
            do { next = try await batches.next() } catch { throw FeedSessionError.unreadable(error) }
            guard let events = next else { throw FeedSessionError.closed(nil) }
            if !isGreeted {
                isGreeted = true
                guard case .hello(let hello) = events.first else { throw FeedSessionError.noGreeting }
                guard hello.feedProtocol == FeedHello.currentProtocol else {
                    throw FeedSessionError.anotherProtocol(hello.feedProtocol)
                }
                state.withLock { $0.current = (client, hello.instance) }
            }
            try await body(events)
            switch events.last {
            case .error(let reason): throw FeedSessionError.closed(reason)
            case .lagging: throw FeedSessionError.lagging
            default: break
            }
        }
    }

    /// Closes a connection.
    private func end(_ client: FeedClient) async {
        state.withLock { $0.current = nil }
        await client.close()
    }

    // MARK: Any task

    /// Says that everything up to `sequence` is in force, and remembers it for the next connection.
    public func acknowledge(_ sequence: UInt64) {
        let client = state.withLock { state -> FeedClient? in
            guard let (client, instance) = state.current else { return nil }
            state.position = FeedPosition(instance: instance, sequence: sequence)
            return client
        }
        client?.acknowledge(sequence)
    }

    /// Says that a change could not be put in force, and why; without a connection it says nothing.
    public func reject(_ sequence: UInt64, error: String) {
        state.withLock(\.current)?.client.reject(sequence, error: error)
    }

    /// Says which addresses an identity has live connections to; without a connection it says nothing.
    public func report(inUse use: AddressesInUse) {
        state.withLock(\.current)?.client.report(inUse: use)
    }
}

extension FeedEvent {
    /// Whether the event shows that the connection is good, and not only that somebody answers.
    fileprivate var isNews: Bool {
        switch self {
        case .hello, .error, .lagging: false
        case .snapshotBegin, .snapshotEnd, .identity, .upsert, .delete, .ping: true
        }
    }
}

extension FeedSession {
    /// How long a session waits before it connects again.
    fileprivate static let firstPause = Duration.milliseconds(100)
    /// How long it waits at most.
    fileprivate static let lastPause = Duration.seconds(2)
}
