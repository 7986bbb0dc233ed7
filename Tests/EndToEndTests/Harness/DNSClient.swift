import Foundation

/// A UDP client that the test holds in its hands: any source address, any bytes, and the moment of each answer.
/// Names and messages are written here once more on purpose, independently of the daemon's own codec.
final class DNSClient: Sendable {
    /// The connected socket.
    private let socket: Socket

    /// A client of the server at `address` and `port`; `source` is the address that it asks from.
    init(_ address: String = "127.0.0.1", port: Int, source: String? = nil) throws {
        let server = Endpoint(address, port)
        socket = try server.socket(SOCK_DGRAM)
        if let source, !Endpoint(source, 0).bind(socket) { throw HarnessError("cannot ask from \(source)") }
        guard server.connect(socket) else { throw HarnessError("cannot reach \(address)") }
    }

    /// Sends any bytes.
    func send(_ bytes: [UInt8]) { socket.send(bytes) }

    /// Sends a question.
    func ask(_ name: String, _ type: UInt16 = 1, id: UInt16 = 0x1234) {
        send(DNSClient.query(name, type, id: id))
    }

    /// The next answer; nil when none comes within `limit`.
    func answer(within limit: Duration = .seconds(10)) -> DNSAnswer? {
        socket.setTimeout(limit)
        guard let bytes = socket.receive(), bytes.count >= 12 else { return nil }
        return DNSAnswer(bytes: bytes, received: .now)
    }

    /// Asks and waits; nil when no answer comes within `limit`.
    func resolve(_ name: String, _ type: UInt16 = 1, within limit: Duration = .seconds(10)) -> DNSAnswer? {
        ask(name, type)
        return answer(within: limit)
    }

    /// A query with an OPT record of 1232 bytes.
    static func query(_ name: String, _ type: UInt16 = 1, id: UInt16 = 0x1234) -> [UInt8] {
        var bytes: [UInt8] = [UInt8(id >> 8), UInt8(id & 0xFF), 1, 0, 0, 1, 0, 0, 0, 0, 0, 1]
        for label in name.split(separator: ".") {
            bytes.append(UInt8(label.utf8.count))
            bytes += label.utf8
        }
        bytes += [0, UInt8(type >> 8), UInt8(type & 0xFF), 0, 1]
        bytes += [0, 0, 41, 0x04, 0xD0, 0, 0, 0, 0, 0, 0]
        return bytes
    }
}

/// A response and the moment it arrived.
struct DNSAnswer {
    /// The message.
    let bytes: [UInt8]
    /// When it arrived.
    let received: ContinuousClock.Instant

    /// The ID of the query that it answers.
    var id: UInt16 { UInt16(bytes[0]) << 8 | UInt16(bytes[1]) }
    /// The response code, without the part in the OPT record.
    var code: Int { Int(bytes[3] & 0xF) }
    /// Whether the message is a response.
    var isResponse: Bool { bytes[2] & 0x80 != 0 }
    /// Records in the answer section.
    var answerCount: Int { Int(bytes[6]) << 8 | Int(bytes[7]) }
}
