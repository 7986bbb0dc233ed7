internal import Glibc

/// Why the feed's socket cannot be made.
public struct FeedSocketError: Error, Hashable, Sendable, CustomStringConvertible {
    /// The path of the socket.
    public let path: String
    /// What is wrong, and what to do.
    public let reason: String

    /// The same as one line of text, for people.
    public var description: String { "\(path): \(reason)" }
}

/// A listening Unix socket's file.
struct UnixSocket {
    /// The file.
    let path: String
    /// The bound socket.
    let descriptor: Int32
    /// The group that the file belongs to.
    let group: gid_t
    /// What tells the file from another that somebody put in its place: its number, which may be used again, and its time.
    private let mark: [Int]

    /// Bytes that a path may have, its end mark not counted (`sun_path`, unix(7)).
    private static let maxPathLength = 107

    /// Makes the socket, mode 0660, and the folder that it is in; a file that nobody listens on any more is replaced.
    /// - Parameter group: the name or number of the group that the file is given to; nil leaves it as it comes.
    init(_ path: String, group: String? = nil) throws(FeedSocketError) {
        guard path.utf8.count <= UnixSocket.maxPathLength, !path.isEmpty else {
            throw FeedSocketError(path: path, reason: "a socket's path has 1 to 107 bytes; set a shorter feed.socket")
        }
        var number: gid_t?
        if let group {
            number = GroupDatabase.number(of: group)
            guard number != nil else {
                throw FeedSocketError(
                    path: path, reason: "there is no group \"\(group)\"; make it, or set another feed.group")
            }
        }
        if let slash = path.lastIndex(of: "/"), slash > path.startIndex {
            do {
                try FileSystem.makeDirectory(String(path[..<slash]))
            } catch {
                throw FeedSocketError(path: path, reason: UnixSocket.advice("cannot make its folder", error.code))
            }
        }
        try UnixSocket.removeStale(path)
        let descriptor = socket(AF_UNIX, Int32(SOCK_STREAM.rawValue) | UnixSocket.closeOnExec, 0)
        guard descriptor >= 0 else {
            throw FeedSocketError(path: path, reason: UnixSocket.advice("cannot make a socket", errno))
        }
        var status = stat()
        // Nobody can connect before there is a listen(2), so the mode is right from the first connection on.
        guard unsafe UnixSocket.call(path, descriptor, bind) == 0 else {
            let code = errno
            close(descriptor)
            throw FeedSocketError(path: path, reason: UnixSocket.advice("cannot bind", code))
        }
        if let number, unsafe chown(path, uid_t.max, number) != 0 {
            let code = errno
            close(descriptor)
            unsafe unlink(path)
            throw FeedSocketError(
                path: path,
                reason: code == EPERM
                    ? "cannot give it to the group \(number): the daemon's user is no member; add it, or set feed.group"
                    : UnixSocket.advice("cannot give it to the group \(number)", code))
        }
        guard unsafe chmod(path, 0o660) == 0, unsafe lstat(path, &status) == 0 else {
            let code = errno
            close(descriptor)
            unsafe unlink(path)
            throw FeedSocketError(path: path, reason: UnixSocket.advice("cannot set its mode", code))
        }
        self.path = path
        self.descriptor = descriptor
        self.group = status.st_gid
        mark = UnixSocket.mark(status)
    }

    /// Removes the file, if it is still this socket's.
    func remove() {
        var status = stat()
        if unsafe lstat(path, &status) == 0, UnixSocket.mark(status) == mark { unsafe unlink(path) }
    }

    /// What is particular to a file.
    private static func mark(_ status: stat) -> [Int] {
        [Int(truncatingIfNeeded: status.st_ino), status.st_mtim.tv_sec, status.st_mtim.tv_nsec]
    }

    /// Removes a socket that nobody listens on.
    private static func removeStale(_ path: String) throws(FeedSocketError) {
        var status = stat()
        guard unsafe lstat(path, &status) == 0 else { return }
        guard status.st_mode & S_IFMT == S_IFSOCK else {
            throw FeedSocketError(path: path, reason: "exists and is no socket; move it away or set feed.socket")
        }
        let descriptor = socket(AF_UNIX, Int32(SOCK_STREAM.rawValue) | closeOnExec, 0)
        defer { close(descriptor) }
        if unsafe call(path, descriptor, connect) == 0 {
            throw FeedSocketError(
                path: path, reason: "another process listens here; stop it or set another feed.socket")
        }
        guard errno == ECONNREFUSED, unsafe unlink(path) == 0 else {
            throw FeedSocketError(path: path, reason: advice("cannot replace the old socket", errno))
        }
    }

    /// `SOCK_CLOEXEC` as a plain number.
    private static var closeOnExec: Int32 { Int32(SOCK_CLOEXEC.rawValue) }

    /// Calls `bind` or `connect` with the address of `path`.
    private static func call(
        _ path: String, _ descriptor: Int32, _ function: (Int32, UnsafePointer<sockaddr>, socklen_t) -> Int32
    ) -> Int32 {
        var address = sockaddr_un()
        address.sun_family = sa_family_t(AF_UNIX)
        unsafe withUnsafeMutableBytes(of: &address.sun_path) { bytes in
            for (index, byte) in path.utf8.prefix(maxPathLength).enumerated() { unsafe bytes[index] = byte }
        }
        return unsafe withUnsafePointer(to: &address) { pointer in
            unsafe pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                unsafe function(descriptor, $0, socklen_t(MemoryLayout<sockaddr_un>.size))
            }
        }
    }

    /// What failed, the system's words, and advice where there is some.
    private static func advice(_ what: String, _ code: Int32) -> String {
        let words = unsafe String(cString: strerror(code))
        switch code {
        case EACCES, EPERM: return "\(what): permission denied; run as a user that may write there or set feed.socket"
        case EROFS: return "\(what): the file system is read-only; set feed.socket to a folder that can be written"
        case ENOTDIR, EEXIST: return "\(what): not a directory; set feed.socket to a path in a folder"
        default: return "\(what): \(words)"
        }
    }
}
