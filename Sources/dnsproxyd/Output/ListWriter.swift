import DNSWire
import FoundationEssentials
import MappingFeed
import Yams

/// Writes a list of any length in bounded memory, in the format that was asked for.
struct ListWriter<Element: Encodable> {
    /// How the list is written.
    private let format: ListFormat
    /// The columns of a table.
    private let columns: [TableColumn<Element>]
    /// Rows of a table that has no layout yet, the titles first.
    private var rows: [[TableCell]]
    /// The layout of the table, once it is decided.
    private var layout: TableLayout?
    /// The last element of a JSON array, which is written when it is known whether a comma follows.
    private var pending: String?
    /// Whether an element was written.
    private var hasElements = false

    /// Rows that decide on the layout.
    private let sample = 200

    /// A writer of an empty list.
    init(_ format: ListFormat, columns: [TableColumn<Element>]) {
        self.format = format
        self.columns = columns.filter { !$0.isWide || format == .wide }
        rows = [self.columns.map(\.title)]
    }

    /// Writes one more element.
    mutating func write(_ element: Element) throws {
        switch format {
        case .table, .wide:
            let row = columns.map { $0.cell(element) }
            if let layout {
                try StandardOutput.line(layout.line(row))
            } else {
                rows.append(row)
                if rows.count > sample { try decideLayout() }
            }
        case .json:
            try StandardOutput.line(pending.map { "\($0)," } ?? "[")
            pending = try prettyJSON(element).split(separator: "\n").map { "  \($0)" }.joined(separator: "\n")
        case .yaml:
            try StandardOutput.line(try plainYAML([element]).utf8.dropLast())
        }
        hasElements = true
    }

    /// Writes the end.
    mutating func finish() throws {
        switch format {
        case .table, .wide: try decideLayout()
        case .json: try StandardOutput.line(pending.map { "\($0)\n]" } ?? "[]")
        case .yaml: if !hasElements { try StandardOutput.line("[]") }
        }
    }

    /// Decides on the layout by the rows so far, and writes these.
    private mutating func decideLayout() throws {
        guard layout == nil else { return }
        let layout = TableLayout(
            rows: rows, isFlexible: columns.map(\.isFlexible), limit: format == .wide ? nil : Terminal.width)
        for row in rows { try StandardOutput.line(layout.line(row)) }
        rows = []
        self.layout = layout
    }
}

extension TextFormat {
    /// Writes `value` as a document, or for people as `text` does.
    func write(_ value: some Encodable, text: () throws -> Void) throws {
        switch self {
        case .text: try text()
        case .json: try StandardOutput.line(prettyJSON(value))
        case .yaml: try StandardOutput.line(plainYAML(value).utf8.dropLast())
        }
    }
}

/// `value` as JSON for people, keys in alphabetical order.
private func prettyJSON(_ value: some Encodable) throws -> String {
    let encoder = JSONEncoder()
    encoder.outputFormatting = [.prettyPrinted, .sortedKeys, .withoutEscapingSlashes]
    return String(decoding: PrintableJSON.escaped(Array(try encoder.encode(value))), as: UTF8.self)
}

/// `value` as YAML with a line feed at its end, keys in alphabetical order.
private func plainYAML(_ value: some Encodable) throws -> String {
    let encoder = YAMLEncoder()
    encoder.options.sortKeys = true
    encoder.options.allowUnicode = true
    let text = try encoder.encode(value)
    guard text.unicodeScalars.contains(where: { $0.isUnprintable && $0 != "\n" }) else { return text }
    encoder.options.allowUnicode = false
    return try encoder.encode(value)
}
