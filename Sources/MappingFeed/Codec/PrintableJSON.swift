internal import DNSWire

/// JSON of encoders that escape only what RFC 8259, section 7, demands, made fit for terminals: it is often looked at there,
/// and some of it was written by strangers.
package enum PrintableJSON {
    /// `json` with all that could steer a terminal as `\uXXXX`, but for line feeds, which stand between values; inside of
    /// texts the encoder has escaped them.
    package static func escaped(_ json: [UInt8]) -> [UInt8] {
        guard json.contains(where: { $0 >= 0x7F }) else { return json }
        var writer = LineWriter()
        for scalar in String(decoding: json, as: UTF8.self).unicodeScalars {
            if scalar.isUnprintable, scalar != "\n" { writer.escape(scalar) } else { writer.scalar(scalar) }
        }
        return Array(writer.bytes)
    }
}
