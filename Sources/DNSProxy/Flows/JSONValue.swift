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

    /// Appends the text to `output`, without blanks.
    func write(to output: inout [UInt8]) {
        switch self {
        case .string(let text): JSONValue.write(text, to: &output)
        case .number(let number): output.append(contentsOf: "\(number)".utf8)
        case .array(let values):
            output.append(UInt8(ascii: "["))
            for (index, value) in values.enumerated() {
                if index > 0 { output.append(UInt8(ascii: ",")) }
                value.write(to: &output)
            }
            output.append(UInt8(ascii: "]"))
        case .object(let values):
            output.append(UInt8(ascii: "{"))
            for (index, entry) in values.sorted(by: { $0.key < $1.key }).enumerated() {
                if index > 0 { output.append(UInt8(ascii: ",")) }
                JSONValue.write(entry.key, to: &output)
                output.append(UInt8(ascii: ":"))
                entry.value.write(to: &output)
            }
            output.append(UInt8(ascii: "}"))
        }
    }

    /// Appends `text` in quotes, with quotes, backslashes and control characters escaped (section 7).
    private static func write(_ text: String, to output: inout [UInt8]) {
        output.append(UInt8(ascii: "\""))
        for byte in text.utf8 {
            switch byte {
            case UInt8(ascii: "\""), UInt8(ascii: "\\"):
                output.append(UInt8(ascii: "\\"))
                output.append(byte)
            case 0..<0x20:
                output.append(contentsOf: byte < 0x10 ? "\\u000".utf8 : "\\u00".utf8)
                output.append(contentsOf: String(byte, radix: 16).utf8)
            default: output.append(byte)
            }
        }
        output.append(UInt8(ascii: "\""))
    }
}
