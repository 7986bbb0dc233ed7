import Glibc

/// A subscriber that does nothing with what it gets but acknowledge the last number of each read.
enum IdleSubscriber {
    /// Starts this program once more, as a subscriber of the socket at `path`.
    static func start(_ path: String) throws -> pid_t {
        var words = [strdup(CommandLine.arguments[0]), strdup("subscribe"), strdup(path), nil]
        defer { words.forEach { free($0) } }
        var process: pid_t = 0
        let code = posix_spawn(&process, "/proc/self/exe", nil, nil, &words, environ)
        guard code == 0 else { throw StartError(code: code) }
        return process
    }

    /// The subscriber could not be started.
    struct StartError: Error {
        /// The system's error number.
        let code: Int32
    }

    /// Subscribes, acknowledges until the connection ends, and returns the exit status.
    static func run(_ path: String) -> Int32 {
        let descriptor = socket(AF_UNIX, Int32(SOCK_STREAM.rawValue), 0)
        var address = sockaddr_un()
        address.sun_family = sa_family_t(AF_UNIX)
        withUnsafeMutableBytes(of: &address.sun_path) { $0.copyBytes(from: path.utf8.prefix(107)) }
        let isConnected = withUnsafePointer(to: &address) {
            $0.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                connect(descriptor, $0, socklen_t(MemoryLayout<sockaddr_un>.size)) == 0
            }
        }
        guard isConnected else { return 1 }
        send(descriptor, #"{"event":"subscribe","acknowledge":true}"#)
        var buffer = [UInt8](repeating: 0, count: 256 << 10)
        var kept = 0
        while true {
            let received = buffer[kept...].withUnsafeMutableBytes { read(descriptor, $0.baseAddress, $0.count) }
            guard received > 0 else { return 0 }
            let end = kept + received
            guard let last = buffer[..<end].lastIndex(of: 0x0A) else {
                kept = end
                continue
            }
            let begin = buffer[..<last].lastIndex(of: 0x0A).map { $0 + 1 } ?? 0
            if let sequence = sequence(in: buffer[begin..<last]) {
                send(descriptor, #"{"event":"ack","seq":\#(sequence)}"#)
            }
            kept = end - last - 1
            for index in 0..<kept { buffer[index] = buffer[last + 1 + index] }
        }
    }

    /// The number in a line that may be acknowledged; nil in a greeting and at the beginning of a snapshot.
    private static func sequence(in line: ArraySlice<UInt8>) -> UInt64? {
        let text = String(decoding: line.prefix(80), as: UTF8.self)
        guard !text.contains("hello"), !text.contains("begin"), let key = text.range(of: #""seq":"#) else { return nil }
        return UInt64(text[key.upperBound...].prefix { $0.isNumber })
    }

    /// Sends a line.
    private static func send(_ descriptor: Int32, _ line: String) {
        let bytes = Array((line + "\n").utf8)
        _ = bytes.withUnsafeBytes { write(descriptor, $0.baseAddress, $0.count) }
    }
}

extension String {
    /// Where `other` first occurs.
    fileprivate func range(of other: String) -> Range<String.Index>? { firstRange(of: other) }
}
