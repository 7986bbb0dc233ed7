import MappingFeed

/// JSON of any shape, to be written (RFC 8259). The encoder of Foundation takes ten times as long, which matters with
/// thousands of flows a second.
enum JSONValue: Hashable, Sendable {
    /// Text.
    case string(String)
    /// A whole number.
    case number(UInt64)
    /// A list.
    case array([JSONValue])
    /// Named values, written in the order of their names.
    case object([String: JSONValue])

    /// Writes the text without blanks.
    func write(to output: inout LineWriter) {
        switch self {
        case .string(let text): output.string(text)
        case .number(let number): output.number(number)
        case .array(let values):
            output.raw(UInt8(ascii: "["))
            for (index, value) in values.enumerated() {
                if index > 0 { output.raw(UInt8(ascii: ",")) }
                value.write(to: &output)
            }
            output.raw(UInt8(ascii: "]"))
        case .object(let values):
            output.raw(UInt8(ascii: "{"))
            for (index, entry) in values.sorted(by: { $0.key < $1.key }).enumerated() {
                if index > 0 { output.raw(UInt8(ascii: ",")) }
                output.string(entry.key)
                output.raw(UInt8(ascii: ":"))
                entry.value.write(to: &output)
            }
            output.raw(UInt8(ascii: "}"))
        }
    }
}
