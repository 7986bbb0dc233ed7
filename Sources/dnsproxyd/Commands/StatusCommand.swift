import ArgumentParser
import DNSProxy

/// `dnsproxyd status`
struct StatusCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "status", abstract: "Tell what a running daemon is doing.",
        discussion: """
            EXAMPLES:
              dnsproxyd status
              dnsproxyd status -o json | jq .counters
            """)

    @OptionGroup var output: TextOutputOption
    @OptionGroup var admin: AdminOption

    func run() async throws {
        let status: AdminStatus = try await admin.client.get("/v1/status", [])
        try output.format.write(status) {
            for line in StatusCommand.lines(status) { try StatusCommand.write(line) }
        }
    }

    /// A line for people: a title, which the lines of the same thing below the first leave out, and a text.
    private struct Line {
        /// What it is about.
        var title: String
        /// What there is to say.
        var text: String
        /// How it stands out.
        var style: TextStyle?

        /// A line that stands out as `style` says.
        init(_ title: String, _ text: String, _ style: TextStyle? = nil) {
            self.title = title
            self.text = text
            self.style = style
        }
    }

    /// Writes one line.
    private static func write(_ line: Line) throws {
        let head = line.title.isEmpty ? "" : "\(line.title):"
        let space = String(repeating: " ", count: max(1, 13 - head.count))
        try StandardOutput.line(
            Terminal.styled(head, .title) + space + Terminal.styled(printable(line.text), line.style))
    }

    /// What is said for people, line by line, a title first.
    private static func lines(_ status: AdminStatus) -> [Line] {
        let answers = status.answers
        let lookups = answers.hits + answers.misses
        let ratio =
            lookups == 0 ? "no lookups yet" : "hit ratio \(percent(answers.hits, of: lookups)) of \(lookups) lookups"
        let feed = status.feed
        var lines = [
            Line(
                "Daemon",
                "dnsproxyd \(status.version), process \(status.pid), since \(Timestamp.seconds(status.started))"),
            Line(
                "Ready", status.notReady.isEmpty ? "yes" : "no: \(status.notReady.joined(separator: "; "))",
                status.notReady.isEmpty ? .good : .bad),
            Line("Listening", "\(status.listen.joined(separator: ", ")), workers: \(status.workers)"),
            Line(
                "Policy",
                "\(status.policy.enforcement), generation \(status.policy.generation) "
                    + "since \(Timestamp.seconds(status.policy.loaded)), documents: \(status.policy.policies), "
                    + "rules: \(status.policy.rules), identities: \(status.policy.identities)"
            ),
        ]
        lines += status.policy.problems.map { Line("", "not reloaded: \($0)", .bad) }
        lines += [
            Line("Answers", "\(answers.entries), \(answers.bytes) of \(answers.capacity) bytes, \(ratio)"),
            Line(
                "Mappings",
                "names: \(status.mappings.names), addresses: \(status.mappings.addresses), "
                    + "identities: \(status.mappings.identities)"
            ),
            Line(
                "Feed",
                "socket \(feed.socket ?? "none"), journal \(feed.journal ?? "none"), sequence \(feed.sequence), "
                    + "released \(feed.released), acknowledging: \(feed.acknowledging)"
            ),
        ]
        for (index, subscriber) in feed.subscribers.enumerated() {
            lines.append(Line(index == 0 ? "Subscribers" : "", line(subscriber)))
        }
        for (index, upstream) in status.upstreams.enumerated() {
            let domains = upstream.domains.isEmpty ? "" : " for \(upstream.domains.joined(separator: ", "))"
            var state = upstream.isUp ? "up" : "down"
            if let time = upstream.roundTrip { state += ", \(StatusCommand.milliseconds(time)) ms" }
            if !upstream.keepsCase { state += ", changes the case of questions" }
            if !upstream.knowsEDNS { state += ", does not know EDNS" }
            if let problem = upstream.problem { state += ", \(problem)" }
            lines.append(
                Line(
                    index == 0 ? "Upstreams" : "", "\(upstream.server)\(domains): \(state)", upstream.isUp ? nil : .bad)
            )
        }
        let counters = status.counters.filter { $0.value > 0 }.sorted { $0.key < $1.key }
        for (index, counter) in counters.enumerated() {
            lines.append(Line(index == 0 ? "Counters" : "", "\(counter.key) \(counter.value)"))
        }
        return lines
    }

    /// A subscriber of the feed.
    private static func line(_ subscriber: AdminSubscriber) -> String {
        let progress = subscriber.acknowledges ? "acknowledged up to" : "acknowledges nothing, was sent up to"
        return "\(subscriber.number), process \(subscriber.pid) of user \(subscriber.uid), "
            + "since \(Timestamp.seconds(subscriber.connected))\(subscriber.selects ? ", some identities only" : ""): "
            + "\(progress) \(subscriber.acknowledged), behind: \(subscriber.eventsBehind)"
    }

    /// A share in percent with one decimal.
    private static func percent(_ part: UInt64, of whole: UInt64) -> String {
        let tenths = Int((Double(part) / Double(whole) * 1000).rounded())
        return "\(tenths / 10).\(tenths % 10) %"
    }

    /// Seconds as milliseconds with one decimal.
    private static func milliseconds(_ seconds: Double) -> String {
        let tenths = Int((min(max(seconds, 0), 3_600) * 10_000).rounded())
        return "\(tenths / 10).\(tenths % 10)"
    }
}
