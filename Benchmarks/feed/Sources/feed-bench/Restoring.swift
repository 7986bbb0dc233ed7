import MappingFeed

/// Reading a journal of a million mappings, each handed over as an event and thrown away.
enum Restoring {
    /// Mappings in the journal.
    private static let count = 1_000_000

    /// One line for reading it as changes, one for reading it as a snapshot.
    static func measure(rounds: Int, folder: String) throws -> [Row] {
        let path = "\(folder)/restore"
        var rows: [Row] = []
        for isSnapshot in [false, true] {
            try write(path, isSnapshot: isSnapshot)
            var times: [Double] = []
            var work: [Double] = []
            for _ in 1...rounds {
                var restored = 0
                let (began, beganWork) = (seconds(), processSeconds())
                let journal = try Journal(directory: path) { event in
                    if case .upsert(let upsert) = event { restored += upsert.addresses.count }
                }
                times.append(seconds() - began)
                work.append(processSeconds() - beganWork)
                let problems = journal.restoration.problems
                guard restored == count, problems.isEmpty else { fatalError("\(restored) restored, \(problems)") }
            }
            let what = "1,000,000 mappings read and decoded from a \(isSnapshot ? "snapshot" : "journal")"
            rows.append(Row(what: what, unit: "s", values: times, goal: "<= 3"))
            rows.append(Row(what: what, unit: "s CPU", values: work))
            removeFolder(path)
        }
        return rows
    }

    /// Writes the journal.
    private static func write(_ path: String, isSnapshot: Bool) throws {
        var journal = try Journal(directory: path) { _ in }
        var lines: [UInt8] = []
        if !isSnapshot {
            for number in 0..<count {
                lines += Mappings.line(number)
                guard lines.count > 1 << 20 || number == count - 1 else { continue }
                try journal.append(lines.span, through: UInt64(number + 1))
                lines.removeAll(keepingCapacity: true)
            }
            return
        }
        var snapshot = try journal.beginCompaction(last: 0, covered: UInt64(count))
        for number in 0..<count {
            lines += Mappings.line(number)
            guard lines.count > 1 << 20 || number == count - 1 else { continue }
            try snapshot.append(lines.span)
            lines.removeAll(keepingCapacity: true)
        }
        try journal.endCompaction(snapshotBytes: try snapshot.finish(count: UInt64(count)))
    }
}
