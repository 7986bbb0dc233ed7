internal import Glibc

/// What was published, on disk: a folder with the last snapshot and the changes since.
///
/// It is for one thread at a time. A line that `append` returned for survives the death of the process; that of the
/// machine it survives when the kernel has written it back.
public struct Journal: ~Copyable, Sendable {
    /// The UUID that sequence numbers belong to; a new one whenever lines may have been lost.
    public let instance: String
    /// What was found when the folder was opened.
    public let restoration: JournalRestoration
    /// Bytes of the file that is appended to.
    public private(set) var bytes: Int
    /// Bytes of the last snapshot.
    public private(set) var snapshotBytes: Int
    /// The last events in the files; nil when they were taken.
    private var recent: RecentEvents?
    /// The last sequence number that was appended.
    private var lastSequence: UInt64
    /// Where times come from.
    private let clock: JournalClock
    /// How the clocks stood when that was last written down.
    private var clockMark: ClockMark
    /// How often the wall clock was set while changes were appended; their times are on the clock as it was then.
    private(set) var clockSteps: UInt64 = 0
    /// When a journal is long enough to be compacted.
    private let limits: JournalLimits
    /// The files.
    private let paths: JournalPaths
    /// Held for the lock.
    private var lock: JournalLock
    /// What is appended to.
    private var file: File
    /// Whether a failed write may have left part of a line behind the last good byte.
    private var hasTornTail = false
    /// Why the greeting that belongs in front of the next line could not be written when the journal was opened; nil when there
    /// is none to be written.
    private(set) var openingError: JournalError?
    /// Whether a compaction is under way.
    private var isCompacting = false
    /// Whether a compaction is due however short the journal is: something could not be read, or was not appended.
    private var isCompactionForced: Bool
    /// Whether the compaction under way was a forced one.
    private var isForcedOneRunning = false

    /// Opens the journal in `directory`, making it if it is missing, and hands every change in it to `restore`, in order.
    ///
    /// A part that cannot be read is set aside and reported in `restoration`; it does not keep the journal closed.
    /// The times in them are on the wall clock as it stands now, however it was set since they were written, unless the
    /// machine was started anew; then they are as written.
    /// - Parameters:
    ///   - now: seconds since the epoch, for the names of what is set aside; nil asks the clock.
    ///   - clock: the machine's clocks.
    /// - Throws: `JournalError` if the folder cannot be used, is in use, or is of another protocol version.
    public init(
        directory: String, limits: JournalLimits = JournalLimits(), now: UInt64? = nil, clock: JournalClock = .system,
        restore: (FeedEvent) -> Void
    ) throws(JournalError) {
        let paths = JournalPaths(directory: directory)
        try FileSystem.makeDirectory(directory)
        let lock = try JournalLock(paths.lock, directory: directory)
        for path in [paths.snapshot, paths.oldJournal, paths.journal] { try JournalRestoration.checkVersion(path) }
        try FileSystem.remove(paths.newSnapshot)
        try FileSystem.remove(paths.newJournal)

        let damage = JournalDamage.isSetAside(now: now ?? UInt64(max(0, time(nil))))
        var restoration = JournalRestoration(clock: clock.mark, limits: limits)
        try restoration.restoreSnapshot(paths.snapshot, damage, restore)
        var old = JournalPlace()
        try restoration.restoreJournal(paths.oldJournal, from: &old, damage, restore)
        if !old.isNeeded { try FileSystem.remove(paths.oldJournal) }
        var place = JournalPlace()
        try restoration.restoreJournal(paths.journal, from: &place, damage, restore)
        try self.init(
            paths, lock, restoration, isOldNeeded: old.isNeeded, limits: limits, clock: clock)
    }

    /// Goes on behind what `restoration` has read, all that there is.
    init(
        _ paths: JournalPaths, _ lock: consuming JournalLock, _ restoration: consuming JournalRestoration,
        isOldNeeded: Bool, limits: JournalLimits, clock: JournalClock
    ) throws(JournalError) {
        var lock = lock
        var restoration = restoration
        let clockMark = restoration.clock
        // Lines that were lost may have been sent: their numbers must not come to mean something else. Those that could
        // not be written are lost, and so may be what the kernel had not written back when the machine went down.
        let isWhole = restoration.problems.isEmpty && lock.wasWhole && !restoration.isOfOtherBoot
        let instance = (isWhole ? restoration.instance : nil) ?? randomUUID()
        let file = try File(paths.journal, O_RDWR | O_CREAT | O_APPEND)
        var size = try file.size()
        var openingError: JournalError?
        var hasTornTail = false
        if size == 0 || !isWhole || restoration.hasStep {
            let hello = FeedHello(instance: instance, sequence: restoration.lastSequence, clock: clockMark)
            let greeting = FeedEvent.hello(hello).line
            do {
                try file.write(greeting.span)
                size += greeting.count
            } catch {
                // On a full disk all that was written is restored; what comes waits, as it does when a disk becomes full.
                guard error.isDiskFull else { throw error }
                openingError = error
                hasTornTail = (try? file.truncate(to: size)) == nil
            }
        }
        let wasWhole = lock.wasWhole
        lock.mark(isWhole: isWhole || openingError == nil)
        recent = isWhole && !restoration.hasStep ? restoration.takeRecent() : nil
        self.openingError = openingError
        self.hasTornTail = hasTornTail
        self.instance = instance
        lastSequence = restoration.lastSequence
        isCompactionForced = !restoration.problems.isEmpty || !wasWhole && restoration.events > 0 || isOldNeeded
        snapshotBytes = restoration.snapshotBytes
        self.restoration = restoration
        self.clock = clock
        self.clockMark = clockMark
        self.limits = limits
        self.paths = paths
        self.lock = lock
        self.file = file
        bytes = size
    }

    /// Hands over the last events, so that subscribers can resume among them; once.
    mutating func takeRecent() -> RecentEvents {
        recent.take() ?? RecentEvents(last: lastSequence, maxEvents: 0, maxBytes: 0)
    }

    /// Appends whole lines, the last of them the change `sequence`; on an error none of them is in the journal, and the
    /// same call can be made again later.
    public mutating func append(_ lines: Span<UInt8>, through sequence: UInt64? = nil) throws(JournalError) {
        if hasTornTail {
            try file.truncate(to: bytes)
            hasTornTail = false
        }
        do {
            try greet()
            try file.write(lines)
            bytes += lines.count
            lastSequence = sequence ?? lastSequence
        } catch {
            lock.mark(isWhole: false)
            hasTornTail = true
            // If even this fails the next call tries again before it writes.
            if (try? file.truncate(to: bytes)) != nil { hasTornTail = false }
            throw error
        }
    }

    /// Writes down how the clocks stand if the wall clock was set since that was last done, or that could not be done.
    private mutating func greet() throws(JournalError) {
        let now = clock.mark
        let isStep = JournalClock.isStep(from: clockMark, to: now)
        guard isStep || openingError != nil else { return }
        if isStep { clockSteps += 1 }
        let greeting = FeedEvent.hello(FeedHello(instance: instance, sequence: lastSequence, clock: now)).line
        try file.write(greeting.span)
        bytes += greeting.count
        clockMark = now
        openingError = nil
    }

    /// Notes that everything which could not be appended for a while is in the journal now, or covered by its snapshot. It is
    /// not whole as long as its greeting is missing, which says what the numbers in it belong to.
    mutating func confirmWhole() {
        if openingError == nil { lock.mark(isWhole: true) }
    }

    // MARK: Compaction

    /// Whether a compaction is worth its cost now.
    public var needsCompaction: Bool {
        !isCompacting && (isCompactionForced || bytes > max(limits.minimumBytes, limits.ratio * snapshotBytes))
    }

    /// Notes that lines could not be appended and are given up: only a snapshot can make the journal whole.
    public mutating func forceCompaction() { isCompactionForced = true }

    /// Begins a new file for the changes behind `last`, and returns what writes the snapshot of everything before.
    ///
    /// If the process dies before the snapshot is finished, the old files are all there. Do not call it again before
    /// `endCompaction`.
    /// - Parameters:
    ///   - last: the last sequence number that was appended.
    ///   - covered: the last that was assigned, before the source of the snapshot was first looked at.
    public mutating func beginCompaction(
        last: UInt64, covered: UInt64
    ) throws(JournalError) -> SnapshotFile {
        // An old journal whose snapshot never came about stays; then the current one just goes on growing.
        if !FileSystem.exists(paths.oldJournal) {
            try FileSystem.remove(paths.newJournal)
            let next = try File(paths.newJournal, O_RDWR | O_CREAT | O_APPEND)
            let mark = clock.mark
            let greeting = FeedEvent.hello(FeedHello(instance: instance, sequence: last, clock: mark)).line
            try next.write(greeting.span)
            try FileSystem.rename(paths.journal, to: paths.oldJournal)
            do {
                try FileSystem.rename(paths.newJournal, to: paths.journal)
            } catch {
                try FileSystem.rename(paths.oldJournal, to: paths.journal)
                throw error
            }
            if JournalClock.isStep(from: clockMark, to: mark) { clockSteps += 1 }
            clockMark = mark
            // A torn tail, if there is one, stays in the old file, where nothing follows it.
            file = next
            bytes = greeting.count
            hasTornTail = false
            openingError = nil
        }
        let hello = FeedHello(instance: instance, sequence: covered, clock: clock.mark)
        let snapshot = try SnapshotFile(paths, hello: hello)
        isCompacting = true
        isForcedOneRunning = isCompactionForced
        isCompactionForced = false
        return snapshot
    }

    /// Ends a compaction that came to `snapshotBytes`; nil if it failed, and the old files stay.
    public mutating func endCompaction(snapshotBytes: Int?) throws(JournalError) {
        isCompacting = false
        guard let snapshotBytes else {
            if isForcedOneRunning { isCompactionForced = true }
            return
        }
        self.snapshotBytes = snapshotBytes
        try FileSystem.remove(paths.oldJournal)
    }

    /// Waits until everything is on the disk.
    public borrowing func synchronize() throws(JournalError) {
        try file.synchronize()
    }
}

/// When a journal is compacted.
public struct JournalLimits: Hashable, Sendable {
    /// Bytes below which a journal is never compacted; default 1 MiB.
    public var minimumBytes: Int
    /// How many times longer than the last snapshot it may grow; default 4.
    public var ratio: Int
    /// Events that are kept in memory when it is opened, for subscribers that resume; default 65,536.
    public var recentEvents: Int
    /// Bytes that they may have; default 16 MiB.
    public var recentBytes: Int

    /// The default limits unless stated.
    public init(
        minimumBytes: Int = 1 << 20, ratio: Int = 4, recentEvents: Int = 65_536, recentBytes: Int = 16 << 20
    ) {
        self.minimumBytes = minimumBytes
        self.ratio = ratio
        self.recentEvents = recentEvents
        self.recentBytes = recentBytes
    }
}

/// A random UUID (RFC 9562, section 5.4) in lower case.
func randomUUID() -> String {
    let high = UInt64.random(in: .min ... .max) & 0xFFFF_FFFF_FFFF_0FFF | 0x4000
    let low = UInt64.random(in: .min ... .max) & 0x3FFF_FFFF_FFFF_FFFF | 0x8000_0000_0000_0000
    /// The lowest digits of a value, with leading zeros.
    func hex(_ value: UInt64, _ digits: Int) -> String {
        let text = String(value, radix: 16)
        return String(repeating: "0", count: digits - text.count) + text
    }
    return [
        hex(high >> 32, 8), hex(high >> 16 & 0xFFFF, 4), hex(high & 0xFFFF, 4), hex(low >> 48, 4),
        hex(low & 0xFFFF_FFFF_FFFF, 12),
    ].joined(separator: "-")
}
