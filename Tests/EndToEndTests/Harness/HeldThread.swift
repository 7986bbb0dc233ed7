import Foundation

/// A thread of another process that stands still, as one does that waits for what never comes; goes on with its last owner.
/// Needs the right to trace that process.
final class HeldThread {
    /// The number of the thread called `name` in the process `pid`.
    static func number(_ name: String, of pid: pid_t) throws -> Int {
        let folder = "/proc/\(pid)/task"
        for task in try FileManager.default.contentsOfDirectory(atPath: folder) {
            let text = try? String(contentsOfFile: "\(folder)/\(task)/comm", encoding: .utf8)
            if text == name + "\n", let number = Int(task) { return number }
        }
        throw HarnessError("no thread \(name) in process \(pid)")
    }

    /// Sends a signal to one thread, as a fault of its own does.
    static func signal(_ number: Int32, to thread: Int, of pid: pid_t) throws {
        let code = "import ctypes, sys; sys.exit(ctypes.CDLL(None).tgkill(\(pid), \(thread), \(number)))"
        let result = try run(["python3", "-c", code])
        guard result.status == 0 else { throw HarnessError("tgkill: \(result.errors)") }
    }

    /// The process that holds it.
    private let tracer: RunningProcess

    /// Attaches to a thread and waits for its end, or our own.
    private static let program = """
        import ctypes, os, signal, sys
        thread = int(sys.argv[1])
        libc = ctypes.CDLL(None, use_errno=True)
        libc.ptrace.argtypes = [ctypes.c_long] * 4
        PTRACE_ATTACH, WALL = 16, 0x40000000
        if libc.ptrace(PTRACE_ATTACH, thread, 0, 0) != 0:
            sys.exit("ptrace: " + os.strerror(ctypes.get_errno()))
        os.waitpid(thread, WALL)
        print("held", flush=True)
        signal.pause()
        """

    /// Holds the thread with this number; returns when it stands still.
    init(_ thread: Int) throws {
        tracer = try RunningProcess(["python3", "-c", HeldThread.program, "\(thread)"])
        try eventually("the thread is not held: \(tracer.errors)") {
            if tracer.poll() != nil { throw HarnessError("the thread cannot be held: \(tracer.errors)") }
            return tracer.output.contains("held")
        }
    }

    /// Lets it go on.
    func release() throws {
        tracer.signal(SIGKILL)
        try tracer.wait()
    }
}
