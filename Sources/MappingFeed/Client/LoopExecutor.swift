internal import NIOCore

/// Runs tasks on an event loop, so that what the loop has read is worked on without waking another thread.
final class LoopExecutor: TaskExecutor {
    /// The loop.
    private let loop: any EventLoop

    /// An executor on `loop`.
    init(_ loop: any EventLoop) {
        self.loop = loop
    }

    /// Runs a job on the loop.
    func enqueue(_ job: consuming ExecutorJob) {
        let job = UnownedJob(job)
        loop.execute { unsafe job.runSynchronously(on: self.asUnownedTaskExecutor()) }
    }
}
