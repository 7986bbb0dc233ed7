import DNSWire
import Glibc
import Synchronization

/// Standard output through a buffer of its own, so that a million lines are not a million system calls, and a reader
/// that has gone away ends the command.
enum StandardOutput {
    /// What is not written yet.
    private static let buffer = Mutex<[UInt8]>([])
    /// Bytes that are kept back at most.
    private static let limit = 64 << 10

    /// Writes `text` and a line feed.
    /// - Throws: `CommandFailure` when nobody takes it any more.
    static func line(_ text: String) throws(CommandFailure) {
        try line(text.utf8)
    }

    /// Writes the bytes of a line and a line feed.
    /// - Throws: `CommandFailure` when nobody takes it any more.
    static func line(_ bytes: some Sequence<UInt8>) throws(CommandFailure) {
        let isFull = buffer.withLock { buffer in
            buffer.append(contentsOf: bytes)
            buffer.append(UInt8(ascii: "\n"))
            return buffer.count >= limit
        }
        if isFull { try flush() }
    }

    /// Writes everything that is kept back.
    /// - Throws: `CommandFailure` when nobody takes it any more.
    static func flush() throws(CommandFailure) {
        let bytes = buffer.withLock { buffer in
            defer { buffer.removeAll(keepingCapacity: true) }
            return buffer
        }
        if !bytes.isEmpty { Progress.makeWay(for: STDOUT_FILENO) }
        guard writeAll(bytes, to: STDOUT_FILENO) else {
            throw CommandFailure("cannot write to standard output: \(unsafe String(cString: strerror(errno)))")
        }
    }
}

/// Standard error, one write for each call so that lines of several threads stay whole.
enum StandardError {
    /// Writes `text` and `terminator`; a failure is nobody's to hear.
    static func write(_ text: String, terminator: String = "\n") {
        Progress.makeWay(for: STDERR_FILENO)
        _ = writeAll(Array((text + terminator).utf8), to: STDERR_FILENO)
    }
}

/// Writes all of `bytes`; false, with `errno`, when the system takes no more.
func writeAll(_ bytes: [UInt8], to descriptor: Int32) -> Bool {
    var rest = bytes[...]
    while !rest.isEmpty {
        let count = unsafe rest.withUnsafeBytes { unsafe write(descriptor, $0.baseAddress, $0.count) }
        if count < 0, errno == EINTR { continue }
        guard count >= 0 else { return false }
        rest = rest.dropFirst(count)
    }
    return true
}

/// `text` with everything that could steer a terminal as `\u{…}`.
func printable(_ text: String) -> String {
    guard text.unicodeScalars.contains(where: \.isUnprintable) else { return text }
    return text.unicodeScalars.map { $0.isUnprintable ? "\\u{\(String($0.value, radix: 16))}" : String($0) }.joined()
}
