import Glibc

/// A file to which lines are appended, and which gives way to a new one when it is full: `file` is the current one,
/// `file.1` the one before, and so on.
struct FlowFile: ~Copyable {
    /// Where it is; nil for standard output.
    private let path: String?
    /// Bytes that a file may have; a single longer line may all the same.
    private let maxSize: Int
    /// Files that are kept besides the current one.
    private let maxFiles: Int
    /// The current file; nil after a failure to open it.
    private var descriptor: FileDescriptor?
    /// Its bytes.
    private var size = 0

    /// Opens the file, to go on where it ends.
    /// - Throws: `SystemError` when it cannot be opened.
    init(path: String?, maxSize: Int, maxFiles: Int) throws(SystemError) {
        self.path = path
        self.maxSize = maxSize
        self.maxFiles = maxFiles
        try open()
    }

    /// Opens the file at its path anew, which may be another one by now.
    /// - Throws: `SystemError` when it cannot be opened.
    mutating func reopen() throws(SystemError) {
        descriptor = nil
        try open()
    }

    /// Appends `lines`, each with its line feed, and returns how many of them were written whole.
    mutating func append(_ lines: [[UInt8]]) -> (written: Int, failure: SystemError?) {
        var written = 0
        do throws(SystemError) {
            if descriptor == nil { try open() } else { try measure() }
            while written < lines.count {
                if path != nil, size > 0, size + lines[written].count > maxSize { try rotate() }
                var piece = lines[written]
                var end = written + 1
                while end < lines.count, path == nil || size + piece.count + lines[end].count <= maxSize {
                    piece += lines[end]
                    end += 1
                }
                try write(piece)
                written = end
            }
            return (written, nil)
        } catch {
            return (written, error)
        }
    }

    /// Opens the file.
    private mutating func open() throws(SystemError) {
        guard let path else {
            descriptor = try FileDescriptor(dup(STDOUT_FILENO), "open standard output")
            return
        }
        // Without waiting for a reader, should it be a pipe.
        let flags = O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC | O_NONBLOCK
        let opened = try FileDescriptor(unsafe Glibc.open(path, flags, 0o640), "open \(path)")
        descriptor = consume opened
        try measure()
    }

    /// Looks how long the file is; somebody else may have emptied it.
    private mutating func measure() throws(SystemError) {
        guard let path, let file = descriptor?.rawValue else { return }
        var status = stat()
        guard unsafe fstat(file, &status) == 0 else { throw SystemError("look at \(path)") }
        size = Int(status.st_size)
    }

    /// Writes all of `bytes`, or nothing of them.
    private mutating func write(_ bytes: [UInt8]) throws(SystemError) {
        guard let file = descriptor?.rawValue else { return }
        var offset = 0
        while offset < bytes.count {
            let count = unsafe bytes.withUnsafeBytes { buffer in
                unsafe Glibc.write(file, buffer.baseAddress?.advanced(by: offset), buffer.count - offset)
            }
            if count < 0, errno == EINTR { continue }
            guard count > 0 else {
                let error = SystemError("write to \(path ?? "standard output")", code: count == 0 ? ENOSPC : errno)
                // Half a line would spoil the next one.
                if path != nil, offset > 0 { ftruncate(file, off_t(size)) }
                throw error
            }
            offset += count
        }
        size += bytes.count
    }

    /// Makes way for a new file: each one gets the next number, and the one with the last number goes.
    private mutating func rotate() throws(SystemError) {
        guard let path else { return }
        descriptor = nil
        if maxFiles == 0 {
            guard unsafe unlink(path) == 0 || errno == ENOENT else { throw SystemError("remove \(path)") }
        }
        for number in stride(from: maxFiles, through: 1, by: -1) {
            let older = "\(path).\(number)"
            let newer = number == 1 ? path : "\(path).\(number - 1)"
            guard unsafe rename(newer, older) == 0 || errno == ENOENT else { throw SystemError("rename \(newer)") }
        }
        try open()
    }
}
