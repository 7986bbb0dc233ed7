import Foundation

/// The figures that Prometheus reads.
struct Metrics: Equatable {
    /// Counters and gauges by name and labels, as they are written.
    let values: [String: Double]

    /// Reads them at `port` on 127.0.0.1, as Prometheus does.
    init(port: Int) throws {
        let endpoint = Endpoint("127.0.0.1", port)
        let socket = try endpoint.socket(SOCK_STREAM)
        guard endpoint.connect(socket) else { throw HarnessError("no metrics at port \(port)") }
        socket.setTimeout(.seconds(5))
        socket.send(Array("GET /metrics HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n".utf8))
        var response: [UInt8] = []
        while let bytes = socket.receive() { response += bytes }
        let text = String(decoding: response, as: UTF8.self)
        guard text.hasPrefix("HTTP/1.1 200") else { throw HarnessError("no metrics: \(text)") }
        values = text.split(whereSeparator: \.isNewline).reduce(into: [:]) { values, line in
            guard line.hasPrefix("dnsproxyd_"), let space = line.lastIndex(of: " "),
                let value = Double(line[line.index(after: space)...])
            else { return }
            values[String(line[..<space].dropFirst(10))] = value
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
