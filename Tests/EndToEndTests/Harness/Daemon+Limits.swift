import Foundation

extension Daemon {
    /// Lets it open descriptors below that number only; nil for as many as it may have.
    func limitDescriptors(to number: Int?) throws {
        let limit = try number.map(String.init) ?? hardDescriptorLimit()
        let result = try run(["prlimit", "--pid", "\(process.pid)", "--nofile=\(limit):"])
        guard result.status == 0 else { throw HarnessError("prlimit: \(result.errors)") }
    }

    /// Hundredths of a second of processor time that all of its threads have had.
    func processorTicks() throws -> Int {
        let line = try String(contentsOfFile: "/proc/\(process.pid)/stat", encoding: .utf8)
        let fields = line[(line.lastIndex(of: ")") ?? line.startIndex)...].split(separator: " ")
        return (Int(fields[12]) ?? 0) + (Int(fields[13]) ?? 0)
    }

    /// How many descriptors it may have, as `prlimit` takes it.
    private func hardDescriptorLimit() throws -> String {
        let result = try run(["prlimit", "--pid", "\(process.pid)", "--nofile", "-o", "HARD", "--noheadings"])
        guard result.status == 0 else { throw HarnessError("prlimit: \(result.errors)") }
        return result.output.trimmingCharacters(in: .whitespacesAndNewlines)
    }
}
