import ArgumentParser
import DNSProxy
import FoundationEssentials

/// `dnsproxyd status`
struct StatusCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "status", abstract: "Tell what a running daemon is doing.",
        discussion: "EXAMPLE: dnsproxyd status -o json | jq .counters")

    @Option(name: [.customShort("o"), .customLong("output")], help: "How to write the status.")
    var output = TextFormat.text
    @OptionGroup var admin: AdminOption

    func run() async throws {
        let status: AdminStatus = try await admin.client.get("/v1/status", [])
        switch output {
        case .text: for (title, text) in StatusCommand.lines(status) { try StatusCommand.write(title, text) }
        case .json: try StandardOutput.line(prettyJSON(status))
        }
    }

    /// Writes one line.
    private static func write(_ title: String, _ text: String) throws {
        let head = title.isEmpty ? "" : "\(title):"
        try StandardOutput.line(head + String(repeating: " ", count: max(1, 12 - head.count)) + printable(text))
    }

    /// What is said for people, line by line, a title first.
    private static func lines(_ status: AdminStatus) -> [(String, String)] {
        let answers = status.answers
        let lookups = answers.hits + answers.misses
        let ratio =
            lookups == 0 ? "no lookups yet" : "hit ratio \(percent(answers.hits, of: lookups)) of \(lookups) lookups"
        let feed = status.feed
        var lines = [
            ("Daemon", "dnsproxyd \(status.version), process \(status.pid), since \(time(status.started))"),
            ("Ready", status.notReady.isEmpty ? "yes" : "no: \(status.notReady.joined(separator: "; "))"),
            ("Listening", "\(status.listen.joined(separator: ", ")), workers: \(status.workers)"),
            (
                "Policy",
                "\(status.policy.enforcement), generation \(status.policy.generation) since \(time(status.policy.loaded)), "
                    + "documents: \(status.policy.policies), rules: \(status.policy.rules), "
                    + "identities: \(status.policy.identities)"
            ),
        ]
        lines += status.policy.problems.map { ("", "not reloaded: \($0)") }
        lines += [
            ("Answers", "\(answers.entries), \(answers.bytes) of \(answers.capacity) bytes, \(ratio)"),
            (
                "Mappings",
                "names: \(status.mappings.names), addresses: \(status.mappings.addresses), "
                    + "identities: \(status.mappings.identities)"
            ),
            (
                "Feed",
                "socket \(feed.socket ?? "none"), journal \(feed.journal ?? "none"), sequence \(feed.sequence), "
                    + "released \(feed.released), acknowledging: \(feed.acknowledging)"
            ),
        ]
        for (index, subscriber) in feed.subscribers.enumerated() {
            lines.append((index == 0 ? "Subscribers" : "", line(subscriber)))
        }
        for (index, upstream) in status.upstreams.enumerated() {
            let domains = upstream.domains.isEmpty ? "" : " for \(upstream.domains.joined(separator: ", "))"
            var state = upstream.isUp ? "up" : "down"
            if let time = upstream.roundTrip { state += ", \(StatusCommand.milliseconds(time)) ms" }
            if !upstream.keepsCase { state += ", changes the case of questions" }
            if !upstream.knowsEDNS { state += ", does not know EDNS" }
            if let problem = upstream.problem { state += ", \(problem)" }
            lines.append((index == 0 ? "Upstreams" : "", "\(upstream.server)\(domains): \(state)"))
        }
        let counters = status.counters.filter { $0.value > 0 }.sorted { $0.key < $1.key }
        for (index, counter) in counters.enumerated() {
            lines.append((index == 0 ? "Counters" : "", "\(counter.key) \(counter.value)"))
        }
        return lines
    }

    /// A subscriber of the feed.
    private static func line(_ subscriber: AdminSubscriber) -> String {
        let progress = subscriber.acknowledges ? "acknowledged up to" : "acknowledges nothing, was sent up to"
        return "\(subscriber.number), process \(subscriber.pid) of user \(subscriber.uid), "
            + "since \(time(subscriber.connected))\(subscriber.selects ? ", some identities only" : ""): "
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

    /// Seconds since the epoch as RFC 3339.
    private static func time(_ seconds: Double) -> String {
        Date(timeIntervalSince1970: min(max(seconds, 0), 253_402_300_799)).formatted(.iso8601)
    }
}
