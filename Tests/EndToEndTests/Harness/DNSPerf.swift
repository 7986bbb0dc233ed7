import Foundation

/// A run of dnsperf against the daemon: queries from a list, round and round, as fast as they are answered.
struct DNSPerf {
    /// The process.
    private let process: RunningProcess
    /// The list.
    private let workspace: Workspace

    /// Begins to ask `questions` (`NAME TYPE`) on 127.0.0.1 for `seconds`, from four sockets or connections, with at most
    /// 40 queries waiting, and at most `rate` a second if there is one.
    init(_ questions: [String], port: Int, transport: String = "udp", seconds: Int, rate: Int? = nil) throws {
        workspace = try Workspace()
        let list = try workspace.write("questions", questions.joined(separator: "\n") + "\n")
        process = try RunningProcess(
            [
                "dnsperf", "-s", "127.0.0.1", "-p", "\(port)", "-m", transport, "-d", list, "-l", "\(seconds)", "-c",
                "4",
                "-T", "1", "-q", "40", "-t", "15",
            ] + (rate.map { ["-Q", "\($0)"] } ?? []))
    }

    /// Waits for its end, and tells how many queries it has sent.
    /// - Throws: `HarnessError` when one was not answered.
    func sent() throws -> Int {
        try process.wait(within: .seconds(90))
        guard let sent = figure("Queries sent:"), figure("Queries completed:") == sent, sent > 0 else {
            throw HarnessError("dnsperf: \(process.output) \(process.errors)")
        }
        return sent
    }

    /// The first number behind `title`.
    private func figure(_ title: String) -> Int? {
        guard let range = process.output.range(of: title) else { return nil }
        return process.output[range.upperBound...].split(separator: " ").first.flatMap {
            Int($0.prefix { $0.isNumber })
        }
    }
}
