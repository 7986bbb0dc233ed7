import Glibc
import Logging

/// The file of the admin socket.
enum AdminSocket {
    /// Makes the folder of `path`, and removes a socket there that nobody listens on any more.
    /// - Throws: `SystemError` when the folder cannot be made, another process listens at `path`, or something that is
    ///   not a socket is there.
    static func prepare(_ path: String) throws(SystemError) {
        try Folder.make(TextFile.folder(of: path))
        var status = stat()
        guard unsafe lstat(path, &status) == 0 else { return }
        guard status.st_mode & S_IFMT == S_IFSOCK else {
            throw SystemError("listen on \(path), which is not a socket; move it away", code: EEXIST)
        }
        let probe = try FileDescriptor(
            socket(AF_UNIX, Int32(SOCK_STREAM.rawValue) | Int32(SOCK_CLOEXEC.rawValue), 0), "create a Unix socket")
        if try isListening(path, probe.rawValue) {
            throw SystemError(
                "listen on \(path), where another process listens; stop it or set admin.socket", code: EADDRINUSE)
        }
        if unsafe unlink(path) != 0 { throw SystemError("remove the old socket \(path)") }
    }

    /// Lets only the owner and the group connect.
    static func restrict(_ path: String, logger: Logger) {
        if unsafe chmod(path, 0o660) != 0 {
            logger.warning("\(SystemError("set the mode of \(path)"))")
        }
    }

    /// Removes the socket when its server has stopped.
    static func remove(_ path: String) {
        unsafe unlink(path)
    }

    /// Whether somebody listens at `path`, or has it for connections of another kind.
    private static func isListening(_ path: String, _ descriptor: Int32) throws(SystemError) -> Bool {
        guard let address = UnixAddress(path) else { throw SystemError("listen on \(path)", code: ENAMETOOLONG) }
        return unsafe address.withSockaddr { unsafe connect(descriptor, $0, $1) } == 0 || errno == EPROTOTYPE
    }
}
