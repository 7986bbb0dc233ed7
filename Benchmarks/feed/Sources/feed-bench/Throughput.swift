import Glibc
import Logging
import MappingFeed
import NIOPosix

/// Mappings published a second, with a journal and one subscriber in a process of its own that acknowledges at once.
enum Throughput {
    /// Mappings of a round.
    private static let count = 500_000

    /// One line for the rate, one for what a single mapping takes when nothing else happens.
    static func measure(rounds: Int, folder: String) async throws -> [Row] {
        let mappings = (0..<count).map { Mappings.mapping($0) }
        var rates: [Double] = []
        var work: [Double] = []
        var delays: [Double] = []
        for round in 1...rounds {
            let path = "\(folder)/feed.\(round)"
            let group = MultiThreadedEventLoopGroup(numberOfThreads: 1)
            var logger = Logger(label: "feed-bench")
            logger.logLevel = .error
            let hub = FeedHub(
                loop: group.next(), configuration: FeedHubConfiguration(socketPath: path + ".sock"),
                journal: try Journal(directory: path) { _ in }, snapshot: { _, _ in nil }, logger: logger)
            try await hub.start()
            let subscriber = try IdleSubscriber.start(path + ".sock")
            while hub.acknowledgingSubscribers == 0 { usleep(1000) }
            delays.append(delay(hub, mappings))
            let (began, beganWork) = (seconds(), processSeconds())
            publish(mappings, to: hub)
            while hub.released < hub.lastSequence { usleep(200) }
            let elapsed = seconds() - began
            rates.append(Double(count) / elapsed)
            work.append((processSeconds() - beganWork) / Double(count) * 1e6)
            await hub.shutdown()
            try await group.shutdownGracefully()
            var status: Int32 = 0
            waitpid(subscriber, &status, 0)
        }
        return [
            Row(what: "mappings published, journalled, acknowledged", unit: "1/s", values: rates, goal: ">= 100,000"),
            Row(what: "CPU time of the daemon's side for each of them", unit: "µs", values: work),
            Row(what: "one mapping from publish to acknowledged, idle, median", unit: "µs", values: delays),
        ]
    }

    /// Publishes all, and waits a moment whenever there is no room.
    private static func publish(_ mappings: [MappingUpsert], to hub: FeedHub) {
        for mapping in mappings {
            while hub.publish(mapping) == 0 { usleep(100) }
        }
    }

    /// Microseconds from publishing one mapping to its acknowledgement, the median of many.
    private static func delay(_ hub: FeedHub, _ mappings: [MappingUpsert]) -> Double {
        var delays: [Double] = []
        for mapping in mappings.prefix(1000) {
            usleep(300)
            let start = seconds()
            let sequence = hub.publish(mapping)
            while hub.released < sequence { sched_yield() }
            delays.append((seconds() - start) * 1e6)
        }
        return delays.sorted()[delays.count / 2]
    }
}
