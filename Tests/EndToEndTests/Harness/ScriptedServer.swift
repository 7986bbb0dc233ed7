import Foundation
import Synchronization

/// An upstream that does what no real server does: a function of the test answers each query, over UDP and TCP.
final class ScriptedServer: Sendable {
    /// A query that has come.
    struct Query: Sendable {
        /// The message.
        let bytes: [UInt8]
        /// Whether it came over TCP.
        let isTCP: Bool

        /// Behind the question.
        var questionEnd: Int {
            var offset = 12
            while offset < bytes.count, bytes[offset] != 0 { offset += 1 + Int(bytes[offset]) }
            return min(offset + 5, bytes.count)
        }
        /// Whether it has an additional record, which only OPT can be.
        var hasEDNS: Bool { bytes.count > 11 && bytes[11] > 0 }
        /// The name as it was sent, without a dot at its end.
        var name: String {
            var labels: [String] = []
            var offset = 12
            while offset < bytes.count, bytes[offset] != 0 {
                let end = min(offset + 1 + Int(bytes[offset]), bytes.count)
                labels.append(String(decoding: bytes[(offset + 1)..<end], as: UTF8.self))
                offset = end
            }
            return labels.joined(separator: ".")
        }

        /// A response with this code, the question as it was sent, and an A record if there is an address.
        func response(code: UInt8 = 0, address: [UInt8]? = nil, ttl: UInt8 = 60) -> [UInt8] {
            var response = Array(bytes[..<questionEnd])
            response[2] = 0x81
            response[3] = 0x80 | code
            response[7] = address == nil ? 0 : 1
            response[11] = 0
            if let address { response += [0xC0, 12, 0, 1, 0, 1, 0, 0, 0, ttl, 0, 4] + address }
            return response
        }
    }

    /// An answer, and when and from where it leaves.
    struct Answer: Sendable {
        /// The message.
        let bytes: [UInt8]
        /// How long after the query it leaves.
        var delay = Duration.zero
        /// Whether it leaves from another port than the one that was asked, which only a datagram can.
        var isFromElsewhere = false
        /// Whether the connection is closed instead.
        var closes = false
    }

    /// What is answered to a query, in that order.
    typealias Script = @Sendable (Query) -> [Answer]

    /// Its port on 127.0.0.1.
    let port: Int
    /// What it does.
    private let script: Script
    /// Where datagrams come.
    private let datagrams: Socket
    /// Where connections come.
    private let streams: Socket
    /// The queries that have come.
    private let seen = Mutex<[Query]>([])
    /// Tells the threads to end.
    private let isStopped = Atomic(false)

    /// Answers at once, as `script` says, until `stop()`.
    convenience init(_ script: @escaping @Sendable (Query) -> [[UInt8]]) throws {
        try self.init(timed: { script($0).map { Answer(bytes: $0) } })
    }

    /// A server that answers when `script` says, until `stop()`.
    static func timed(_ script: @escaping Script) throws -> ScriptedServer { try ScriptedServer(timed: script) }

    /// Answers as `script` says until `stop()`.
    private init(timed script: @escaping Script) throws {
        self.script = script
        port = try Ports.free()
        let endpoint = Endpoint("127.0.0.1", port)
        datagrams = try endpoint.socket(SOCK_DGRAM)
        streams = try endpoint.socket(SOCK_STREAM)
        guard endpoint.bind(datagrams), endpoint.bind(streams), listen(streams.descriptor, 16) == 0 else {
            throw HarnessError("port \(port) is taken")
        }
        datagrams.setTimeout(.milliseconds(50))
        streams.setTimeout(.milliseconds(50))
        Thread.detachNewThread { [self] in serveDatagrams() }
        Thread.detachNewThread { [self] in acceptStreams() }
    }

    /// Ends the threads; the sockets close with them.
    func stop() { isStopped.store(true, ordering: .relaxed) }

    /// The queries that have come.
    var queries: [Query] { seen.withLock { $0 } }

    /// Notes a query and says what is answered.
    private func answers(_ bytes: [UInt8], isTCP: Bool) -> [Answer] {
        let query = Query(bytes: bytes, isTCP: isTCP)
        seen.withLock { $0.append(query) }
        return script(query)
    }

    /// Has each of `answers` sent when its time has come; those that wait keep nobody waiting.
    private func deliver(_ answers: [Answer], _ send: @escaping @Sendable (Answer) -> Void) {
        for answer in answers {
            guard answer.delay > .zero else {
                send(answer)
                continue
            }
            Thread.detachNewThread {
                usleep(UInt32(answer.delay / .microseconds(1)))
                send(answer)
            }
        }
    }

    /// Sends a datagram to `client`.
    private func send(_ answer: Answer, to client: sockaddr_storage, _ length: socklen_t) {
        let other = answer.isFromElsewhere ? try? Endpoint("127.0.0.1", 0).socket(SOCK_DGRAM) : nil
        _ = withUnsafePointer(to: client) { pointer in
            pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                sendto((other ?? datagrams).descriptor, answer.bytes, answer.bytes.count, 0, $0, length)
            }
        }
    }

    /// The thread of datagrams.
    private func serveDatagrams() {
        var buffer = [UInt8](repeating: 0, count: 4_096)
        while !isStopped.load(ordering: .relaxed) {
            var from = sockaddr_storage()
            var length = socklen_t(MemoryLayout<sockaddr_storage>.size)
            let count = withUnsafeMutablePointer(to: &from) { pointer in
                pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                    recvfrom(datagrams.descriptor, &buffer, buffer.count, 0, $0, &length)
                }
            }
            guard count > 12 else { continue }
            deliver(answers(Array(buffer.prefix(count)), isTCP: false)) { [self, from, length] in
                send($0, to: from, length)
            }
        }
    }

    /// The thread that takes connections; each gets one of its own.
    private func acceptStreams() {
        while !isStopped.load(ordering: .relaxed) {
            guard let stream = try? Socket(accept(streams.descriptor, nil, nil)) else { continue }
            Thread.detachNewThread { [self] in serve(stream) }
        }
    }

    /// The thread of one connection.
    private func serve(_ stream: Socket) {
        stream.setTimeout(.seconds(1))
        var pending: [UInt8] = []
        while !isStopped.load(ordering: .relaxed), let bytes = stream.receive() {
            pending += bytes
            while pending.count >= 2, pending.count >= 2 + Int(pending[0]) << 8 + Int(pending[1]) {
                let length = Int(pending[0]) << 8 | Int(pending[1])
                let message = Array(pending[2..<(2 + length)])
                pending.removeFirst(2 + length)
                deliver(answers(message, isTCP: true)) { answer in
                    guard !answer.closes else { return _ = shutdown(stream.descriptor, Int32(SHUT_RDWR)) }
                    stream.send([UInt8](wide: UInt16(answer.bytes.count)) + answer.bytes)
                }
            }
        }
    }
}
