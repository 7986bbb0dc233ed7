import Foundation
import Synchronization

/// Pods that connect to names that they may have, and others that try what they may not, all at once and until told to
/// stop. A lookup without an answer is repeated, as programs do; a connection is not.
final class Traffic: Sendable {
    /// What came of it.
    struct Totals {
        /// Connections to names that stood.
        var connections = 0
        /// Lookups without an answer, each repeated later.
        var unresolved = 0
        /// Seconds that the slowest connection took after its lookup; a repeated first packet takes one at least.
        var slowest = 0.0
        /// Connections to names that failed after a lookup that did not.
        var failures: [String] = []
        /// Connections that must not pass.
        var probes = 0
        /// Those of them to addresses whose mapping has ended.
        var probesOfEnded = 0
        /// Those that passed.
        var leaks: [String] = []
        /// What went wrong with the test itself.
        var problems: [String] = []
    }

    /// What the threads share.
    private struct State {
        /// What came of it so far.
        var totals = Totals()
        /// Whether they shall end.
        var isStopped = false
        /// Threads that connect to names and have not ended.
        var clients = 0
        /// Threads that try what must not pass and have not ended.
        var probers = 0
    }

    /// Which addresses the names have.
    private let generations: Generations
    /// Names that each owner has.
    private let nameCount: Int
    /// What the threads share.
    private let state = Mutex(State())

    /// Runs `body` while there is traffic on `stage`, and returns what came of it when every lookup has had an answer.
    ///
    /// Each pod stops by itself after its share of `connections`, if that is not nil.
    /// - Throws: what `body` throws, when all threads have ended.
    static func during(
        _ stage: Stage, nameCount: Int, connections: Int? = nil, _ body: (Traffic) throws -> Void
    ) throws -> Totals {
        let traffic = Traffic(on: stage, nameCount: nameCount, connections: connections)
        do {
            try body(traffic)
        } catch {
            // The first error tells more.
            _ = try? traffic.stop()
            throw HarnessError("\(error)\n\(traffic.totals)\n\(stage.logs)")
        }
        return try traffic.stop()
    }

    /// Starts the threads.
    private init(on stage: Stage, nameCount: Int, connections: Int?) {
        generations = stage.generations
        self.nameCount = nameCount
        let clients = stage.network.pods.filter { $0.app != nil }
        state.withLock {
            $0.clients = clients.count
            $0.probers = stage.network.pods.count
        }
        for pod in clients {
            let share = connections.map { $0 / clients.count }
            Thread.detachNewThread { [self] in
                work(pod) { try connect(pod, share) }
                state.withLock { $0.clients -= 1 }
            }
        }
        for pod in stage.network.pods {
            Thread.detachNewThread { [self] in
                work(pod) { try probe(pod) }
                state.withLock { $0.probers -= 1 }
            }
        }
    }

    /// What came of it so far.
    var totals: Totals { state.withLock { $0.totals } }

    /// Whether pods still connect to names.
    var isConnecting: Bool { state.withLock { $0.clients > 0 } }

    /// Ends it and returns what came of it, when every lookup has had an answer.
    private func stop() throws -> Totals {
        state.withLock { $0.isStopped = true }
        try eventually("traffic does not end", within: .seconds(90)) {
            state.withLock { $0.clients == 0 && $0.probers == 0 }
        }
        return totals
    }

    /// Runs a thread's work, and notes when it cannot go on.
    private func work(_ pod: Pod, _ body: () throws -> Void) {
        do {
            try body()
        } catch {
            state.withLock { $0.totals.problems.append("\(pod.name): \(error)") }
        }
    }

    /// Whether the threads shall end.
    private var isStopped: Bool { state.withLock { $0.isStopped } }

    /// Connects to one name after the other, `share` times or until the end; several at a time.
    private func connect(_ pod: Pod, _ share: Int?) throws {
        guard let app = pod.app else { return }
        let names = [app, NamePlan.shared].flatMap { owner in (0..<nameCount).map { NamePlan.name(owner, $0) } }
        var queue: [String] = []
        // What has no answer yet.
        var repeated: [String] = []
        var left = share ?? .max
        while left > 0, !isStopped || !repeated.isEmpty {
            if queue.isEmpty { queue = names.shuffled() }
            let fresh = isStopped ? [] : queue.prefix(min(Traffic.batch, left) - repeated.count)
            queue.removeFirst(fresh.count)
            // curl asks once for a name that is there twice, and remembers the answer beyond its TTL.
            let batch = repeated + fresh.filter { !repeated.contains($0) }
            let transfers = try pod.fetch(batch.map { "http://\($0)/" }, parallel: Traffic.parallel)
            repeated = transfers.filter(\.hasNoAddress).compactMap { URL(string: $0.url)?.host }
            left -= transfers.count - repeated.count
            note(pod, transfers)
            // Nobody answers: programs wait a little before they ask again.
            if repeated.count == transfers.count { usleep(50_000) }
        }
    }

    /// Adds to the totals what curl has reported.
    private func note(_ pod: Pod, _ transfers: [Transfer]) {
        state.withLock { state in
            for transfer in transfers {
                if transfer.hasNoAddress {
                    state.totals.unresolved += 1
                } else if transfer.isDone {
                    state.totals.connections += 1
                    state.totals.slowest = max(state.totals.slowest, transfer.connecting)
                } else {
                    state.totals.failures.append("\(pod.name): \(transfer)")
                }
            }
        }
    }

    /// Tries what must not pass, until the end.
    private func probe(_ pod: Pod) throws {
        while !isStopped {
            let ended = endedAddresses(pod)
            let urls = closedURLs(pod) + ended.map { Pod.url($0) }
            let transfers = try pod.fetch(urls, parallel: urls.count, isProbe: true, patience: 0.7)
            state.withLock { state in
                state.totals.probes += transfers.count
                state.totals.probesOfEnded += ended.count
                state.totals.leaks += transfers.filter { !$0.isDropped }.map { "\(pod.name): \($0)" }
            }
        }
    }

    /// Addresses that some other pod may have open at this moment, own ones at another port, and such as nobody has.
    private func closedURLs(_ pod: Pod) -> [String] {
        let generation = generations.current
        /// Some addresses that names of `owner` have now.
        func addresses(_ owner: String) -> [String] {
            (0..<4).map { _ in NamePlan.address(owner, .random(in: 0..<nameCount), generation: generation) }
        }
        var urls = addresses(NamePlan.nobody).map { Pod.url($0) }
        for owner in ["web", "batch", "jobs"] where owner != pod.app { urls += addresses(owner).map { Pod.url($0) } }
        let others = pod.app.map(addresses) ?? addresses(NamePlan.shared)
        return urls + others.map { Pod.url($0, port: pod.app == nil ? 80 : 8080) }
    }

    /// Addresses that the pod's names had, long enough ago.
    private func endedAddresses(_ pod: Pod) -> [String] {
        guard let app = pod.app, let generation = generations.closed() else { return [] }
        return (0..<4).map { _ in NamePlan.address(app, .random(in: 0..<nameCount), generation: generation) }
    }

    /// URLs that one curl takes.
    private static let batch = 50
    /// Those of them that it works on at a time.
    private static let parallel = 25
}
