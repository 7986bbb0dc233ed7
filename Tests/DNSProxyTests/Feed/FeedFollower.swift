import DNSWire
import MappingFeed
import Testing

/// A subscriber that believes what the feed says and nothing else, on a real connection that comes and goes.
actor FeedFollower {
    /// What it subscribes to; where it resumes is its own affair.
    nonisolated let subscription: Subscription
    /// What it believes.
    private var state = FeedState()
    /// The journal that it follows.
    private var instance: String?
    /// The last change that it has taken.
    private var sequence: UInt64 = 0
    /// The connection.
    private var client: FeedClient?
    /// Reads the connection.
    private var reader: Task<Void, Never>?

    /// A follower without a connection.
    init(_ subscription: Subscription) {
        self.subscription = subscription
    }

    /// Whether there is a connection.
    var isConnected: Bool { client != nil }

    /// What it believes to be open.
    var openings: Set<FeedNode.Opening> {
        Set(
            state.openings.map {
                FeedNode.Opening(
                    identity: $0.identity, address: $0.address, expires: FeedNode.wholeSeconds($0.expires),
                    ports: $0.ports)
            })
    }

    /// Connects anew, behind what it has taken so far or from scratch.
    func connect(to socket: String, resumes: Bool) async throws {
        await disconnect()
        var subscription = subscription
        if resumes, let instance { subscription.resume = FeedPosition(instance: instance, sequence: sequence) }
        let client = try await FeedClient.connect(to: socket, subscription: subscription)
        self.client = client
        reader = Task {
            do {
                for try await batch in client.batches { take(batch, from: client) }
            } catch {}
        }
    }

    /// Ends the connection; what has not been read is lost.
    func disconnect() async {
        await client?.close()
        await reader?.value
        client = nil
        reader = nil
    }

    /// Applies a batch and acknowledges it.
    private func take(_ batch: [FeedEvent], from client: FeedClient) {
        if case .hello(let hello) = batch.first { instance = hello.instance }
        guard let reached = state.apply(batch).sequence else { return }
        sequence = reached
        if subscription.acknowledges { client.acknowledge(reached) }
    }

    /// Waits until everything up to `wanted` has arrived.
    func wait(for wanted: UInt64) async throws {
        let deadline = ContinuousClock.now + .seconds(120)
        while sequence < wanted {
            try #require(ContinuousClock.now < deadline, "\(sequence) of \(wanted) have arrived")
            try await Task.sleep(for: .milliseconds(1))
        }
    }
}
