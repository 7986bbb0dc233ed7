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

/// Sends one HTTP request over `socket` and returns the whole answer.
func http(_ socket: Socket, _ request: String, host: String = "localhost") throws -> HTTPAnswer {
    socket.setTimeout(.seconds(20))
    socket.send(Array("\(request) HTTP/1.1\r\nHost: \(host)\r\nConnection: close\r\n\r\n".utf8))
    var response = Data()
    while let bytes = socket.receive() { response += bytes }
    return try HTTPAnswer(response)
}

/// Sends one HTTP request, such as `GET /health`, to `port` on 127.0.0.1.
func http(_ request: String, port: Int, host: String = "localhost") throws -> HTTPAnswer {
    let endpoint = Endpoint("127.0.0.1", port)
    let socket = try endpoint.socket(SOCK_STREAM)
    guard endpoint.connect(socket) else { throw HarnessError("nobody listens at port \(port)") }
    return try http(socket, request, host: host)
}

extension Daemon {
    /// Sends one HTTP request, such as `GET /v1/status`, to its admin socket.
    func admin(_ request: String) throws -> HTTPAnswer {
        guard let socket = try connectUnix(adminSocket) else { throw HarnessError("nobody listens at \(adminSocket)") }
        return try http(socket, request)
    }
}
