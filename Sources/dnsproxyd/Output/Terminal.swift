import FoundationEssentials
import Glibc

/// What standard output is connected to, as far as that changes what is written: a person gets lines that fit and
/// colour, a pipe gets everything and nothing else.
enum Terminal {
    /// Whether a person reads standard output.
    static let isOutput = isatty(STDOUT_FILENO) == 1

    /// Whether a person reads standard error, at a terminal that can take a line back.
    static let isProgress = isatty(STDERR_FILENO) == 1 && !isDumb

    /// Columns of the terminal at standard output: `COLUMNS`, else what the terminal says, else 80; nil for a pipe.
    static let width: Int? = isOutput ? (columns ?? reportedWidth ?? 80) : nil

    /// Whether standard output takes colour: a terminal that does, and no `NO_COLOR` with a value
    /// (https://no-color.org).
    static let hasColor = isOutput && !isDumb && (environment["NO_COLOR"] ?? "").isEmpty

    /// How `text` stands out, where there is colour.
    static func styled(_ text: String, _ style: TextStyle?) -> String {
        guard let style, hasColor, !text.isEmpty else { return text }
        return "\u{1B}[\(style.rawValue)m\(text)\u{1B}[0m"
    }

    /// Whether the terminal knows no control sequences.
    private static let isDumb = environment["TERM"] == "dumb"

    /// The width that `COLUMNS` says; nil for none that makes sense.
    private static var columns: Int? { environment["COLUMNS"].flatMap(Int.init).flatMap { $0 > 0 ? $0 : nil } }

    /// The environment of the process.
    private static let environment = ProcessInfo.processInfo.environment

    /// The width that the terminal itself says; nil when it says none.
    private static var reportedWidth: Int? {
        var size = winsize()
        guard unsafe ioctl(STDOUT_FILENO, UInt(TIOCGWINSZ), &size) == 0, size.ws_col > 0 else { return nil }
        return Int(size.ws_col)
    }
}

/// How text stands out: the parameters of "select graphic rendition" (ECMA-48, section 8.3.117).
enum TextStyle: String {
    /// Titles.
    case title = "1"
    /// What is as it should be.
    case good = "32"
    /// What is wrong or denied.
    case bad = "31"
    /// What somebody should look at.
    case warning = "33"
}
