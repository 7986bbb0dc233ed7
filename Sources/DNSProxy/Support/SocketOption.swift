import Glibc

/// Options of sockets.
enum SocketOption {
    /// Sets an integer option of `descriptor`.
    /// - Throws: `SystemError` for `action`.
    static func set(
        _ descriptor: Int32, _ level: Int32, _ name: Int32, _ value: Int32, _ action: @autoclosure () -> String
    ) throws(SystemError) {
        var value = value
        let size = socklen_t(MemoryLayout<Int32>.size)
        guard unsafe setsockopt(descriptor, level, name, &value, size) == 0 else { throw SystemError(action()) }
    }

    /// An integer option of `descriptor`; nil where it has none of that name.
    static func get(_ descriptor: Int32, _ level: Int32, _ name: Int32) -> Int32? {
        var value: Int32 = 0
        var size = socklen_t(MemoryLayout<Int32>.size)
        return unsafe getsockopt(descriptor, level, name, &value, &size) == 0 ? value : nil
    }
}
