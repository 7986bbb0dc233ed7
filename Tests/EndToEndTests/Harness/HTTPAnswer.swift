import Foundation

/// What the daemon answered to one HTTP request.
struct HTTPAnswer {
    /// The status code.
    let status: Int
    /// Header fields by their names in lower case.
    let headers: [String: String]
    /// The body as it came, chunks put together.
    let body: Data

    /// The body as text.
    var text: String { String(decoding: body, as: UTF8.self) }

    /// The body as a JSON object.
    func object() throws -> [String: Any] {
        guard let object = try JSONSerialization.jsonObject(with: body) as? [String: Any] else {
            throw HarnessError("no JSON object: \(text)")
        }
        return object
    }

    /// Takes a whole response apart.
    init(_ response: Data) throws {
        guard let end = response.range(of: Data("\r\n\r\n".utf8)) else {
            throw HarnessError("no HTTP response: \(String(decoding: response, as: UTF8.self))")
        }
        let lines = String(decoding: response[..<end.lowerBound], as: UTF8.self).components(separatedBy: "\r\n")
        let words = lines[0].split(separator: " ")
        guard words.count > 1, let status = Int(words[1]) else { throw HarnessError("no status line: \(lines[0])") }
        self.status = status
        headers = lines.dropFirst().reduce(into: [:]) { headers, line in
            guard let colon = line.firstIndex(of: ":") else { return }
            let value = line[line.index(after: colon)...]
            headers[line[..<colon].lowercased()] = value.trimmingCharacters(in: .whitespaces)
        }
        let body = Data(response[end.upperBound...])
        self.body = headers["transfer-encoding"] == "chunked" ? try HTTPAnswer.joined(body) : body
    }

    /// Whether `response` says how long its body is, and has that much.
    static func isWhole(_ response: Data) -> Bool {
        guard let end = response.range(of: Data("\r\n\r\n".utf8)) else { return false }
        let head = String(decoding: response[..<end.lowerBound], as: UTF8.self).lowercased()
        guard let field = head.firstMatch(of: /\r\ncontent-length: *(\d+)/), let length = Int(field.1) else {
            return false
        }
        return response.endIndex - end.upperBound >= length
    }

    /// A chunked body without its chunk sizes.
    private static func joined(_ body: Data) throws -> Data {
        var joined = Data()
        var rest = body[...]
        while let end = rest.range(of: Data("\r\n".utf8)) {
            let text = String(decoding: rest[..<end.lowerBound], as: UTF8.self)
            guard let size = Int(text, radix: 16), size > 0, rest.endIndex - end.upperBound >= size + 2 else { break }
            joined += rest[end.upperBound..<end.upperBound + size]
            rest = rest[(end.upperBound + size + 2)...]
        }
        return joined
    }
}

/// Sends one HTTP request over `socket`, with a JSON document if there is a `body`, and returns the whole answer.
func http(
    _ socket: Socket, _ request: String, host: String = "localhost", body: Data? = nil,
    within limit: Duration = .seconds(20)
) throws -> HTTPAnswer {
    socket.setTimeout(limit)
    var head = "\(request) HTTP/1.1\r\nHost: \(host)\r\nConnection: close\r\n"
    if let body { head += "Content-Type: application/json\r\nContent-Length: \(body.count)\r\n" }
    socket.send(Array("\(head)\r\n".utf8) + (body ?? Data()))
    var response = Data()
    // Not every server closes the connection when it is asked to.
    while !HTTPAnswer.isWhole(response), let bytes = socket.receive() { response += bytes }
    return try HTTPAnswer(response)
}

/// Sends one HTTP request, such as `GET /health`, to `port` on 127.0.0.1.
func http(
    _ request: String, port: Int, host: String = "localhost", body: Data? = nil, within limit: Duration = .seconds(20)
) throws -> HTTPAnswer {
    let endpoint = Endpoint("127.0.0.1", port)
    let socket = try endpoint.socket(SOCK_STREAM)
    guard endpoint.connect(socket) else { throw HarnessError("nobody listens at port \(port)") }
    return try http(socket, request, host: host, body: body, within: limit)
}

extension Daemon {
    /// Sends one HTTP request, such as `GET /v1/status`, to its admin socket.
    func admin(_ request: String) throws -> HTTPAnswer {
        guard let socket = try connectUnix(adminSocket) else { throw HarnessError("nobody listens at \(adminSocket)") }
        return try http(socket, request)
    }
}
