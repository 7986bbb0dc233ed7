/// One column of a table.
struct TableColumn<Element>: Sendable {
    /// What stands above it.
    let title: TableCell
    /// Whether only `-o wide` has it.
    let isWide: Bool
    /// Whether its cells may be cut to fit a terminal.
    let isFlexible: Bool
    /// What an element has in it.
    let cell: @Sendable (Element) -> TableCell

    /// A column with `title` whose cells are one text that may be cut if it `isFlexible`, with the style that `style`
    /// gives them.
    init(
        _ title: String, isWide: Bool = false, isFlexible: Bool = false,
        style: @escaping @Sendable (Element) -> TextStyle? = { _ in nil },
        _ text: @escaping @Sendable (Element) -> String
    ) {
        self.title = TableCell([title], style: .title)
        self.isWide = isWide
        self.isFlexible = isFlexible
        cell = { TableCell([text($0)], style: style($0)) }
    }

    /// A column that may be cut if it `isFlexible`, with a short form of its title and its cells for narrow terminals.
    init(
        _ title: String, short shortTitle: String, isFlexible: Bool = false,
        _ text: @escaping @Sendable (Element) -> String, short: @escaping @Sendable (Element) -> String
    ) {
        self.title = TableCell([title], short: shortTitle, style: .title)
        isWide = false
        self.isFlexible = isFlexible
        cell = { TableCell([text($0)], short: short($0)) }
    }

    /// A column with `title` whose cells are lists, which may be shortened.
    init(
        _ title: String, isWide: Bool = false, separator: String = ",",
        list: @escaping @Sendable (Element) -> [String]
    ) {
        self.title = TableCell([title], style: .title)
        self.isWide = isWide
        isFlexible = true
        cell = { TableCell(list($0), separator: separator) }
    }
}

/// What a row has in one column.
struct TableCell {
    /// The elements of a list, or one text.
    private let parts: [String]
    /// What stands between the elements.
    private let separator: String
    /// What stands there where there is little room; nil for the same.
    private let short: String?
    /// How it stands out.
    let style: TextStyle?

    /// A cell; what could steer a terminal is made visible, and what is empty becomes "-".
    init(_ parts: [String], separator: String = "", short: String? = nil, style: TextStyle? = nil) {
        let texts = parts.map(printable).filter { !$0.isEmpty }
        self.parts = texts.isEmpty ? ["-"] : texts
        self.separator = separator
        self.short = short.map(printable)
        self.style = style
    }

    /// All of it; where it `isCompact`, its short form if it has one.
    func text(isCompact: Bool) -> String {
        if isCompact, let short { return short }
        return parts.joined(separator: separator)
    }

    /// Characters that it needs at least to be of use: a list needs its first element and the number of the others.
    var minimum: Int {
        guard let first = parts.first, parts.count > 1 else { return min(text(isCompact: true).count, 12) }
        return first.count + 2 + "\(parts.count - 1)".count
    }

    /// The cell in at most `width` characters: a list ends in ` +3` for the three that are left out, a text in `…`.
    func text(isCompact: Bool, width: Int) -> String {
        let text = text(isCompact: isCompact)
        guard text.count > width else { return text }
        for count in stride(from: parts.count - 1, to: 0, by: -1) {
            let head = parts.prefix(count).joined(separator: separator) + " +\(parts.count - count)"
            if head.count <= width { return head }
        }
        let rest = "… +\(parts.count - 1)"
        if parts.count > 1, rest.count < width { return text.prefix(width - rest.count) + rest }
        return text.prefix(max(0, width - 1)) + "…"
    }
}

/// The widths of a table's columns, decided by its first rows.
struct TableLayout {
    /// Width of each column.
    private let widths: [Int]
    /// Whether cells are in their short form.
    private let isCompact: Bool
    /// Whether cells of the first rows had to be cut, so that all are to stay in line.
    private let isTight: Bool
    /// Characters that a row may have; nil for any number.
    private let limit: Int?

    /// Spaces between two columns, as `cilium-dbg` has them, or fewer where there is little room.
    private var gap: Int { isCompact ? 2 : 3 }

    /// A layout for `rows` that is not wider than `limit`: first short forms are taken, then flexible columns give way
    /// to what they need at least, then all do.
    init(rows: [[TableCell]], isFlexible: [Bool], limit: Int?) {
        /// The widths that show everything.
        func natural(isCompact: Bool) -> [Int] {
            isFlexible.indices.map { column in rows.map { $0[column].text(isCompact: isCompact).count }.max() ?? 0 }
        }
        self.limit = limit
        let comfortable = natural(isCompact: false)
        guard let limit, comfortable.reduce(3 * (comfortable.count - 1), +) > limit else {
            isCompact = false
            isTight = false
            widths = comfortable
            return
        }
        isCompact = true
        let needed = isFlexible.indices.map { column in rows.map { $0[column].minimum }.max() ?? 0 }
        var widths = natural(isCompact: true)
        var excess = widths.reduce(2 * (widths.count - 1), +) - limit
        isTight = excess > 0
        for (columns, floors) in [(isFlexible, needed), (isFlexible.map { _ in true }, isFlexible.map { _ in 4 })] {
            while excess > 0 {
                // The widest gives first, so that short ones stay whole.
                let candidates = widths.indices.filter { columns[$0] && widths[$0] > floors[$0] }
                guard let widest = candidates.max(by: { widths[$0] < widths[$1] }) else { break }
                widths[widest] -= 1
                excess -= 1
            }
        }
        self.widths = widths
    }

    /// `row` as a line, styled. It is cut where it would be too long, or out of line with the first rows.
    func line(_ row: [TableCell]) -> String {
        let isCut = isTight || limit.map { length(row) > $0 } ?? false
        var line = ""
        for (column, cell) in row.enumerated() {
            let text =
                isCut ? cell.text(isCompact: isCompact, width: widths[column]) : cell.text(isCompact: isCompact)
            line += Terminal.styled(text, cell.style)
            guard column < row.count - 1 else { break }
            line += String(repeating: " ", count: max(0, widths[column] - text.count) + gap)
        }
        return line
    }

    /// The length of `row` with nothing cut.
    private func length(_ row: [TableCell]) -> Int {
        let texts = row.map { $0.text(isCompact: isCompact).count }
        return zip(texts, widths).dropLast().reduce(texts.last ?? 0) { $0 + max($1.0, $1.1) + gap }
    }
}
