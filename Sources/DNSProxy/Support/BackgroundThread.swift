import CLinux
import Dispatch
import Glibc
import Synchronization

/// Threads for what takes long, so that the few threads on which tasks run are left to tasks.
enum BackgroundThread {
    /// How much work gives way (nice(2)). On Linux that is a thread's own, and a thread without rights cannot take it back, so
    /// that each piece of work has a thread of its own.
    ///
    /// Beside a worker that has work, the kernel gives such a thread its part of the core in pieces of a whole tick, in which
    /// nobody is answered: 4 ms of 40, or of 270.
    enum Precedence: Int32 {
        /// What waits rather than works.
        case normal = 0
        /// What holds locks now and then that workers want: a worker must not wait long for it where all cores are busy.
        case low = 10
        /// What holds none of theirs, but malloc's for moments.
        case lowest = 19
    }

    /// How much the calling thread gives way.
    static var current: Int32 { clinux_niceness() }

    /// A piece of work on its way to its thread.
    private final class Work: Sendable {
        /// The work.
        let body: @Sendable () -> Void
        /// How much it gives way.
        let precedence: Precedence

        /// Holds `body`.
        init(_ precedence: Precedence, _ body: @escaping @Sendable () -> Void) {
            self.precedence = precedence
            self.body = body
        }

        /// Does it, on the thread that was made for it.
        func run() {
            if precedence != .normal { _ = clinux_set_niceness(precedence.rawValue) }
            body()
        }
    }

    /// Runs `body` and returns what it comes to; on the caller's thread where the kernel has no other to give.
    static func run<Result: Sendable>(
        _ precedence: Precedence, _ body: @escaping @Sendable () -> Result
    ) async -> Result {
        await withCheckedContinuation { continuation in
            let work = Work(precedence) { continuation.resume(returning: body()) }
            if !start(work) { work.body() }
        }
    }

    /// Likewise, for a thread that has nothing else to do meanwhile, and gives way less.
    static func wait<Result: Sendable>(
        _ precedence: Precedence, _ body: @escaping @Sendable () -> Result
    ) -> Result {
        let result = Latch<Result>()
        let work = Work(precedence) { result.set(body()) }
        if !start(work) { work.body() }
        return result.wait()
    }

    /// Frees `values`, if there are any, which may be large; nobody waits for that.
    static func free<Value: Sendable>(_ values: consuming [Value]) {
        guard !values.isEmpty else { return }
        // They go with the work that holds them, on its thread.
        _ = start(Work(.lowest) { [values] in _ = values.count })
    }

    /// A value that another thread waits for.
    private final class Latch<Value: Sendable>: Sendable {
        /// The value.
        private let value = Mutex<Value?>(nil)
        /// Raised when it is there.
        private let isSet = DispatchSemaphore(value: 0)

        /// Gives it.
        func set(_ value: Value) {
            self.value.withLock { $0 = value }
            isSet.signal()
        }

        /// Waits for it.
        func wait() -> Value {
            while true {
                isSet.wait()
                if let value = value.withLock({ $0 }) { return value }
            }
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
