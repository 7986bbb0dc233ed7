import Foundation

/// A network namespace by its name, as `ip netns` has them. Needs root.
struct Namespace: Sendable {
    /// The name.
    let name: String

    /// Creates it, with its loopback up and without the second that IPv6 waits before it uses an address.
    func create() throws {
        let result = try run(["ip", "netns", "add", name])
        guard result.status == 0 else { throw HarnessError("ip netns add \(name): \(result.errors)") }
        try shell("for i in all default; do echo 0 > /proc/sys/net/ipv6/conf/$i/accept_dad; done")
        try ip("link set lo up")
    }

    /// Removes it with its links and its files. What still runs there goes on until it ends.
    func remove() {
        _ = try? run(["ip", "netns", "delete", name])
        try? FileManager.default.removeItem(atPath: folder)
    }

    /// The command line that runs `command` inside.
    func command(_ command: [String]) -> [String] { ["ip", "netns", "exec", name] + command }

    /// Runs `command` inside, to its end.
    func execute(_ command: [String], within limit: Duration = .seconds(30)) throws -> Completed {
        try run(self.command(command), within: limit)
    }

    /// Runs lines of `ip -batch`, each as if it began with `ip -n NAME`; an address with a colon makes it IPv6.
    /// - Throws: `HarnessError` when one fails.
    func ip(_ lines: String) throws {
        let workspace = try Workspace()
        let file = try workspace.write("batch", lines + "\n")
        let result = try run(["ip", "-n", name, "-batch", file])
        guard result.status == 0 else { throw HarnessError("ip -n \(name): \(result.errors)") }
    }

    /// Runs a line of shell inside.
    /// - Throws: `HarnessError` when it fails.
    func shell(_ line: String) throws {
        let result = try execute(["sh", "-c", line])
        guard result.status == 0 else { throw HarnessError("\(line): \(result.errors)") }
    }

    /// Writes a file that programs inside see in `/etc`.
    func write(_ file: String, _ text: String) throws {
        try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
        try Data(text.utf8).write(to: URL(fileURLWithPath: "\(folder)/\(file)"))
    }

    /// Where `ip netns exec` takes files for `/etc` from.
    private var folder: String { "/etc/netns/\(name)" }
}
