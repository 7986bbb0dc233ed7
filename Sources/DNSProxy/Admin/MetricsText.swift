/// Writes families of metrics as text, in either of the two formats that Prometheus reads.
struct MetricsText {
    /// How the text is written.
    enum Format: CaseIterable {
        /// The text format of Prometheus, version 0.0.4.
        case prometheus
        /// OpenMetrics, version 1.0.0.
        case openMetrics

        /// The media type.
        var contentType: String {
            switch self {
            case .prometheus: "text/plain; version=0.0.4; charset=utf-8"
            case .openMetrics: "application/openmetrics-text; version=1.0.0; charset=utf-8"
            }
        }
    }

    /// The kinds of family.
    private enum Kind: String {
        /// It only grows.
        case counter
        /// It goes up and down.
        case gauge
        /// It counts by ranges.
        case histogram
    }

    /// Labels in their order.
    typealias Labels = [(name: String, value: String)]
    /// Labels with the value that has them.
    typealias Sample<Value> = (labels: Labels, value: Value)

    /// How the text is written.
    let format: Format
    /// The text so far.
    private(set) var text = ""

    /// An empty text.
    init(_ format: Format) {
        self.format = format
    }

    /// A counter without labels.
    mutating func counter(_ name: String, _ help: String, _ value: UInt64) {
        counter(name, help, [([], value)])
    }

    /// A counter, whose name ends in `_total`.
    mutating func counter(_ name: String, _ help: String, _ samples: [Sample<UInt64>]) {
        family(name, .counter, help, samples.map { ("", $0.labels, "\($0.value)") })
    }

    /// A counter of seconds, whose name ends in `_total`.
    mutating func counter(_ name: String, _ help: String, seconds: Double) {
        family(name, .counter, help, [("", [], MetricsText.number(seconds))])
    }

    /// A gauge without labels.
    mutating func gauge(_ name: String, _ help: String, _ value: Double) {
        gauge(name, help, [([], value)])
    }

    /// A gauge.
    mutating func gauge(_ name: String, _ help: String, _ samples: [Sample<Double>]) {
        family(name, .gauge, help, samples.map { ("", $0.labels, MetricsText.number($0.value)) })
    }

    /// A histogram of durations in seconds.
    mutating func histogram(_ name: String, _ help: String, _ histogram: DurationHistogram) {
        var samples: [(String, Labels, String)] = []
        var sum: UInt64 = 0
        for range in histogram.counts.indices {
            sum += histogram.counts[range]
            let isLast = range == DurationHistogram.bounds.count
            let bound = isLast ? "+Inf" : self.bound(Double(DurationHistogram.bounds[range]) / 1e9)
            samples.append(("_bucket", [("le", bound)], "\(sum)"))
        }
        samples.append(("_sum", [], MetricsText.number(Double(histogram.nanoseconds) / 1e9)))
        samples.append(("_count", [], "\(sum)"))
        family(name, .histogram, help, samples)
    }

    /// Ends the text as its format wants it.
    mutating func finish() {
        if format == .openMetrics { text += "# EOF\n" }
    }

    /// A family with its lines; nothing at all when it has no sample.
    private mutating func family(
        _ name: String, _ kind: Kind, _ help: String, _ samples: [(suffix: String, labels: Labels, value: String)]
    ) {
        guard !samples.isEmpty else { return }
        // In OpenMetrics the family of a counter has the name without the suffix of its samples.
        let isShort = format == .openMetrics && kind == .counter && name.hasSuffix("_total")
        let title = isShort ? String(name.dropLast(6)) : name
        text += "# HELP \(title) \(help)\n# TYPE \(title) \(kind.rawValue)\n"
        for (suffix, labels, value) in samples {
            let list = labels.map { "\($0.name)=\"\(MetricsText.escaped($0.value))\"" }.joined(separator: ",")
            text += "\(name)\(suffix)\(list.isEmpty ? "" : "{\(list)}") \(value)\n"
        }
    }

    /// A bound of a histogram: OpenMetrics wants the decimal point.
    private func bound(_ value: Double) -> String {
        format == .openMetrics ? "\(value)" : MetricsText.number(value)
    }

    /// A number, whole ones without a decimal point.
    private static func number(_ value: Double) -> String {
        Int(exactly: value).map(String.init) ?? "\(value)"
    }

    /// A label value with backslashes, quotes and line feeds escaped.
    private static func escaped(_ value: String) -> String {
        var text = ""
        for character in value.unicodeScalars {
            switch character {
            case "\\": text += "\\\\"
            case "\"": text += "\\\""
            case "\n": text += "\\n"
            default: text.unicodeScalars.append(character)
            }
        }
        return text
    }
}
