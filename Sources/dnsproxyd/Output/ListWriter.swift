import FoundationEssentials
import Yams

/// One column of a table.
struct TableColumn<Element>: Sendable {
    /// What stands above it.
    let title: String
    /// What an element has in it.
    let text: @Sendable (Element) -> String

    /// A column with `title`.
    init(_ title: String, _ text: @escaping @Sendable (Element) -> String) {
        self.title = title
        self.text = text
    }
}

/// Writes a list of any length in bounded memory, in the format that was asked for.
struct ListWriter<Element: Encodable> {
    /// How the list is written.
    private let format: ListFormat
    /// The columns of a table.
    private let columns: [TableColumn<Element>]
    /// Rows of a table whose columns have no width yet, the titles first.
    private var rows: [[String]]
    /// The widths of the columns, once they are fixed.
    private var widths: [Int]?
    /// The last element of a JSON array, which is written when it is known whether a comma follows.
    private var pending: String?
    /// Whether an element was written.
    private var hasElements = false

    /// Rows that decide on the widths; those that follow may stick out.
    private let sample = 200

    /// A writer of an empty list.
    init(_ format: ListFormat, columns: [TableColumn<Element>]) {
        self.format = format
        self.columns = columns
        rows = [columns.map(\.title)]
    }

    /// Writes one more element.
    mutating func write(_ element: Element) throws {
        switch format {
        case .table:
            let row = columns.map { column in
                let text = printable(column.text(element))
                return text.isEmpty ? "-" : text
            }
            if let widths {
                try writeRow(row, widths)
            } else {
                rows.append(row)
                if rows.count > sample { try fixWidths() }
            }
        case .json:
            try StandardOutput.line(pending.map { "\($0)," } ?? "[")
            pending = try prettyJSON(element).split(separator: "\n").map { "  \($0)" }.joined(separator: "\n")
        case .yaml:
            let encoder = YAMLEncoder()
            encoder.options.sortKeys = true
            encoder.options.allowUnicode = true
            try StandardOutput.line(try encoder.encode([element]).utf8.dropLast())
        }
        hasElements = true
    }

    /// Writes the end.
    mutating func finish() throws {
        switch format {
        case .table: try fixWidths()
        case .json: try StandardOutput.line(pending.map { "\($0)\n]" } ?? "[]")
        case .yaml: if !hasElements { try StandardOutput.line("[]") }
        }
    }

    /// Fixes the widths by the rows so far, and writes these.
    private mutating func fixWidths() throws {
        guard widths == nil else { return }
        let widths = columns.indices.map { column in rows.map { $0[column].count }.max() ?? 0 }
        for row in rows { try writeRow(row, widths) }
        rows = []
        self.widths = widths
    }

    /// Writes one row of a table.
    private func writeRow(_ row: [String], _ widths: [Int]) throws {
        var line = ""
        for (text, width) in zip(row, widths).dropLast() {
            line += text + String(repeating: " ", count: max(0, width - text.count) + 3)
        }
        try StandardOutput.line(line + (row.last ?? ""))
    }
}

/// `value` as JSON for people, keys in alphabetical order.
func prettyJSON(_ value: some Encodable) throws -> String {
    let encoder = JSONEncoder()
    encoder.outputFormatting = [.prettyPrinted, .sortedKeys, .withoutEscapingSlashes]
    return String(decoding: try encoder.encode(value), as: UTF8.self)
}
