import Foundation
import Synchronization

/// A client that sends the same query again and again, as fast as it can, and reads no answer, until `stop()`.
final class Flooder: Sendable {
    /// Where it sends from.
    private let socket: Socket
    /// Tells the thread to end.
    private let isStopped = Atomic(false)
    /// Whether the thread has ended.
    private let ended = DispatchSemaphore(value: 0)

    /// A client of the daemon at `port`, at the address `source`, that asks for `name`.
    init(port: Int, source: String, name: String) throws {
        let server = Endpoint("127.0.0.1", port)
        socket = try server.socket(SOCK_DGRAM)
        guard Endpoint(source, 0).bind(socket), server.connect(socket) else {
            throw HarnessError("cannot ask from \(source)")
        }
        let query = DNSClient.query(name)
        Thread.detachNewThread { [self] in
            while !isStopped.load(ordering: .relaxed) {
                for _ in 0..<64 { send(socket.descriptor, query, query.count, Int32(MSG_NOSIGNAL)) }
            }
            ended.signal()
        }
    }

    /// Sends nothing more.
    func stop() {
        guard !isStopped.exchange(true, ordering: .relaxed) else { return }
        ended.wait()
    }
}
