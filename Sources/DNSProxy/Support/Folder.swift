import CLinux
import Glibc

/// Folders that the daemon makes where they are missing.
enum Folder {
    /// Makes the folder `path` and those above it, mode 0750, and gives those that were missing to `owner`, if it is somebody
    /// else.
    /// - Throws: `SystemError` naming the folder that cannot be made.
    static func make(_ path: String, for owner: Account? = nil) throws(SystemError) {
        let path = path.hasSuffix("/") ? path : path + "/"
        for slash in path.indices where path[slash] == "/" && slash > path.startIndex {
            let part = String(path[..<slash])
            if unsafe mkdir(part, 0o750) == 0 {
                if let owner { try give(part, to: owner) }
            } else if errno != EEXIST {
                throw SystemError("create the folder \(part)")
            }
        }
    }

    /// Gives a folder that was just made to `owner`. By its descriptor, and only if it is ours: whoever owns the folder above
    /// may have put something else in its place.
    private static func give(_ path: String, to owner: Account) throws(SystemError) {
        let what = "give the folder \(path) to the user \(owner)"
        let flags = O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC
        let folder = try FileDescriptor(unsafe open(path, flags), what)
        var status = stat()
        guard unsafe fstat(folder.rawValue, &status) == 0 else { throw SystemError(what) }
        guard status.st_uid == geteuid() else { throw SystemError(what, code: EEXIST) }
        guard fchown(folder.rawValue, owner.user, owner.group) == 0 else { throw SystemError(what) }
    }

    /// Whether this process may make files in the folder `path`, if that is there.
    static func isWritable(_ path: String) -> Bool {
        unsafe access(path.isEmpty ? "." : path, W_OK | X_OK) == 0 || errno == ENOENT
    }
}
