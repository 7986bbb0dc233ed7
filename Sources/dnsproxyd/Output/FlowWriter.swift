import DNSProxy
import FoundationEssentials

/// Writes flows as they come, in the format that was asked for.
struct FlowWriter {
    /// How they are written.
    private let format: FlowFormat
    /// What this host is called.
    private let node: String
    /// Whether the titles of the columns stand above them already.
    private var hasTitles = false

    /// Addresses that a line for people shows.
    private static let shownAddresses = 4

    /// A writer that has written nothing.
    init(_ format: FlowFormat) {
        self.format = format
        node = ProcessInfo.processInfo.hostName
    }

    /// Writes a flow, or what became of those that are missing.
    mutating func write(_ event: FlowEvent) throws {
        switch (format, event) {
        case (.jsonpb, _):
            let time = Date.now.timeIntervalSince1970
            try StandardOutput.line(HubbleEvent(event, node: node, time: time).line)
        case (_, .lost(let loss)):
            let why =
                loss.reason == .rate
                ? "there were more in a second than flows.rate or flows.watchedRate"
                : "they came faster than they were read"
            StandardError.write("dnsproxyd: \(loss.count) flows are missing here: \(why)")
        case (.compact, .flow(let flow)):
            try StandardOutput.line(FlowWriter.compact(flow))
        case (.table, .flow(let flow)):
            if !hasTitles { try StandardOutput.line(FlowWriter.row(FlowWriter.columns.map(\.title))) }
            hasTitles = true
            try StandardOutput.line(FlowWriter.row(FlowWriter.columns.map { $0.text(flow) }))
        }
    }

    /// One line: when, who, what for, what became of it, and why.
    private static func compact(_ flow: Flow) -> String {
        let asker = flow.identityName.isEmpty ? "\(flow.identity)" : flow.identityName
        let style: TextStyle =
            switch flow.verdict {
            case .forwarded: .good
            case .dropped, .error: .bad
            case .audit: .warning
            }
        var words = [
            Timestamp.text(flow.time), "\(printable(asker)) (\(flow.client)) ->", question(flow),
            Terminal.styled(flow.verdict.rawValue, style),
        ]
        if let rcode = flow.rcode, rcode != "NOERROR" { words.append(rcode) }
        if !flow.addresses.isEmpty { words.append(addresses(flow)) }
        if let ttl = flow.ttl { words.append("ttl \(ttl)") }
        words.append("\(flow.outcome)\(flow.transport == "tcp" ? " over TCP" : ""),")
        words.append(times(flow))
        return words.joined(separator: " ") + explanation(flow)
    }

    /// What was asked for.
    private static func question(_ flow: Flow) -> String {
        flow.name.isEmpty ? "?" : "\(printable(flow.name)) \(flow.type)"
    }

    /// The first addresses, and how many more there are.
    private static func addresses(_ flow: Flow) -> String {
        let more = flow.addresses.count - shownAddresses
        let shown = flow.addresses.prefix(shownAddresses).joined(separator: ",")
        return more > 0 || flow.isCut ? "\(shown),+\(flow.isCut ? "more" : "\(more)")" : shown
    }

    /// How long it took, and what it waited for meanwhile.
    private static func times(_ flow: Flow) -> String {
        var parts: [String] = []
        if let upstream = flow.upstreamNanoseconds { parts.append("upstream \(milliseconds(upstream))") }
        if let hold = flow.holdNanoseconds { parts.append("hold \(milliseconds(hold))") }
        let total = milliseconds(flow.nanoseconds)
        return parts.isEmpty ? total : "\(total) (\(parts.joined(separator: ", ")))"
    }

    /// Why, and by which rule, behind a colon; nothing where there is nothing to explain. What could not be answered has no
    /// rule to blame.
    private static func explanation(_ flow: Flow) -> String {
        var parts: [String] = []
        if let reason = flow.reason { parts.append(printable(reason)) }
        if flow.verdict != .error, let rule = flow.rule {
            parts.append("\(printable(rule.rule)) (\(printable(rule.file)):\(rule.line) \(printable(rule.path)))")
        }
        return parts.isEmpty ? "" : ": \(parts.joined(separator: "; "))"
    }

    /// Nanoseconds as milliseconds with one decimal; with two when it is less than one.
    private static func milliseconds(_ nanoseconds: Int64) -> String {
        let hundredths = nanoseconds / 10_000
        guard hundredths >= 100 else { return "0.\(two(Int32(hundredths))) ms" }
        return "\(nanoseconds / 1_000_000).\(nanoseconds / 100_000 % 10) ms"
    }

    /// A number with two digits at least.
    private static func two(_ number: Int32) -> String { number < 10 ? "0\(number)" : "\(number)" }
}

/// The columns of a table of flows, whose widths are fixed because nobody knows what comes.
extension FlowWriter {
    /// A column.
    private struct Column {
        /// What stands above it.
        let title: String
        /// Its width; what is wider sticks out.
        let width: Int
        /// What a flow has in it.
        let text: @Sendable (Flow) -> String
    }

    /// All of them.
    private static let columns = [
        Column(title: "TIME", width: 24) { Timestamp.text($0.time) },
        Column(title: "IDENTITY", width: 20) { $0.identityName.isEmpty ? "\($0.identity)" : $0.identityName },
        Column(title: "CLIENT", width: 15) { $0.client },
        Column(title: "NAME", width: 36) { $0.name },
        Column(title: "TYPE", width: 5) { $0.type },
        Column(title: "VERDICT", width: 9) { $0.verdict.rawValue },
        Column(title: "RCODE", width: 8) { $0.rcode ?? "" },
        Column(title: "OUTCOME", width: 10) { $0.outcome },
        Column(title: "TTL", width: 5) { $0.ttl.map { "\($0)" } ?? "" },
        Column(title: "TOTAL", width: 9) { milliseconds($0.nanoseconds) },
        Column(title: "UPSTREAM", width: 9) { $0.upstreamNanoseconds.map { milliseconds($0) } ?? "" },
        Column(title: "HOLD", width: 9) { $0.holdNanoseconds.map { milliseconds($0) } ?? "" },
        Column(title: "ADDRESSES", width: 15) { addresses($0) },
        Column(title: "REASON", width: 0) { String(explanation($0).dropFirst(2)) },
    ]

    /// A row with these texts.
    private static func row(_ texts: [String]) -> String {
        var line = ""
        for (text, column) in zip(texts, columns) {
            let shown = text.isEmpty ? "-" : printable(text)
            line += shown + String(repeating: " ", count: max(0, column.width - shown.count) + 2)
        }
        while line.last == " " { line.removeLast() }
        return line
    }
}
