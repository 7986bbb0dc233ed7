import Foundation

/// Whether the process `pid` has a child, or has had one that it has waited for.
///
/// A program cannot be executed without touching memory, and the kernel counts that of children that were waited for
/// (`cminflt` and `cmajflt` of proc_pid_stat(5)).
func hasHadChildren(_ pid: pid_t) throws -> Bool {
    let own = try processFields("/proc/\(pid)/stat")
    guard own.count > 10 else { throw HarnessError("process \(pid) has ended") }
    if own[8] != "0" || own[10] != "0" { return true }
    for name in try FileManager.default.contentsOfDirectory(atPath: "/proc") where pid_t(name) != nil {
        // Others come and go meanwhile.
        if let fields = try? processFields("/proc/\(name)/stat"), fields.count > 1, fields[1] == "\(pid)" {
            return true
        }
    }
    return false
}

/// What stands behind the name in a process's `stat`: state, parent, and so on.
private func processFields(_ path: String) throws -> [Substring] {
    let text = try String(contentsOfFile: path, encoding: .utf8)
    // The name is in brackets, and may have brackets and blanks in it.
    guard let end = text.lastIndex(of: ")") else { throw HarnessError("\(path) has no name: \(text)") }
    return text[text.index(after: end)...].split(separator: " ")
}

/// The functions and classes that the program `path` takes from libraries.
func imports(of path: String) throws -> Set<String> {
    let result = try run(["nm", "-D", "--undefined-only", path])
    guard result.status == 0 else { throw HarnessError("nm: \(result.errors)") }
    // `                 U fork@GLIBC_2.2.5`
    let names = result.lines.compactMap { $0.split(separator: " ").last?.split(separator: "@").first }
    return Set(names.map(String.init))
}
