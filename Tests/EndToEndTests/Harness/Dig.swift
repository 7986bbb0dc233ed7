import Foundation

/// What `dig` or `drill` printed about a response.
struct DigAnswer {
    /// A record of the answer section.
    struct Record: Equatable {
        /// The owner.
        let name: String
        /// Seconds to live.
        let ttl: Int
        /// The type's mnemonic.
        let type: String
        /// The data in presentation format.
        let data: String
    }

    /// Everything that was printed.
    let text: String
    /// The response code's mnemonic; empty without a response.
    var status = ""
    /// The header's flags: `qr`, `aa`, `tc` and so on.
    var flags: Set<Substring> = []
    /// The number of the extended error (RFC 8914).
    var extendedError: Int?
    /// The answer section.
    var records: [Record] = []
    /// Whether a truncated answer was asked for again over TCP.
    var wasRetried = false

    /// Reads the output of `dig +noall +comments +answer`, or of `drill`.
    init(_ text: String) {
        self.text = text
        var isAnswer = false
        for line in text.split(separator: "\n", omittingEmptySubsequences: false) {
            if let range = line.range(of: "status: ") ?? line.range(of: "rcode: ") {
                status = String(line[range.upperBound...].prefix { $0.isLetter })
            } else if line.hasPrefix(";; flags: ") {
                flags = Set(line.dropFirst(10).prefix { $0 != ";" }.split(separator: " "))
            } else if line.hasPrefix("; EDE: ") {
                extendedError = Int(line.dropFirst(7).prefix { $0.isNumber })
            } else if line.hasPrefix(";; Truncated, retrying in TCP") {
                wasRetried = true
            }
            if line.hasPrefix(";; ") { isAnswer = line.hasPrefix(";; ANSWER SECTION") }
            if isAnswer, !line.hasPrefix(";") { appendRecord(line) }
        }
    }

    /// The data of the records of one type, sorted.
    func data(_ type: String) -> [String] { records.filter { $0.type == type }.map(\.data).sorted() }

    /// The addresses, sorted.
    var addresses: [String] { records.filter { ["A", "AAAA"].contains($0.type) }.map(\.data).sorted() }

    /// The smallest TTL of the answer section.
    var ttl: Int? { records.map(\.ttl).min() }

    /// Takes a line of the answer section apart.
    private mutating func appendRecord(_ line: Substring) {
        let fields = line.split(maxSplits: 4, whereSeparator: { $0 == " " || $0 == "\t" })
        guard fields.count == 5, let ttl = Int(fields[1]) else { return }
        records.append(
            Record(name: String(fields[0]), ttl: ttl, type: String(fields[3]), data: String(fields[4])))
    }
}

/// Asks with `dig`; `arguments` are its own, as in `api.example AAAA +tcp`. One try, five seconds.
func dig(
    _ arguments: String..., server: String = "127.0.0.1", port: Int, source: String? = nil
) throws -> DigAnswer {
    // -r: no ~/.digrc that changes what is printed.
    var command = ["dig", "-r", "@\(server)", "-p", "\(port)", "+tries=1", "+time=5", "+noall", "+comments", "+answer"]
    if let source { command += ["-b", source] }
    for argument in arguments { command += argument.split(separator: " ").map(String.init) }
    let result = try run(command)
    return DigAnswer(result.output + result.errors)
}

/// Asks with `drill`; `arguments` are its own, as in `api.example AAAA`.
func drill(_ arguments: String, server: String = "127.0.0.1", port: Int) throws -> DigAnswer {
    let result = try run(
        ["drill", "-p", "\(port)"] + arguments.split(separator: " ").map(String.init) + ["@\(server)"])
    return DigAnswer(result.output)
}
