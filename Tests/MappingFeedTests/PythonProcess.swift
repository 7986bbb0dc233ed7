import Glibc

/// A Python program that runs beside a test.
struct PythonProcess: Sendable {
    /// Its number.
    let number: pid_t

    /// Whether there is a Python.
    static let isThere = access("/usr/bin/python3", X_OK) == 0

    /// Starts Python with these arguments; what it prints goes to the file `output`, if there is one.
    init?(_ arguments: [String], output: String? = nil) {
        var words = (["python3"] + arguments).map { strdup($0) } + [nil]
        defer { words.forEach { free($0) } }
        var actions = posix_spawn_file_actions_t()
        posix_spawn_file_actions_init(&actions)
        defer { posix_spawn_file_actions_destroy(&actions) }
        if let output { posix_spawn_file_actions_addopen(&actions, 1, output, O_WRONLY | O_CREAT | O_APPEND, 0o600) }
        var number: pid_t = 0
        guard posix_spawn(&number, "/usr/bin/python3", &actions, nil, &words, environ) == 0 else { return nil }
        self.number = number
    }

    /// Waits until it has ended, and returns its exit status; -1 if it was killed.
    func end() async -> Int32 {
        await withCheckedContinuation { continuation in
            Thread.detach {
                var status: Int32 = 0
                waitpid(number, &status, 0)
                continuation.resume(returning: status & 0x7F == 0 ? status >> 8 & 0xFF : -1)
            }
        }
    }

    /// Ends it.
    func stop() async {
        kill(number, SIGKILL)
        _ = await end()
    }
}
