import Foundation

/// A child process whose output goes to files; it is killed with its last owner.
final class RunningProcess {
    /// Its process number.
    let pid: pid_t
    /// What was started, for messages.
    let command: [String]
    /// Where its standard output goes.
    private let outputPath: String
    /// Where its standard error goes.
    private let errorPath: String
    /// The folder of both.
    private let folder: Workspace
    /// How it ended; nil while it runs.
    private var ended: Int32?

    /// Starts `command`, whose first word is searched in PATH and in the folders of system programs, with an empty
    /// standard input. It inherits `sockets` as descriptors 3 and up.
    init(_ command: [String], environment: [String: String] = [:], sockets: [Socket] = []) throws {
        self.command = command
        folder = try Workspace()
        outputPath = folder.file("stdout")
        errorPath = folder.file("stderr")
        var actions = posix_spawn_file_actions_t()
        posix_spawn_file_actions_init(&actions)
        defer { posix_spawn_file_actions_destroy(&actions) }
        posix_spawn_file_actions_addopen(&actions, 0, "/dev/null", O_RDONLY, 0)
        // Appending, so that two descriptors of one file never overwrite one another.
        posix_spawn_file_actions_addopen(&actions, 1, outputPath, O_WRONLY | O_CREAT | O_APPEND, 0o600)
        posix_spawn_file_actions_addopen(&actions, 2, errorPath, O_WRONLY | O_CREAT | O_APPEND, 0o600)
        // Out of the way of the descriptors that are closed next.
        let aside: Int32 = 1_000
        for (socket, number) in zip(sockets, aside...) {
            posix_spawn_file_actions_adddup2(&actions, socket.descriptor, number)
        }
        // Sockets of other tests must not live on in a child.
        for name in try FileManager.default.contentsOfDirectory(atPath: "/proc/self/fd") {
            if let descriptor = Int32(name), descriptor > 2 {
                posix_spawn_file_actions_addclose(&actions, descriptor)
            }
        }
        for (index, _) in sockets.enumerated() {
            posix_spawn_file_actions_adddup2(&actions, aside + Int32(index), 3 + Int32(index))
            posix_spawn_file_actions_addclose(&actions, aside + Int32(index))
        }
        // Threads of the test runner block signals, and a child inherits that.
        var attributes = posix_spawnattr_t()
        posix_spawnattr_init(&attributes)
        defer { posix_spawnattr_destroy(&attributes) }
        var none = sigset_t()
        var all = sigset_t()
        sigemptyset(&none)
        sigfillset(&all)
        posix_spawnattr_setsigmask(&attributes, &none)
        posix_spawnattr_setsigdefault(&attributes, &all)
        posix_spawnattr_setflags(&attributes, Int16(POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF))
        var variables = ProcessInfo.processInfo.environment
        variables.merge(environment) { $1 }
        let arguments = command.map { strdup($0) } + [nil]
        let values = variables.map { strdup("\($0.key)=\($0.value)") } + [nil]
        defer { for text in arguments + values { free(text) } }
        var pid: pid_t = 0
        let status = posix_spawn(
            &pid, try RunningProcess.locate(command[0]), &actions, &attributes, arguments, values)
        guard status == 0 else {
            throw HarnessError("cannot start \(command[0]): \(String(cString: strerror(status)))")
        }
        self.pid = pid
    }

    deinit {
        guard poll() == nil else { return }
        kill(pid, SIGKILL)
        waitpid(pid, nil, 0)
    }

    /// What it has written to its standard output.
    var output: String { RunningProcess.text(outputPath) }

    /// What it has written to its standard error.
    var errors: String { RunningProcess.text(errorPath) }

    /// How it ended: its exit status, or 128 and the signal as shells have it; nil while it runs.
    func poll() -> Int32? {
        if let ended { return ended }
        var status: Int32 = 0
        guard waitpid(pid, &status, WNOHANG) == pid else { return nil }
        let signal = status & 0x7F
        ended = signal == 0 ? (status >> 8) & 0xFF : 128 + signal
        return ended
    }

    /// Sends it a signal.
    func signal(_ number: Int32) {
        if poll() == nil { kill(pid, number) }
    }

    /// Waits for its end and returns how it ended.
    /// - Throws: `HarnessError` when it does not end within `limit`; it is killed then.
    @discardableResult
    func wait(within limit: Duration = .seconds(30)) throws -> Int32 {
        do {
            try eventually("\(command.joined(separator: " ")) still runs", within: limit) { poll() != nil }
        } catch {
            signal(SIGKILL)
            throw HarnessError("\(error)\n\(output)\n\(errors)")
        }
        return ended ?? -1
    }

    /// The path of a program. The folders of system programs are often not in the PATH of a user.
    private static func locate(_ program: String) throws -> String {
        if program.contains("/") { return program }
        let path = ProcessInfo.processInfo.environment["PATH"] ?? ""
        for folder in path.split(separator: ":") + ["/usr/sbin", "/sbin", "/usr/bin", "/bin"]
        where access("\(folder)/\(program)", X_OK) == 0 {
            return "\(folder)/\(program)"
        }
        throw HarnessError("\(program) is not installed; make test installs it")
    }

    /// The text of a file that may be growing.
    private static func text(_ path: String) -> String {
        String(decoding: (try? Data(contentsOf: URL(fileURLWithPath: path))) ?? Data(), as: UTF8.self)
    }
}

/// What a process that has ended left behind.
struct Completed {
    /// Its exit status.
    let status: Int32
    /// Its standard output.
    let output: String
    /// Its standard error.
    let errors: String

    /// The lines of its standard output.
    var lines: [Substring] { output.split(separator: "\n") }
}

/// Runs `command` to its end.
/// - Throws: `HarnessError` when it cannot be started, or hangs; it is killed then.
func run(
    _ command: [String], environment: [String: String] = [:], within limit: Duration = .seconds(30)
) throws -> Completed {
    let process = try RunningProcess(command, environment: environment)
    let status = try process.wait(within: limit)
    return Completed(status: status, output: process.output, errors: process.errors)
}
