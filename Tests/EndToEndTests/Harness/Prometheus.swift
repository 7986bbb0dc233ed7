import Foundation

/// Debian's Prometheus beside the daemon, scraping its metrics once a second.
final class Prometheus {
    /// Its port on 127.0.0.1.
    private let port: Int
    /// Its files.
    private let workspace: Workspace
    /// The server.
    private let process: RunningProcess

    /// Starts it for the daemon whose metrics are at `target`, with the alert rules at the path `rules`; returns when it
    /// answers.
    init(target: Int, rules: String) throws {
        let port = try Ports.free()
        self.port = port
        workspace = try Workspace()
        let configuration = try workspace.write(
            "prometheus.yaml",
            """
            global: {scrape_interval: 1s, evaluation_interval: 1s}
            rule_files: ["\(rules)"]
            scrape_configs:
              - job_name: dnsproxyd
                static_configs: [{targets: ["127.0.0.1:\(target)"]}]

            """)
        process = try RunningProcess([
            "prometheus", "--config.file=\(configuration)", "--storage.tsdb.path=\(workspace.file("data"))",
            "--web.listen-address=127.0.0.1:\(port)", "--log.level=warn",
        ])
        try eventually("prometheus does not answer: \(process.errors)", within: .seconds(60)) {
            if let status = process.poll() { throw HarnessError("prometheus ended with \(status): \(process.errors)") }
            return (try? http("GET /-/ready", port: port))?.status == 200
        }
    }

    /// The values that `expression` has at this moment, one for each set of labels.
    /// - Throws: `HarnessError` when it is no expression.
    func values(_ expression: String) throws -> [Double] {
        let results = try data("/api/v1/query?query=\(Prometheus.encoded(expression))")["result"] as? [[String: Any]]
        return (results ?? []).compactMap { ($0["value"] as? [Any])?.last as? String }.compactMap(Double.init)
    }

    /// The alert rules as it has them: name, health, and state.
    func rules() throws -> [(name: String, health: String, state: String)] {
        let groups = try data("/api/v1/rules")["groups"] as? [[String: Any]] ?? []
        return groups.flatMap { $0["rules"] as? [[String: Any]] ?? [] }.map { rule in
            (rule["name"] as? String ?? "", rule["health"] as? String ?? "", rule["state"] as? String ?? "")
        }
    }

    /// What it answers to a request of its API.
    private func data(_ path: String) throws -> [String: Any] {
        let answer = try http("GET \(path)", port: port)
        guard answer.status == 200, let data = try answer.object()["data"] as? [String: Any] else {
            throw HarnessError("\(path): \(answer.text)")
        }
        return data
    }

    /// `text` as a value in a query.
    private static func encoded(_ text: String) -> String {
        text.addingPercentEncoding(withAllowedCharacters: .alphanumerics) ?? ""
    }
}
