import Foundation
import Synchronization

/// A datagram relay in front of a real server: counts the queries, and delays or swallows them.
final class Relay: Sendable {
    /// Its port.
    let port: Int
    /// Where it listens.
    private let socket: Socket
    /// A query that has come.
    struct Query {
        /// The message.
        let bytes: [UInt8]
        /// The port that it came from.
        let port: Int
    }

    /// The queries that have come.
    private let seen = Mutex<[Query]>([])
    /// Tells the thread to end.
    private let isStopped = Atomic(false)
    /// Whether queries are swallowed for now.
    private let swallows = Atomic(false)
    /// Microseconds that a query waits.
    private let delay: Atomic<UInt32>

    /// Relays to `server` on 127.0.0.1 after `delay`; swallows everything when `server` is nil. It listens at `address`
    /// and `port`, or any port that is free.
    init(to server: Int?, delay: Duration = .zero, at address: String = "127.0.0.1", port: Int? = nil) throws {
        self.delay = Atomic(UInt32(delay / .microseconds(1)))
        let port = try port ?? Ports.free()
        self.port = port
        let endpoint = Endpoint(address, port)
        socket = try endpoint.socket(SOCK_DGRAM)
        guard endpoint.bind(socket) else { throw HarnessError("port \(port) is taken") }
        socket.setTimeout(.milliseconds(50))
        Thread.detachNewThread { [self] in serve(server) }
    }

    /// Ends the thread; the socket closes with it.
    func stop() { isStopped.store(true, ordering: .relaxed) }

    /// Swallows queries from now on, or no longer.
    func swallow(_ isOn: Bool) { swallows.store(isOn, ordering: .relaxed) }

    /// Makes queries wait from now on.
    func setDelay(_ delay: Duration) {
        self.delay.store(UInt32(delay / .microseconds(1)), ordering: .relaxed)
    }

    /// How many queries have come.
    var count: Int { seen.withLock { $0.count } }

    /// The queries that have come.
    var queries: [Query] { seen.withLock { $0 } }

    /// The thread's loop; ends after `stop()`.
    private func serve(_ server: Int?) {
        var buffer = [UInt8](repeating: 0, count: 4_096)
        while !isStopped.load(ordering: .relaxed) {
            var from = sockaddr_storage()
            var length = socklen_t(MemoryLayout<sockaddr_storage>.size)
            let count = withUnsafeMutablePointer(to: &from) { pointer in
                pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                    recvfrom(socket.descriptor, &buffer, buffer.count, 0, $0, &length)
                }
            }
            guard count > 0 else { continue }
            let query = Array(buffer.prefix(count))
            let port = withUnsafeBytes(of: from) { Int($0.load(as: sockaddr_in.self).sin_port.byteSwapped) }
            seen.withLock { $0.append(Query(bytes: query, port: port)) }
            guard let server, !swallows.load(ordering: .relaxed) else { continue }
            usleep(delay.load(ordering: .relaxed))
            guard let client = try? DNSClient(port: server) else { continue }
            client.send(query)
            guard let answer = client.answer() else { continue }
            _ = withUnsafePointer(to: from) { pointer in
                pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                    sendto(socket.descriptor, answer.bytes, answer.bytes.count, 0, $0, length)
                }
            }
        }
    }
}
