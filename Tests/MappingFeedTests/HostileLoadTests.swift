import Glibc
import NIOCore
import Synchronization
import Testing

@testable import MappingFeed

/// Subscribers that do a bad thing very often, beside a good one that must not notice.
@Suite(.serialized, .timeLimit(.minutes(5)))
struct HostileLoadTests {
    /// A subscriber that acknowledges, and is asked to again and again while something happens.
    private func whileSomething(
        _ harness: HubHarness, good: RawSubscriber, happens: @escaping @Sendable () -> Void
    ) async throws -> [Duration] {
        let hasEnded = Flag()
        Thread.detach {
            happens()
            hasEnded.raise()
        }
        var delays: [Duration] = []
        let clock = ContinuousClock()
        while !hasEnded.isRaised || delays.count < 20 {
            let start = clock.now
            let sequence = harness.publish(1...1)
            guard try await good.changes(1) == [sequence] else { throw RawSubscriber.Unexpected() }
            good.send(.ack(sequence))
            await harness.released(sequence)
            delays.append(clock.now - start)
        }
        return delays.sorted()
    }

    /// A good subscriber of `harness`.
    private func good(_ harness: HubHarness) async throws -> RawSubscriber {
        let subscriber = try await RawSubscriber(harness.socket)
        let sequence = try await subscriber.snapshot(Subscription(acknowledges: true)).sequence
        subscriber.send(.ack(sequence))
        return subscriber
    }

    @Test func `a line without end is cut off after little more than a line may have`() async throws {
        let harness = try await HubHarness { $0.closeTimeout = .seconds(60) }
        let path = harness.socket
        let good = try await good(harness)
        let delays = try await whileSomething(harness, good: good) {
            let connection = RawConnection(path)
            let part = [UInt8](repeating: 0x20, count: 256 << 10)
            var sent = 0
            while sent < 1 << 30, let count = connection.write(part) { sent += count }
            // What was taken and what still fits the kernel's buffers, with a wide margin.
            #expect(sent > 0)
            #expect(sent < 16 << 20)
        }
        #expect(delays[delays.count / 2] < .seconds(1))
        #expect(harness.hub.counters.disconnects == [.lineTooLong: 1])
        try await good.close()
        await harness.hub.shutdown()
    }

    @Test func `ten thousand connections that come and go cost the others nothing`() async throws {
        let harness = try await HubHarness()
        let path = harness.socket
        let good = try await good(harness)
        let delays = try await whileSomething(harness, good: good) {
            for _ in 0..<10_000 { _ = RawConnection(path) }
        }
        #expect(delays[delays.count / 2] < .seconds(1))
        try await harness.until { harness.hub.counters.disconnects.values.reduce(0, +) == 10_000 }
        #expect(harness.hub.counters.subscribers == 1)
        #expect(harness.hub.acknowledgingSubscribers == 1)
        try await good.close()
        await harness.hub.shutdown()
    }

    @Test func `who vanishes in the middle of anything is forgotten`() async throws {
        let harness = try await HubHarness(chunk: 1)
        harness.publish(1...500)
        let good = try await good(harness)
        let line = #"{"event":"subscribe","acknowledge":true}"# + "\n" + #"{"event":"ack","seq":500}"# + "\n"
        let path = harness.socket
        _ = try await whileSomething(harness, good: good) {
            for length in 0...line.utf8.count {
                _ = RawConnection(path).write(Array(line.utf8.prefix(length)))
            }
        }
        try await harness.until { harness.hub.counters.disconnects.values.reduce(0, +) >= UInt64(line.utf8.count + 1) }
        #expect(harness.hub.acknowledgingSubscribers == 1)
        #expect(harness.hub.counters.subscribers == 1)
        try await good.close()
        await harness.hub.shutdown()
    }

    @Test func `who talks without end harms nobody`() async throws {
        let harness = try await HubHarness()
        let path = harness.socket
        let good = try await good(harness)
        let delays = try await whileSomething(harness, good: good) {
            let connection = RawConnection(path)
            _ = connection.write(Array((#"{"event":"subscribe"}"# + "\n").utf8))
            let lines = (0..<500).map { _ in
                #"{"event":"in-use","identity":1,"addresses":["192.0.2.1"]}"# + "\n" + #"{"event":"pong"}"# + "\n"
            }
            for _ in 0..<10 { _ = connection.write(Array(lines.joined().utf8)) }
        }
        #expect(delays[delays.count / 2] < .seconds(1))
        // Gone, with or without something that it has not read.
        try await harness.until { harness.hub.counters.disconnects.values.reduce(0, +) == 1 }
        #expect(Set(harness.hub.counters.disconnects.keys).isSubset(of: [.closed, .ioError]))
        #expect(harness.hub.counters.pongs == 5000)
        try await good.close()
        await harness.hub.shutdown()
    }
}

/// A plain blocking socket, closed with the value.
struct RawConnection: ~Copyable {
    /// The socket.
    private let descriptor: Int32

    /// Connects to `path`; what is written to a connection that was refused fails.
    init(_ path: String) {
        descriptor = socket(AF_UNIX, Int32(SOCK_STREAM.rawValue), 0)
        var address = sockaddr_un()
        address.sun_family = sa_family_t(AF_UNIX)
        withUnsafeMutableBytes(of: &address.sun_path) { $0.copyBytes(from: path.utf8.prefix(107)) }
        _ = withUnsafePointer(to: &address) {
            $0.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                connect(descriptor, $0, socklen_t(MemoryLayout<sockaddr_un>.size))
            }
        }
    }

    /// Closes the socket.
    deinit { close(descriptor) }

    /// Writes all bytes, and returns how many those were; nil if the other side has closed.
    borrowing func write(_ bytes: [UInt8]) -> Int? {
        var done = 0
        while done < bytes.count {
            let count = bytes.withUnsafeBytes {
                send(descriptor, $0.baseAddress.map { $0 + done }, bytes.count - done, Int32(MSG_NOSIGNAL))
            }
            guard count > 0 else { return nil }
            done += count
        }
        return done
    }
}

/// Says once that something is over.
private final class Flag: Sendable {
    /// Whether it is.
    private let flag = Atomic(false)

    /// Whether it is.
    var isRaised: Bool { flag.load(ordering: .acquiring) }

    /// Says so.
    func raise() { flag.store(true, ordering: .releasing) }
}
