import ArgumentParser
import AsyncHTTPClient
import DNSProxy
import FoundationEssentials
import NIOCore
import NIOHTTP1

/// Speaks to the admin API of a running daemon.
struct AdminClient {
    /// Path of the daemon's admin socket.
    let socket: String

    /// Query parameters; those without a value are left out.
    typealias Parameters = [(name: String, value: String?)]

    /// How long the daemon may take to begin its answer.
    var timeLimit = TimeAmount.seconds(30)

    /// Largest answer that is read as a whole.
    private static let answerLimit = 64 << 20
    /// Longest line of an answer that is read line by line.
    static let lineLimit = 16 << 20

    /// What `GET path` answers.
    /// - Throws: `CommandFailure` when the daemon cannot be reached or refuses.
    func get<Answer: Decodable>(_ path: String, _ parameters: Parameters) async throws -> Answer {
        try await whole(.GET, path, parameters)
    }

    /// What `DELETE path` answers.
    /// - Throws: `CommandFailure` when the daemon cannot be reached or refuses.
    func delete<Answer: Decodable>(_ path: String, _ parameters: Parameters) async throws -> Answer {
        try await whole(.DELETE, path, parameters)
    }

    /// Hands every element of the array that `GET path` answers to `body`, as they arrive: one a line, as
    /// `docs/ADMIN-API.md` promises.
    /// - Throws: `CommandFailure` when the daemon cannot be reached, refuses, or goes away in between; what `body` throws.
    func each<Element: Decodable>(
        _ path: String, _ parameters: Parameters, _ body: (Element) throws -> Void
    ) async throws {
        try await send(.GET, path, parameters) { response in
            let decoder = JSONDecoder()
            var lines = LineSplitter(limit: AdminClient.lineLimit)
            var isWhole = false
            for try await part in response {
                try lines.append(part.readableBytesView) { line in
                    switch line.first {
                    case UInt8(ascii: "{"):
                        let end = line.last == UInt8(ascii: ",") ? line.count - 1 : line.count
                        try body(try decoder.decode(Element.self, from: Data(line.prefix(end))))
                        Progress.advance()
                    default:
                        isWhole = isWhole || line.last == UInt8(ascii: "]")
                    }
                }
            }
            guard isWhole else {
                throw CommandFailure(
                    "\(socket): the daemon broke off its answer, as it does when that is not read for ten seconds")
            }
        }
    }

    /// An answer that is read as a whole.
    private func whole<Answer: Decodable>(
        _ method: HTTPMethod, _ path: String, _ parameters: Parameters
    ) async throws -> Answer {
        try await send(method, path, parameters) { body in
            let bytes = try await body.collect(upTo: AdminClient.answerLimit)
            return try JSONDecoder().decode(Answer.self, from: Data(bytes.readableBytesView))
        }
    }

    /// Sends a request and hands the body of a successful answer to `read`.
    func send<Result>(
        _ method: HTTPMethod, _ path: String, _ parameters: Parameters,
        _ read: (HTTPClientResponse.Body) async throws -> Result
    ) async throws -> Result {
        var configuration = HTTPClient.Configuration(redirectConfiguration: .disallow)
        configuration.connectionPool.retryConnectionEstablishment = false
        Progress.begin("waiting for the daemon")
        defer { Progress.end() }
        let client = HTTPClient(configuration: configuration)
        do {
            var request = HTTPClientRequest(url: url(path, parameters))
            request.method = method
            let response: HTTPClientResponse
            do {
                response = try await client.execute(request, timeout: timeLimit)
            } catch {
                throw CommandFailure("\(socket): \(AdminClient.reason(error))", .unreachable)
            }
            guard response.status == .ok else { throw await failure(response) }
            let result = try await read(response.body)
            try await client.shutdown()
            return result
        } catch let failure as CommandFailure {
            try? await client.shutdown()
            throw failure
        } catch {
            try? await client.shutdown()
            throw CommandFailure("\(socket): the daemon's answer cannot be read: \(error)")
        }
    }

    /// The failure that the daemon's refusal is: wrong usage when a parameter is to blame.
    private func failure(_ response: HTTPClientResponse) async -> CommandFailure {
        let body = try? await response.body.collect(upTo: 1 << 20)
        let failure = body.flatMap { try? JSONDecoder().decode(AdminFailure.self, from: Data($0.readableBytesView)) }
        guard let failure else { return CommandFailure("\(socket): HTTP status \(response.status.code)") }
        return CommandFailure(printable(failure.error), response.status == .badRequest ? .validationFailure : .failure)
    }

    /// The address of `path` behind the socket.
    private func url(_ path: String, _ parameters: Parameters) -> String {
        let query = parameters.compactMap { name, value in value.map { "\(name)=\(AdminClient.encoded($0))" } }
        let suffix = query.isEmpty ? "" : "?\(query.joined(separator: "&"))"
        return "http+unix://\(AdminClient.encoded(socket))\(path)\(suffix)"
    }

    /// `text` with everything percent-encoded that is not a letter or a digit (RFC 3986, section 2.1).
    private static func encoded(_ text: String) -> String {
        var result = ""
        for byte in text.utf8 {
            if byte &- 48 < 10 || (byte | 0x20) &- 97 < 26 {
                result.unicodeScalars.append(Unicode.Scalar(byte))
            } else {
                let digits = String(byte, radix: 16, uppercase: true)
                result += digits.count == 1 ? "%0\(digits)" : "%\(digits)"
            }
        }
        return result
    }

    /// Why there is no connection, and what to do.
    private static func reason(_ error: any Error) -> String {
        guard let code = (error as? IOError)?.errnoCode else { return "the daemon does not answer: \(error)" }
        return switch code {
        case 2, 111: "nobody listens here; is the daemon running, and is its admin.socket this one?"
        case 1, 13: "permission denied; the socket is for its owner and its group"
        default: "the daemon does not answer: \(error)"
        }
    }
}

/// Cuts bytes that arrive in pieces into lines.
struct LineSplitter {
    /// The beginning of a line whose end has not arrived.
    private var rest: [UInt8] = []
    /// Longest line in bytes.
    private let limit: Int

    /// A splitter of lines of at most `limit` bytes.
    init(limit: Int) {
        self.limit = limit
    }

    /// Takes more bytes and hands every line that is complete to `body`, without its line feed.
    /// - Throws: `CommandFailure` when a line is too long; what `body` throws.
    mutating func append(_ bytes: some Sequence<UInt8>, _ body: (ArraySlice<UInt8>) throws -> Void) throws {
        rest.append(contentsOf: bytes)
        var start = rest.startIndex
        while let end = rest[start...].firstIndex(of: UInt8(ascii: "\n")) {
            try body(rest[start..<end])
            start = end + 1
        }
        rest.removeSubrange(..<start)
        guard rest.count <= limit else {
            throw CommandFailure("the daemon's answer has a line of more than \(limit) bytes")
        }
    }
}
