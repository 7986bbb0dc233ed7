import Glibc

/// Time that the processor spent on something, whatever else the machine does meanwhile.
enum ProcessorTime {
    /// What `body` takes of the thread that it is called on.
    static func measure(_ body: () throws -> Void) rethrows -> Duration {
        let start = spent
        try body()
        return spent - start
    }

    /// What this thread has taken so far.
    private static var spent: Duration {
        var time = timespec()
        clock_gettime(CLOCK_THREAD_CPUTIME_ID, &time)
        return .seconds(time.tv_sec) + .nanoseconds(time.tv_nsec)
    }
}
