/// The ASCII form of international labels (RFC 3492), as far as the public suffix list needs it.
enum Punycode {
    /// The label as it is in queries: as it is when it is ASCII, else behind `xn--`; a label that cannot be written so
    /// is returned unchanged.
    static func label(_ text: Substring) -> String {
        guard !text.utf8.allSatisfy({ $0 < 0x80 }) else { return String(text) }
        return encoded(text.unicodeScalars.map(\.value)).map { "xn--" + $0 } ?? String(text)
    }

    /// The encoding of RFC 3492, section 6.3, of these code points; nil when a number overflows.
    private static func encoded(_ points: [UInt32]) -> String? {
        var output = points.filter { $0 < 0x80 }.compactMap { UInt8(exactly: $0) }
        let basic = output.count
        var handled = basic
        if basic > 0 { output.append(UInt8(ascii: "-")) }
        var next: UInt32 = 0x80
        var delta = 0
        var bias = 72
        while handled < points.count {
            guard let smallest = points.filter({ $0 >= next }).min() else { return nil }
            let (step, overflow) = Int(smallest - next).multipliedReportingOverflow(by: handled + 1)
            guard !overflow, delta < Int.max - step else { return nil }
            delta += step
            next = smallest
            for point in points {
                if point < next { delta += 1 }
                guard point == next else { continue }
                append(delta, bias, to: &output)
                bias = adapted(delta, count: handled + 1, isFirst: handled == basic)
                delta = 0
                handled += 1
            }
            delta += 1
            next += 1
        }
        return String(decoding: output, as: UTF8.self)
    }

    /// Writes a number of variable length (RFC 3492, section 3.3).
    private static func append(_ delta: Int, _ bias: Int, to output: inout [UInt8]) {
        var rest = delta
        var position = 36
        while true {
            let threshold = min(max(position - bias, 1), 26)
            guard rest >= threshold else { break }
            output.append(digit(threshold + (rest - threshold) % (36 - threshold)))
            rest = (rest - threshold) / (36 - threshold)
            position += 36
        }
        output.append(digit(rest))
    }

    /// The bias for the next number (RFC 3492, section 6.1).
    private static func adapted(_ delta: Int, count: Int, isFirst: Bool) -> Int {
        var rest = isFirst ? delta / 700 : delta / 2
        rest += rest / count
        var position = 0
        while rest > 455 {
            rest /= 35
            position += 36
        }
        return position + 36 * rest / (rest + 38)
    }

    /// The character of a digit from 0 to 35: letters, then numerals.
    private static func digit(_ value: Int) -> UInt8 {
        UInt8(truncatingIfNeeded: value < 26 ? value + 97 : value + 22)
    }
}
