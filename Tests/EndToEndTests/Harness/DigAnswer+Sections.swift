extension DigAnswer {
    /// The lines of the section that `dig` was asked to print with `+authority` or `+additional`, taken apart into
    /// owner, TTL, class, type and data.
    func section(_ name: String) -> [[Substring]] {
        var isInside = false
        var lines: [[Substring]] = []
        for line in text.split(separator: "\n") {
            if line.hasPrefix(";") {
                isInside = line.hasPrefix(";; \(name) SECTION")
            } else if isInside {
                lines.append(line.split(maxSplits: 4, whereSeparator: { $0 == " " || $0 == "\t" }))
            }
        }
        return lines
    }

    /// The TTL of the SOA record in the authority section; nil without one.
    var negativeTTL: Int? {
        section("AUTHORITY").first { $0.count == 5 && $0[3] == "SOA" }.flatMap { Int($0[1]) }
    }
}
