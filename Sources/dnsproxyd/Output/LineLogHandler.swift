import DNSProxy
import FoundationEssentials
import Logging
import MappingFeed

/// Writes the log to standard error, one line for each message.
struct LineLogHandler: LogHandler {
    var logLevel: Logger.Level
    var metadata: Logger.Metadata = [:]
    var metadataProvider: Logger.MetadataProvider?
    /// How a line is written.
    private let format: LogConfiguration.Format

    /// A handler for what `configuration` lets through.
    init(_ configuration: LogConfiguration) {
        logLevel = configuration.level
        format = configuration.format
    }

    subscript(metadataKey key: String) -> Logger.Metadata.Value? {
        get { metadata[key] }
        set { metadata[key] = newValue }
    }

    func log(event: LogEvent) {
        var fields = metadata
        if let provided = metadataProvider?.get() { fields.merge(provided) { $1 } }
        if let given = event.metadata { fields.merge(given) { $1 } }
        let sorted = fields.map { (key: $0.key, value: "\($0.value)") }.sorted { $0.key < $1.key }
        let time = Date.now.formatted(Date.ISO8601FormatStyle(includingFractionalSeconds: true))
        switch format {
        case .text: StandardError.write(text(time, event, sorted))
        case .json: StandardError.write(json(time, event, sorted))
        }
    }

    /// `TIME LEVEL MESSAGE key=value …`
    private func text(_ time: String, _ event: LogEvent, _ fields: [(key: String, value: String)]) -> String {
        let level = event.level.rawValue
        let words = fields.map { "\($0.key)=\(LineLogHandler.quoted($0.value))" }
        let padded = level + String(repeating: " ", count: max(0, 8 - level.count))
        return printable(([time, padded, event.message.description] + words).joined(separator: " "))
    }

    /// A field's value, in quotes where it could otherwise be taken for more than that.
    private static func quoted(_ value: String) -> String {
        guard value.isEmpty || value.contains(where: { " =\"".contains($0) }) else { return value }
        return "\"\(value.replacing("\\", with: "\\\\").replacing("\"", with: "\\\""))\""
    }

    /// An object with `time`, `level`, `message`, and the fields in an object of their own.
    private func json(_ time: String, _ event: LogEvent, _ fields: [(key: String, value: String)]) -> String {
        /// The object.
        struct Line: Encodable {
            let time: String
            let level: String
            let message: String
            let fields: [String: String]?
        }
        let line = Line(
            time: time, level: event.level.rawValue, message: event.message.description,
            fields: fields.isEmpty ? nil : Dictionary(fields.map { ($0.key, $0.value) }) { $1 })
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
        guard let bytes = try? encoder.encode(line) else { return text(time, event, fields) }
        return String(decoding: PrintableJSON.escaped(Array(bytes)), as: UTF8.self)
    }
}
