import CLinux
import Glibc
import Synchronization

/// The thread that one worker runs on.
final class WorkerThread: Sendable {
    /// The worker, until its thread takes it.
    private let worker: Mutex<Worker?>
    /// Called on the thread when the worker has ended, with the queries that it has not answered.
    private let onEnd: @Sendable ([LeftQuery]) -> Void

    /// A thread for `worker`, not started yet.
    init(_ worker: consuming sending Worker, onEnd: @escaping @Sendable ([LeftQuery]) -> Void) {
        self.worker = Mutex(worker)
        self.onEnd = onEnd
    }

    /// Starts the thread, which keeps itself alive until the worker ends.
    /// - Throws: `SystemError` when the kernel has no thread to give.
    func start(name: String) throws(SystemError) {
        var thread = pthread_t()
        let context = unsafe Unmanaged.passRetained(self)
        let code = unsafe pthread_create(&thread, nil, runWorker, context.toOpaque())
        guard code == 0 else {
            unsafe context.release()
            throw SystemError("start a worker thread", code: code)
        }
        unsafe clinux_name_thread(thread, name)
        pthread_detach(thread)
    }

    /// Nanoseconds that a worker asks for at a time where others want its core too, the least that there is.
    ///
    /// Linux lets a thread that wakes up wait until the one that runs has had its share, some milliseconds, unless the one that
    /// wakes up wants less at a time. Over time both get as much as they would otherwise.
    static let slice: UInt64 = 100_000

    /// Asks for that on the calling thread; where the kernel does not know it, nothing is different.
    static func askForLittle() { _ = clinux_set_slice(WorkerThread.slice) }

    /// Runs the worker to its end.
    fileprivate func run() {
        WorkerThread.askForLittle()
        var worker = self.worker.withLock { $0.take() }
        let left = worker?.run() ?? []
        // Its sockets are closed before anybody hears of it.
        worker = nil
        onEnd(left)
    }
}

/// What a worker's thread executes: a plain function, because a closure may be bound to an actor.
private func runWorker(_ context: UnsafeMutableRawPointer?) -> UnsafeMutableRawPointer? {
    if let context = unsafe context {
        unsafe Unmanaged<WorkerThread>.fromOpaque(context).takeRetainedValue().run()
    }
    return nil
}
