import Foundation

/// The figures that Prometheus reads.
struct Metrics: Equatable {
    /// Counters and gauges by name and labels, as they are written.
    let values: [String: Double]

    /// Reads them at `port` on 127.0.0.1, as Prometheus does.
    init(port: Int) throws {
        values = try Metrics.text(port: port).split(whereSeparator: \.isNewline).reduce(into: [:]) { values, line in
            guard line.hasPrefix("dnsproxyd_"), let space = line.lastIndex(of: " "),
                let value = Double(line[line.index(after: space)...])
            else { return }
            values[String(line[..<space].dropFirst(10))] = value
        }
    }

    /// The page at `port` on 127.0.0.1 in the format that `accept` asks for.
    static func text(port: Int, accept: String = "*/*") throws -> String {
        let endpoint = Endpoint("127.0.0.1", port)
        let socket = try endpoint.socket(SOCK_STREAM)
        guard endpoint.connect(socket) else { throw HarnessError("no metrics at port \(port)") }
        socket.setTimeout(.seconds(5))
        let request = "GET /metrics HTTP/1.1\r\nHost: localhost\r\nAccept: \(accept)\r\nConnection: close\r\n\r\n"
        socket.send(Array(request.utf8))
        var response: [UInt8] = []
        while let bytes = socket.receive() { response += bytes }
        let text = String(decoding: response, as: UTF8.self)
        guard text.hasPrefix("HTTP/1.1 200"), let end = text.range(of: "\r\n\r\n") else {
            throw HarnessError("no metrics: \(text)")
        }
        return String(text[end.upperBound...])
    }

    /// The sum of the samples of a family.
    func sum(_ family: String) -> Double {
        values.reduce(0) { sum, entry in
            entry.key == family || entry.key.hasPrefix(family + "{") ? sum + entry.value : sum
        }
    }

    /// What has grown since `earlier`, and by how much.
    func growth(since earlier: Metrics) -> [String: Double] {
        values.reduce(into: [:]) { growth, entry in
            let difference = entry.value - (earlier.values[entry.key] ?? 0)
            if difference != 0 { growth[entry.key] = difference }
        }
    }
}
