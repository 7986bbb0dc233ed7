internal import DNSWire
public import FQDNPolicy
internal import Glibc

/// Reads zone files (RFC 1035, section 5.1) into local zones.
public enum ZoneFile {
    /// Largest zone file in bytes.
    static let sizeLimit = 64 << 20
    /// Most records of one zone file.
    static let recordLimit = 1_000_000
    /// Most problems that are reported.
    static let problemLimit = 1_000

    /// Reads `paths`, one zone each, and says everything that is wrong with any of them.
    ///
    /// Zones with errors are left out; whether the rest is used is for the caller to decide.
    public static func load(_ paths: [String]) -> (zones: LocalZones, problems: [DocumentProblem]) {
        var zones: [LocalZone] = []
        var problems: [DocumentProblem] = []
        for path in paths {
            let before = problems.count
            if let zone = load(path, &problems) {
                if let other = zones.first(where: { $0.apex == zone.apex }) {
                    problems.append(
                        DocumentProblem(
                            severity: .error, file: path, line: zone.line, column: 1, path: "",
                            message: "the zone \(zone.apex) is also in \(other.file):\(other.line)"))
                } else if !problems[before...].contains(where: { $0.severity == .error }) {
                    zones.append(zone)
                }
            }
        }
        if problems.count > problemLimit {
            let file = problems[problemLimit].file
            problems.removeSubrange(problemLimit...)
            problems.append(DocumentProblem(file: file, message: "there are more problems; these are the first"))
        }
        return (LocalZones(zones), problems)
    }

    /// Reads one file; nil when there is no zone in it.
    private static func load(_ path: String, _ problems: inout [DocumentProblem]) -> LocalZone? {
        switch contents(of: path) {
        case .failure(let problem):
            problems.append(problem)
            return nil
        case .success(let text):
            return parse(text, file: path, &problems)
        }
    }

    /// Reads the text of one zone file; nil when there is no zone in it.
    static func parse(_ text: [UInt8], file: String, _ problems: inout [DocumentProblem]) -> LocalZone? {
        guard var reader = ZoneTextReader(text) else {
            problems.append(DocumentProblem(file: file, message: "no memory to read the zone file"))
            return nil
        }
        var records: [ZoneRecord] = []
        let before = problems.count
        reading: while true {
            switch reader.next() {
            case .end: break reading
            case .record(let record): records.append(record)
            case .problem(let line, let message):
                problems.append(
                    DocumentProblem(
                        severity: .error, file: file, line: line, column: 1, path: "", message: message))
            }
            if records.count > recordLimit {
                problems.append(DocumentProblem(file: file, message: "more than \(recordLimit) records"))
                return nil
            }
            if problems.count - before > problemLimit { return nil }
        }
        return LocalZone(records, file: file, &problems)
    }

    /// The bytes of a regular file of at most `sizeLimit`.
    private static func contents(of path: String) -> Result<[UInt8], DocumentProblem> {
        func failure(_ message: String) -> Result<[UInt8], DocumentProblem> {
            .failure(DocumentProblem(file: path, message: message))
        }
        // O_NONBLOCK, or opening a pipe that nobody writes would wait for ever.
        let descriptor = unsafe open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK)
        guard descriptor >= 0 else { return failure("cannot open the zone file: \(reason())") }
        defer { close(descriptor) }
        var status = stat()
        guard unsafe fstat(descriptor, &status) == 0 else { return failure("cannot read the zone file: \(reason())") }
        guard status.st_mode & S_IFMT == S_IFREG else { return failure("the zone file is not a regular file") }
        var text: [UInt8] = []
        var chunk = [UInt8](repeating: 0, count: 65_536)
        while true {
            let count = unsafe read(descriptor, &chunk, chunk.count)
            if count < 0, errno == EINTR { continue }
            guard count >= 0 else { return failure("cannot read the zone file: \(reason())") }
            guard count > 0 else { return .success(text) }
            text += chunk[..<count]
            guard text.count <= sizeLimit else { return failure("the zone file is larger than \(sizeLimit) bytes") }
        }
    }

    /// The kernel's words for the last error.
    private static func reason() -> String { unsafe String(cString: strerror(errno)) }
}
