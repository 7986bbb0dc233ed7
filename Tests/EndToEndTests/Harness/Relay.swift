import Foundation
import Synchronization

/// A datagram relay in front of a real server: counts the queries, and delays or swallows them.
final class Relay: Sendable {
    /// Its port on 127.0.0.1.
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

    /// Relays to `server` on 127.0.0.1 after `delay`; swallows everything when `server` is nil.
    init(to server: Int?, delay: Duration = .zero) throws {
        port = try Ports.free()
        let endpoint = Endpoint("127.0.0.1", port)
        socket = try endpoint.socket(SOCK_DGRAM)
        guard endpoint.bind(socket) else { throw HarnessError("port \(port) is taken") }
        socket.setTimeout(.milliseconds(50))
        Thread.detachNewThread { [self] in serve(server, delay) }
    }

    /// Ends the thread; the socket closes with it.
    func stop() { isStopped.store(true, ordering: .relaxed) }

    /// How many queries have come.
    var count: Int { seen.withLock { $0.count } }

    /// The queries that have come.
    var queries: [Query] { seen.withLock { $0 } }

    /// The thread's loop; ends after `stop()`.
    private func serve(_ server: Int?, _ delay: Duration) {
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
            guard let server else { continue }
            usleep(UInt32(delay / .microseconds(1)))
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
