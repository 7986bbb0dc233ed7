/// A length of time as documents write it: a whole number and a unit, `100ms`, `30s`, `5m`, `24h` or `7d`.
struct TimeSpan: Equatable, Sendable {
    /// Milliseconds, never negative.
    let milliseconds: Int

    /// What a message asks for when the text is something else.
    static let expected = "a time such as 100ms, 30s, 5m, 24h or 7d"

    /// Reads `text`; nil when it has no unit, another unit, anything but digits in front of it, or is too long to count.
    init?(_ text: String) {
        let units = [("ms", 1), ("s", 1_000), ("m", 60_000), ("h", 3_600_000), ("d", 86_400_000)]
        guard let milliseconds = scaled(text, by: units) else { return nil }
        self.milliseconds = milliseconds
    }

    /// Whole seconds; nil when there is a fraction of one.
    var wholeSeconds: Int? { milliseconds.isMultiple(of: 1_000) ? milliseconds / 1_000 : nil }

    /// The shortest text for a number of milliseconds.
    static func text(milliseconds: Int) -> String {
        for (unit, factor) in [("d", 86_400_000), ("h", 3_600_000), ("m", 60_000), ("s", 1_000)] {
            if milliseconds >= factor, milliseconds.isMultiple(of: factor) { return "\(milliseconds / factor)\(unit)" }
        }
        return milliseconds == 0 ? "0s" : "\(milliseconds)ms"
    }
}

/// A number of bytes as documents write it: `64MiB`, `1GiB`, `500KB`, or a bare number of bytes.
struct ByteSize: Equatable, Sendable {
    /// Bytes, never negative.
    let bytes: Int

    /// What a message asks for when the text is something else.
    static let expected = "a size such as 64MiB, 1GiB, 500KB or a number of bytes"

    /// Reads `text`; nil when its unit is unknown, there is anything but digits in front of it, or it is too much to
    /// count. `KiB` is 1024 bytes, `KB` is 1000 bytes.
    init?(_ text: String) {
        let units = [
            ("KiB", 1 << 10), ("MiB", 1 << 20), ("GiB", 1 << 30), ("TiB", 1 << 40),
            ("KB", 1_000), ("MB", 1_000_000), ("GB", 1_000_000_000), ("TB", 1_000_000_000_000), ("", 1),
        ]
        guard let bytes = scaled(text, by: units) else { return nil }
        self.bytes = bytes
    }
}

/// The digits in front of the first unit that ends `text`, times its factor; nil when that is not a number.
private func scaled(_ text: String, by units: [(unit: String, factor: Int)]) -> Int? {
    guard let match = units.first(where: { text.hasSuffix($0.unit) }) else { return nil }
    let digits = text.dropLast(match.unit.count)
    guard !digits.isEmpty, digits.utf8.allSatisfy({ $0 &- 48 < 10 }), let number = Int(digits) else { return nil }
    let (product, overflow) = number.multipliedReportingOverflow(by: match.factor)
    return overflow ? nil : product
}
