import Glibc

/// An open file descriptor with one owner, closed when that goes away.
struct FileDescriptor: ~Copyable {
    /// The number the kernel gave.
    let rawValue: Int32

    /// Takes ownership of `rawValue`, the result of a system call that does `action`.
    /// - Throws: `SystemError` when the call returned -1.
    init(_ rawValue: Int32, _ action: @autoclosure () -> String) throws(SystemError) {
        guard rawValue >= 0 else { throw SystemError(action()) }
        self.rawValue = rawValue
    }

    /// Takes ownership of the open descriptor `rawValue`.
    init(owning rawValue: Int32) { self.rawValue = rawValue }

    deinit { close(rawValue) }

    /// Gives the descriptor to somebody else, who closes it.
    consuming func release() -> Int32 {
        let descriptor = rawValue
        discard self
        return descriptor
    }
}
