import Foundation

/// A temporary folder of one test, removed with its last owner. Short, because paths of Unix sockets are.
final class Workspace {
    /// Its absolute path.
    let path: String

    /// Creates an empty folder.
    init() throws {
        var template = Array("/tmp/dnsproxyd-test-XXXXXX".utf8CString)
        guard mkdtemp(&template) != nil else { throw HarnessError("cannot create a temporary folder") }
        path = String(decoding: template.dropLast().map { UInt8(bitPattern: $0) }, as: UTF8.self)
    }

    deinit {
        try? FileManager.default.removeItem(atPath: path)
    }

    /// The absolute path of `name` in the folder.
    func file(_ name: String) -> String { "\(path)/\(name)" }

    /// Writes a file in one step, parent folders included, so that nobody sees half of it; returns its path.
    @discardableResult
    func write(_ name: String, _ text: String) throws -> String {
        let target = file(name)
        try FileManager.default.createDirectory(
            atPath: (target as NSString).deletingLastPathComponent, withIntermediateDirectories: true)
        try Data(text.utf8).write(to: URL(fileURLWithPath: target), options: .atomic)
        return target
    }

    /// The text of a file.
    func read(_ name: String) throws -> String {
        String(decoding: try Data(contentsOf: URL(fileURLWithPath: file(name))), as: UTF8.self)
    }
}

/// What went wrong in the harness itself, for the reader of a failed test.
struct HarnessError: Error, CustomStringConvertible {
    /// One sentence.
    let description: String

    /// An error with this text.
    init(_ description: String) { self.description = description }
}

/// The root of the repository.
let repositoryRoot: String = {
    // …/Tests/EndToEndTests/Harness/Workspace.swift
    var url = URL(fileURLWithPath: #filePath)
    for _ in 0..<4 { url.deleteLastPathComponent() }
    return url.path
}()

/// Waits until `condition` holds, asking again every few milliseconds.
/// - Throws: `HarnessError` that names `what` when it does not within `limit`, and what `condition` throws.
func eventually(
    _ what: @autoclosure () -> String, within limit: Duration = .seconds(20), _ condition: () throws -> Bool
) throws {
    let deadline = ContinuousClock.now + limit
    while try !condition() {
        guard ContinuousClock.now < deadline else { throw HarnessError("after \(limit): \(what())") }
        usleep(5_000)
    }
}
