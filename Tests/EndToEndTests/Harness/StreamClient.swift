import Foundation

/// A TCP client that the test holds in its hands.
final class StreamClient {
    /// How a wait for the other side ended.
    enum Event: Equatable {
        /// With bytes.
        case bytes([UInt8])
        /// With the end of the connection.
        case end
        /// With nothing.
        case silence
    }

    /// The connected socket.
    let socket: Socket
    /// What has come and was not taken yet.
    private var pending: [UInt8] = []

    /// Connects to `port` on 127.0.0.1; `source` is the address that it asks from.
    init(port: Int, source: String? = nil) throws {
        let endpoint = Endpoint("127.0.0.1", port)
        socket = try endpoint.socket(SOCK_STREAM)
        if let source, !Endpoint(source, 0).bind(socket) { throw HarnessError("cannot ask from \(source)") }
        guard endpoint.connect(socket) else { throw HarnessError("cannot connect to port \(port)") }
        socket.set(TCP_NODELAY, of: Int32(IPPROTO_TCP), to: 1)
    }

    /// Sends `message` behind its length.
    func send(_ message: [UInt8]) { socket.send([UInt8](wide: UInt16(message.count)) + message) }

    /// Sends nothing more.
    func finish() { shutdown(socket.descriptor, Int32(SHUT_WR)) }

    /// What one receive brings within `limit`.
    func receive(within limit: Duration = .seconds(10)) -> Event {
        socket.setTimeout(max(limit, .milliseconds(1)))
        var bytes = [UInt8](repeating: 0, count: 65_536)
        let count = recv(socket.descriptor, &bytes, bytes.count, 0)
        if count > 0 { return .bytes(Array(bytes.prefix(count))) }
        return count == 0 || errno == ECONNRESET ? .end : .silence
    }

    /// The next message; nil when none comes within `limit`, or the connection ends.
    func message(within limit: Duration = .seconds(10)) -> [UInt8]? {
        let deadline = ContinuousClock.now + limit
        while true {
            if pending.count >= 2 {
                let length = Int(pending[0]) << 8 | Int(pending[1])
                if pending.count >= 2 + length {
                    defer { pending.removeFirst(2 + length) }
                    return Array(pending[2..<(2 + length)])
                }
            }
            guard ContinuousClock.now < deadline,
                case .bytes(let bytes) = receive(within: deadline - ContinuousClock.now)
            else { return nil }
            pending += bytes
        }
    }
}
