import ArgumentParser

/// How a list is written.
enum ListFormat: String, ExpressibleByArgument, CaseIterable {
    /// Columns for people; lists of addresses are shortened to fit a terminal.
    case table
    /// The same with more columns, and nothing shortened.
    case wide
    /// An array of objects.
    case json
    /// A list of mappings.
    case yaml
}

/// How one thing is written.
enum TextFormat: String, ExpressibleByArgument, CaseIterable {
    /// Lines for people.
    case text
    /// One object.
    case json
    /// One mapping.
    case yaml
}

/// The option `-o` of commands that write a list.
struct ListOutputOption: ParsableArguments {
    @Option(
        name: [.customShort("o"), .customLong("output")],
        help: ArgumentHelp("How to write the list.", valueName: "format"))
    var format = ListFormat.table
}

/// The option `-o` of commands that write one thing.
struct TextOutputOption: ParsableArguments {
    @Option(
        name: [.customShort("o"), .customLong("output")],
        help: ArgumentHelp("How to write the result.", valueName: "format"))
    var format = TextFormat.text
}
