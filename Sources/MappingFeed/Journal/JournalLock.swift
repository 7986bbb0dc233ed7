internal import Glibc

/// The lock of a journal's folder, whose content says whether the journal has everything that was sent.
///
/// The mark is there while it does. To take it away needs no room on the disk, to put it back needs the room that the
/// changes need too.
struct JournalLock: ~Copyable, Sendable {
    /// The file.
    private let file: File
    /// Whether the mark was there when the lock was taken.
    let wasWhole: Bool
    /// Whether the mark is there.
    private var isMarked: Bool

    /// What the file holds while the journal has everything.
    private static let mark: StaticString = "whole\n"
    /// How often the lock is tried: whoever was killed, or forked in this moment, may still have it.
    private static let attempts = 50
    /// Microseconds between two attempts.
    private static let pause: useconds_t = 10_000

    /// Takes the lock of the folder `directory`, for which it may wait half a second.
    init(_ path: String, directory: String) throws(JournalError) {
        let file = try File(path, O_RDWR | O_CREAT)
        var attempts = 1
        while try !file.tryLock() {
            guard attempts < JournalLock.attempts else { throw JournalError(.locked, directory) }
            attempts += 1
            usleep(JournalLock.pause)
        }
        wasWhole = try file.size() > 0
        self.file = file
        isMarked = wasWhole
    }

    /// Notes whether the journal has everything that is sent from now on; an error leaves the mark as it is.
    mutating func mark(isWhole: Bool) {
        guard isWhole != isMarked else { return }
        do throws(JournalError) {
            try file.truncate(to: 0)
            isMarked = false
            if isWhole {
                try file.write(Array(JournalLock.mark.description.utf8).span, at: 0)
                isMarked = true
            }
        } catch {
            // Without room the mark stays away, which is the safe side.
        }
    }
}
