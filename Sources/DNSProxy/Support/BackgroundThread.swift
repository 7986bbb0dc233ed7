import CLinux
import Glibc

/// Threads for what takes long, so that the few threads on which tasks run are left to tasks.
enum BackgroundThread {
    /// How much work gives way (nice(2)) that nobody waits for with a query: beside a worker that has work it gets a tenth
    /// of its core. On Linux that is a thread's own, and a thread without rights cannot take it back, so that each piece of
    /// work has a thread of its own.
    static let niceness: Int32 = 10

    /// How much the calling thread gives way.
    static var current: Int32 { clinux_niceness() }

    /// A piece of work on its way to its thread.
    private final class Work: Sendable {
        /// The work.
        let body: @Sendable () -> Void
        /// Whether it gives way.
        let givesWay: Bool

        /// Holds `body`.
        init(givesWay: Bool, _ body: @escaping @Sendable () -> Void) {
            self.givesWay = givesWay
            self.body = body
        }

        /// Does it, on the thread that was made for it.
        func run() {
            if givesWay { _ = clinux_set_niceness(BackgroundThread.niceness) }
            body()
        }
    }

    /// Runs `body`, which waits rather than works unless it `givesWay`, and returns what it comes to; on the caller's thread
    /// where the kernel has no other to give.
    static func run<Result: Sendable>(
        givesWay: Bool, _ body: @escaping @Sendable () -> Result
    ) async -> Result {
        await withCheckedContinuation { continuation in
            let work = Work(givesWay: givesWay) { continuation.resume(returning: body()) }
            if !start(work) { work.body() }
        }
    }

    /// Starts a thread for `work`; false when there is none.
    private static func start(_ work: Work) -> Bool {
        var thread = pthread_t()
        let context = unsafe Unmanaged.passRetained(work)
        guard unsafe pthread_create(&thread, nil, runWork, context.toOpaque()) == 0 else {
            unsafe context.release()
            return false
        }
        unsafe clinux_name_thread(thread, "background")
        pthread_detach(thread)
        return true
    }

    /// What a thread executes: a plain function, because a closure may be bound to an actor.
    private static let runWork: @convention(c) (UnsafeMutableRawPointer?) -> UnsafeMutableRawPointer? = { context in
        if let context = unsafe context {
            unsafe Unmanaged<Work>.fromOpaque(context).takeRetainedValue().run()
        }
        return nil
    }
}
