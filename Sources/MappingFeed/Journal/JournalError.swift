internal import Glibc

/// Why the journal cannot be used, or not now.
public struct JournalError: Error, Hashable, Sendable {
    /// What was tried, or what is wrong.
    public let kind: Kind
    /// The file or folder that it is about.
    public let path: String
    /// The system's error number, 0 if it is none of the system's.
    public let code: Int32

    /// What can go wrong with a journal.
    public enum Kind: Hashable, Sendable {
        /// The folder cannot be made.
        case makeDirectory
        /// A file cannot be opened or made.
        case open
        /// A file cannot be read.
        case read
        /// A file cannot be written, renamed or removed.
        case write
        /// Another process has the journal open.
        case locked
        /// The file was written in another protocol, whose name is given.
        case otherVersion(String)
        /// A line cannot be read while another process has the journal open, from which on nothing may be left out.
        case damaged(line: Int, reason: String)
        /// The wall clock was set while the journal was read to be taken over.
        case clockWasSet
    }

    /// An error about `path`.
    init(_ kind: Kind, _ path: String, _ code: Int32 = 0) {
        self.kind = kind
        self.path = path
        self.code = code
    }

    /// Whether it may pass by itself when there is room on the disk.
    public var isDiskFull: Bool { code == ENOSPC || code == EDQUOT || code == EFBIG }
}

extension JournalError: CustomStringConvertible {
    /// One line that names the path, what is wrong and what to do.
    public var description: String {
        switch kind {
        case .locked:
            return "\(path): another process uses this journal; stop it, or set feed.journal to another folder"
        case .otherVersion(let version):
            return "\(path): written in the protocol \"\(JournalError.printable(version))\", this version reads "
                + "\"\(FeedHello.currentProtocol)\"; nothing was changed; move the folder away to start anew"
        case .damaged(let line, let reason):
            return "\(path):\(line): \(reason); stop the other process first, then everything before it is restored"
        case .clockWasSet: return "\(path): the clock was set while this was read; try again"
        case .makeDirectory: return "\(path): cannot make the journal's folder: \(reason)"
        case .open: return "\(path): cannot open: \(reason)"
        case .read: return "\(path): cannot read: \(reason)"
        case .write: return "\(path): cannot write: \(reason)"
        }
    }

    /// The system's words, and advice.
    private var reason: String {
        switch code {
        case EACCES, EPERM:
            "permission denied; give the daemon's user write permission there, or set feed.journal to another folder"
        case ENOTDIR, EEXIST: "not a directory; set feed.journal to a folder"
        case EISDIR: "it is a directory; move it away, or set feed.journal to another folder"
        case EROFS: "the file system is read-only; set feed.journal to a folder that can be written"
        case ENOSPC, EDQUOT, EFBIG: "no room on the disk; make room, nothing else is needed"
        case ENOENT: "no such folder; make it, or set feed.journal to another one"
        default: unsafe String(cString: strerror(code))
        }
    }

    /// At most 64 characters of text from a file, the unprintable ones replaced.
    private static func printable(_ text: String) -> String {
        String(String.UnicodeScalarView(text.unicodeScalars.prefix(64).map { $0.value &- 0x20 < 0x5F ? $0 : "?" }))
    }
}
