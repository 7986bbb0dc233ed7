internal import Glibc

/// A journal that another process still writes, read so far that taking it over takes no longer than reading what came last.
///
/// That process must not compact it meanwhile.
public struct JournalReader: ~Copyable {
    /// What was found so far.
    private var restoration: JournalRestoration
    /// How far the changes since the last snapshot were read.
    private var place = JournalPlace()
    /// Whether the other process left changes behind that its last snapshot was to hold.
    private let isOldNeeded: Bool
    /// When the journal is long enough to be compacted.
    private let limits: JournalLimits
    /// Where times come from.
    private let clock: JournalClock
    /// The files.
    private let paths: JournalPaths

    /// Reads the journal in `directory`, changing nothing there, and hands every change in it to `restore`, in order.
    /// - Throws: `JournalError` if a line cannot be read, or a file is of another protocol version.
    public init(
        directory: String, limits: JournalLimits = JournalLimits(), clock: JournalClock = .system,
        restore: (FeedEvent) -> Void
    ) throws(JournalError) {
        let paths = JournalPaths(directory: directory)
        for path in [paths.snapshot, paths.oldJournal, paths.journal] { try JournalRestoration.checkVersion(path) }
        var restoration = JournalRestoration(clock: clock.mark, limits: limits)
        try restoration.restoreSnapshot(paths.snapshot, .isLeft, restore)
        var old = JournalPlace()
        try restoration.restoreJournal(paths.oldJournal, from: &old, .isLeft, restore)
        try restoration.restoreJournal(paths.journal, from: &place, .isLeft, restore)
        self.restoration = restoration
        isOldNeeded = old.isNeeded
        self.limits = limits
        self.clock = clock
        self.paths = paths
    }

    /// Finds out whether the journal can be written, while the other process still could.
    /// - Throws: `JournalError` if it cannot.
    public func checkRoom() throws(JournalError) {
        try FileSystem.makeDirectory(paths.directory)
        // What stands there is of nobody: it is removed whenever a journal is opened.
        let path = paths.newJournal
        do {
            try File(path, O_RDWR | O_CREAT | O_TRUNC).write([UInt8](repeating: 0, count: JournalReader.room).span)
        } catch {
            try? FileSystem.remove(path)
            throw error
        }
        try FileSystem.remove(path)
    }

    /// Bytes that there has to be room for.
    private static let room = 4_096

    /// Hands the changes that came since to `restore`, and goes on where they end. The other process must have let go of the
    /// journal, or do so within half a second.
    /// - Throws: `JournalError` if it has not, or the clock was set meanwhile; nothing is changed then.
    public consuming func takeOver(restore: (FeedEvent) -> Void) throws(JournalError) -> Journal {
        try FileSystem.makeDirectory(paths.directory)
        let lock = try JournalLock(paths.lock, directory: paths.directory)
        // What was restored has its times on the clock as it was.
        guard !JournalClock.isStep(from: restoration.clock, to: clock.mark) else {
            throw JournalError(.clockWasSet, paths.directory)
        }
        let damage = JournalDamage.isSetAside(now: UInt64(max(0, time(nil))))
        try restoration.restoreJournal(paths.journal, from: &place, damage, restore)
        return try Journal(paths, lock, restoration, isOldNeeded: isOldNeeded, limits: limits, clock: clock)
    }
}
