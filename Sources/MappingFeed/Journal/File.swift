internal import Glibc

/// An open file, closed when it goes out of scope; every system call that takes a pointer is here.
struct File: ~Copyable, Sendable {
    /// The descriptor.
    private let descriptor: Int32
    /// The path that it was opened by, for error messages.
    let path: String

    /// Opens `path`, close-on-exec; a new file gets mode 0640.
    init(_ path: String, _ flags: Int32) throws(JournalError) {
        self.path = path
        descriptor = unsafe Glibc.open(path, flags | O_CLOEXEC, 0o640)
        guard descriptor >= 0 else { throw JournalError(.open, path, errno) }
    }

    /// Closes the file, and gives up its lock.
    deinit { _ = close(descriptor) }

    /// Whether the lock of the whole file could be taken; it is held until the file is closed.
    borrowing func tryLock() throws(JournalError) -> Bool {
        if flock(descriptor, LOCK_EX | LOCK_NB) == 0 { return true }
        guard errno == EWOULDBLOCK else { throw JournalError(.open, path, errno) }
        return false
    }

    /// Bytes of the file.
    borrowing func size() throws(JournalError) -> Int {
        let end = lseek(descriptor, 0, SEEK_END)
        guard end >= 0 else { throw JournalError(.read, path, errno) }
        return end
    }

    /// Reads up to `count` bytes at `offset` onto the end of `buffer`, and returns how many; 0 at the end of the file.
    borrowing func read(
        _ count: Int, at offset: Int, into buffer: inout [UInt8]
    ) throws(JournalError) -> Int {
        let start = buffer.count
        buffer.append(contentsOf: repeatElement(0, count: count))
        let received = unsafe buffer.withUnsafeMutableBytes { (bytes) -> Int in
            guard let base = bytes.baseAddress else { return 0 }
            while true {
                let received = unsafe pread(descriptor, base + start, count, offset)
                if received >= 0 || errno != EINTR { return received }
            }
        }
        let code = errno
        buffer.removeLast(count - max(received, 0))
        guard received >= 0 else { throw JournalError(.read, path, code) }
        return received
    }

    /// Writes all of `bytes` where the file stands, or at `offset`, in one system call unless the kernel takes fewer.
    borrowing func write(_ bytes: Span<UInt8>, at offset: Int? = nil) throws(JournalError) {
        let failure = unsafe bytes.withUnsafeBytes { (bytes) -> Int32 in
            guard let base = bytes.baseAddress else { return 0 }
            var done = 0
            while done < bytes.count {
                let sent =
                    if let offset {
                        unsafe pwrite(descriptor, base + done, bytes.count - done, offset + done)
                    } else {
                        unsafe Glibc.write(descriptor, base + done, bytes.count - done)
                    }
                if sent > 0 {
                    done += sent
                } else if sent == 0 || errno != EINTR {
                    return sent == 0 ? ENOSPC : errno
                }
            }
            return 0
        }
        guard failure == 0 else { throw JournalError(.write, path, failure) }
    }

    /// Cuts the file off behind `length` bytes.
    borrowing func truncate(to length: Int) throws(JournalError) {
        guard ftruncate(descriptor, length) == 0 else { throw JournalError(.write, path, errno) }
    }

    /// Waits until the content is on the disk.
    borrowing func synchronize() throws(JournalError) {
        guard fsync(descriptor) == 0 else { throw JournalError(.write, path, errno) }
    }
}

/// Operations on paths.
enum FileSystem {
    /// Makes `path` and the folders above it, mode 0750 for those that are missing.
    static func makeDirectory(_ path: String) throws(JournalError) {
        if unsafe mkdir(path, 0o750) == 0 { return }
        switch errno {
        case EEXIST: return
        case ENOENT:
            guard let slash = path.lastIndex(of: "/"), slash > path.startIndex else {
                throw JournalError(.makeDirectory, path, ENOENT)
            }
            try makeDirectory(String(path[..<slash]))
            guard unsafe mkdir(path, 0o750) == 0 || errno == EEXIST else {
                throw JournalError(.makeDirectory, path, errno)
            }
        default: throw JournalError(.makeDirectory, path, errno)
        }
    }

    /// Whether something is at `path`.
    static func exists(_ path: String) -> Bool { unsafe access(path, F_OK) == 0 }

    /// Moves a file over another.
    static func rename(_ old: String, to new: String) throws(JournalError) {
        guard unsafe Glibc.rename(old, new) == 0 else { throw JournalError(.write, new, errno) }
    }

    /// Removes a file; one that is not there is no error.
    static func remove(_ path: String) throws(JournalError) {
        guard unsafe unlink(path) == 0 || errno == ENOENT else { throw JournalError(.write, path, errno) }
    }

    /// Makes renames in a folder durable.
    static func synchronize(directory: String) throws(JournalError) {
        try File(directory, O_RDONLY | O_DIRECTORY).synchronize()
    }
}
