import Foundation

/// A connection that stays open: curl, that reads a few bytes each second, and the file that it writes them to.
final class Download {
    /// The file.
    private let workspace: Workspace
    /// curl.
    private let process: RunningProcess

    /// Begins to read from `name`, and returns when the first bytes are there.
    init(in pod: Pod, from name: String) throws {
        workspace = try Workspace()
        process = try RunningProcess(
            pod.namespace.command(["curl", "-qsfN", "-o", workspace.file("stream"), "http://\(name)/stream"]))
        try eventually("nothing comes from \(name)", within: .seconds(30)) {
            if let status = process.poll() { throw HarnessError("curl ended with \(status): \(process.errors)") }
            return count > 0
        }
    }

    /// Bytes that have come.
    var count: Int {
        let attributes = try? FileManager.default.attributesOfItem(atPath: workspace.file("stream"))
        return (attributes?[.size] as? NSNumber)?.intValue ?? 0
    }

    /// Waits for more bytes, twice, so that they were sent after the call.
    /// - Throws: `HarnessError` when the connection is dead.
    func waitForBytes() throws {
        for _ in 0..<2 {
            let before = count
            try eventually("the open connection is dead at \(before) bytes", within: .seconds(10)) {
                if let status = process.poll() { throw HarnessError("curl ended with \(status): \(process.errors)") }
                return count > before
            }
        }
    }

    /// Closes the connection.
    func close() throws {
        process.signal(SIGTERM)
        try process.wait()
    }
}
