import FQDNPolicy
import Glibc

/// Small text files, read whole.
enum TextFile {
    /// The content of the file at `path`.
    /// - Throws: a problem about the file as a whole when it cannot be read, has more than `limit` bytes, or is not
    ///   UTF-8.
    static func read(_ path: String, limit: Int) throws(DocumentProblem) -> String {
        let bytes = try contents(path, limit: limit)
        guard let text = String(validating: bytes, as: UTF8.self) else {
            throw DocumentProblem(file: path, message: "the file is not UTF-8 text")
        }
        return text
    }

    /// The part of `path` in front of its last slash, that slash included; empty when there is none.
    static func folder(of path: String) -> String {
        guard let slash = path.lastIndex(of: "/") else { return "" }
        return String(path[...slash])
    }

    /// The bytes of the file at `path`.
    private static func contents(_ path: String, limit: Int) throws(DocumentProblem) -> [UInt8] {
        do throws(SystemError) {
            let file = try FileDescriptor(unsafe open(path, O_RDONLY | O_CLOEXEC), "open \(path)")
            var bytes: [UInt8] = []
            while bytes.count <= limit {
                var count = 0
                let part = unsafe [UInt8](unsafeUninitializedCapacity: 65_536) { buffer, filled in
                    count = unsafe Glibc.read(file.rawValue, buffer.baseAddress, buffer.count)
                    filled = max(0, count)
                }
                if count < 0, errno == EINTR { continue }
                guard count >= 0 else { throw SystemError("read \(path)") }
                guard count > 0 else { return bytes }
                bytes += part
            }
        } catch {
            let reason = unsafe String(cString: strerror(error.code))
            throw DocumentProblem(file: path, message: "cannot be read: \(reason)")
        }
        throw DocumentProblem(file: path, message: "the file has more than \(limit) bytes")
    }
}
