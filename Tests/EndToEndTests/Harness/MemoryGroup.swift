import Foundation

/// A control group with a limit of memory, of version 2 or 1, removed with its last owner. Needs root.
final class MemoryGroup {
    /// Whether this process may make one.
    static let isAvailable = (try? MemoryGroup()) != nil

    /// Its folder.
    private let path: String
    /// Whether it is of version 2.
    private let isUnified: Bool

    /// A group without a limit and without processes.
    init() throws {
        let root = "/sys/fs/cgroup"
        let controllers = (try? String(contentsOfFile: "\(root)/cgroup.controllers", encoding: .utf8)) ?? ""
        isUnified = controllers.contains("memory")
        path = (isUnified ? root : "\(root)/memory") + "/dnsproxyd-test-\(getpid())-\(Int.random(in: 0..<1_000_000))"
        if isUnified { try? MemoryGroup.write("+memory", "\(root)/cgroup.subtree_control") }
        guard mkdir(path, 0o755) == 0 else {
            throw HarnessError("cannot make \(path): \(String(cString: strerror(errno)))")
        }
        do {
            _ = try text(isUnified ? "memory.max" : "memory.limit_in_bytes")
        } catch {
            rmdir(path)
            throw error
        }
    }

    deinit { rmdir(path) }

    /// The command that becomes a process in the group.
    var wrapper: [String] { ["/bin/sh", "-c", #"echo $$ > "$0/cgroup.procs" && exec "$@""#, path] }

    /// Limits the memory to that many bytes.
    func limit(to bytes: Int) throws {
        try MemoryGroup.write("\(bytes)", "\(path)/\(isUnified ? "memory.max" : "memory.limit_in_bytes")")
    }

    /// Bytes that its processes have for themselves.
    func anonymous() throws -> Int { try figure(isUnified ? "anon" : "total_rss", of: "memory.stat") }

    /// Bytes of files that it has in memory.
    func files() throws -> Int { try figure(isUnified ? "file" : "total_cache", of: "memory.stat") }

    /// How often it came to its limit.
    func timesAtLimit() throws -> Int {
        try isUnified ? figure("max", of: "memory.events") : Int(text("memory.failcnt").dropLast()) ?? 0
    }

    /// How many of its processes the kernel has killed.
    func kills() throws -> Int {
        try isUnified ? figure("oom_kill", of: "memory.events") : figure("oom_kill", of: "memory.oom_control")
    }

    /// The figure called `name` in `file`.
    private func figure(_ name: String, of file: String) throws -> Int {
        for line in try text(file).split(separator: "\n") {
            let words = line.split(separator: " ")
            if words.count == 2, words[0] == name, let value = Int(words[1]) { return value }
        }
        throw HarnessError("no \(name) in \(file)")
    }

    /// The text of a file of the group.
    private func text(_ file: String) throws -> String {
        try String(contentsOfFile: "\(path)/\(file)", encoding: .utf8)
    }

    /// Writes to a file of a group, which takes it at once or not at all.
    private static func write(_ text: String, _ path: String) throws {
        let file = open(path, O_WRONLY)
        guard file >= 0 else { throw HarnessError("cannot open \(path): \(String(cString: strerror(errno)))") }
        defer { close(file) }
        let bytes = Array(text.utf8)
        guard Glibc.write(file, bytes, bytes.count) == bytes.count else {
            throw HarnessError("cannot write \(path): \(String(cString: strerror(errno)))")
        }
    }
}
