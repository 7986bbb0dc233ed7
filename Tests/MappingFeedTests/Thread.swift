import Glibc

/// A thread of its own for what blocks.
enum Thread {
    /// Runs `body` once.
    static func detach(_ body: @escaping @Sendable () -> Void) {
        let box = Unmanaged.passRetained(Body(body))
        var thread = pthread_t()
        let code = pthread_create(
            &thread, nil,
            { argument in
                if let argument { Unmanaged<Body>.fromOpaque(argument).takeRetainedValue().run() }
                return nil
            }, box.toOpaque())
        if code == 0 { pthread_detach(thread) } else { box.release() }
    }

    /// What a thread runs.
    private final class Body {
        /// The function.
        let run: @Sendable () -> Void

        /// A thread's work.
        init(_ run: @escaping @Sendable () -> Void) { self.run = run }
    }
}
