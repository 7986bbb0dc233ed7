internal import Logging
internal import NIOCore
internal import NIOPosix
internal import Synchronization

/// How the journal of a hub does.
struct JournalState {
    /// Everything up to here is in the journal, or was taken while there is none.
    private(set) var durable: UInt64
    /// The last change that was appended, whether or not all before it were.
    private var appended: UInt64
    /// Lines that could not be appended yet.
    fileprivate(set) var backlog: [UInt8] = []
    /// The last change among them.
    private(set) var backlogLast: UInt64 = 0
    /// Whether changes were given up that only a snapshot can bring into the journal.
    fileprivate(set) var hasGap = false
    /// The last change that was given up.
    private var gapEnd: UInt64 = 0
    /// When a compaction may be tried again.
    fileprivate var nextCompaction = NIODeadline.uptimeNanoseconds(0)
    /// How often the wall clock was set, as far as that was noted.
    fileprivate var clockSteps: UInt64 = 0
    /// Whether the last write failed, so that the error is told once and not for every batch.
    fileprivate var isFailing = false

    /// Everything up to `last` is in the journal.
    init(last: UInt64) {
        durable = last
        appended = last
    }

    /// The last change that is in the file.
    var last: UInt64 { appended }

    /// Whether everything that should be in the journal is.
    var isComplete: Bool { backlog.isEmpty && !hasGap }

    /// Notes that everything up to `sequence` was appended.
    fileprivate mutating func append(through sequence: UInt64) {
        appended = sequence
        // A snapshot may have had more than was appended when it was written.
        if !hasGap { durable = max(durable, sequence) }
    }

    /// Keeps lines for later, or gives them all up if there are more than `limit` bytes.
    fileprivate mutating func postpone(_ lines: Span<UInt8>, through sequence: UInt64, limit: Int) {
        if backlog.count + lines.count > limit {
            backlog = []
            hasGap = true
            gapEnd = sequence
        } else {
            backlog.reserveCapacity(backlog.count + lines.count)
            for index in lines.indices { backlog.append(lines[index]) }
        }
        backlogLast = sequence
    }

    /// Notes that the backlog was appended.
    fileprivate mutating func appendBacklog() {
        backlog = []
        append(through: backlogLast)
    }

    /// Notes that there is a snapshot of everything up to `covered`. It makes the journal whole if it has the last change that
    /// was given up; what is behind it is durable only if nothing is missing.
    fileprivate mutating func closeGap(covered: UInt64) {
        hasGap = gapEnd > covered
        durable = max(durable, hasGap ? covered : max(appended, covered))
    }
}

extension HubCore {
    /// Appends a batch, or keeps it for later.
    func append(_ lines: Span<UInt8>, through sequence: UInt64) {
        guard journal != nil else {
            journalState.append(through: sequence)
            return
        }
        if journalState.backlog.isEmpty {
            do {
                try journal?.append(lines, through: sequence)
                journalState.append(through: sequence)
                noteJournalSuccess()
                return
            } catch {
                noteJournalError(error)
            }
        }
        let hadGap = journalState.hasGap
        journalState.postpone(lines, through: sequence, limit: configuration.journalBacklogBytes)
        if journalState.hasGap {
            journal?.forceCompaction()
            if !hadGap {
                logger.error("journal: too much waits to be written; it will be made whole by a new snapshot")
            }
        }
    }

    /// Tries again to append what could not be.
    func retryJournal() {
        guard !journalState.backlog.isEmpty else { return }
        do {
            try journal?.append(journalState.backlog.span, through: journalState.backlogLast)
            journalState.appendBacklog()
            noteJournalSuccess()
        } catch {
            noteJournalError(error)
        }
    }

    /// Lets nobody resume among events whose times are on the wall clock as it was before it was set.
    func noteClockSteps() {
        guard let steps = journal?.clockSteps, steps != journalState.clockSteps else { return }
        journalState.clockSteps = steps
        logger.notice("feed: the wall clock was set; who resumes at what was before gets a snapshot")
        recent.forbidResuming()
    }

    /// Counts a failure, and tells of it if it is the first in a row.
    func noteJournalError(_ error: JournalError) {
        count { $0.journalErrors += 1 }
        guard !journalState.isFailing else { return }
        journalState.isFailing = true
        logger.error("journal: \(error); serving goes on, answers wait as long as feed.maxDelay allows")
    }

    /// Tells that the journal works again, if it did not.
    private func noteJournalSuccess() {
        count { $0.journalBytes = journal?.bytes ?? 0 }
        if !journalState.hasGap { journal?.confirmWhole() }
        guard journalState.isFailing else { return }
        journalState.isFailing = false
        logger.notice("journal: can be written again")
    }

    /// Begins a compaction if one is due.
    func compactIfNeeded() {
        guard journal?.needsCompaction == true, !stops.isRaised, !isCompactionSuspended,
            loop.now >= journalState.nextCompaction, journalState.backlog.isEmpty
        else { return }
        let listing = listing()
        let job: CompactionJob
        do {
            guard let file = try journal?.beginCompaction(last: journalState.last, covered: listing.sequence) else {
                return
            }
            job = CompactionJob(file, listing)
        } catch {
            journalState.nextCompaction = loop.now + configuration.compactionRetry
            noteJournalError(error)
            return
        }
        compaction = loop.makePromise()
        let bound = NIOLoopBound(self, eventLoop: loop)
        let snapshot = snapshot
        let stops = stops
        pool.submit { state in
            let result = state == .active ? job.run(snapshot, stops) : .success(nil)
            bound.eventLoop.execute { bound.value.endCompaction(result, covered: listing.sequence) }
        }
    }

    /// Takes over what a compaction of everything up to `covered` came to: the snapshot's bytes, or nil if it was stopped.
    private func endCompaction(_ result: Result<Int?, JournalError>, covered: UInt64) {
        do {
            let bytes = try result.get()
            // The snapshot is in its place even if the old journal cannot be removed.
            if bytes != nil, journalState.hasGap { journalState.closeGap(covered: covered) }
            try journal?.endCompaction(snapshotBytes: bytes)
            if bytes != nil {
                count { $0.compactions += 1 }
                noteJournalSuccess()
            }
        } catch {
            journalState.nextCompaction = loop.now + configuration.compactionRetry
            noteJournalError(error)
            // Removing the old journal is all that this can still fail at, and the next compaction tries it again.
            try? journal?.endCompaction(snapshotBytes: nil)
        }
        compaction?.succeed()
        compaction = nil
        updateReleased()
    }

    /// Begins no compaction any more, so that the files stay as they are but for what is appended; the future ends with the
    /// compaction that is under way.
    func suspendCompaction() -> EventLoopFuture<Void> {
        isCompactionSuspended = true
        return compaction?.futureResult ?? loop.makeSucceededVoidFuture()
    }

    /// Compacts again when it is due.
    func resumeCompaction() {
        isCompactionSuspended = false
        compactIfNeeded()
    }

    /// Lets go of the journal; nothing is appended any more.
    /// - Parameter isSynchronized: whether everything is to be on the disk first.
    func closeJournal(isSynchronized: Bool) {
        do {
            if isSynchronized { try journal?.synchronize() }
        } catch {
            noteJournalError(error)
        }
        journal = nil
    }
}

/// The part of a compaction that another thread does.
private final class CompactionJob: Sendable {
    /// The file, until the job runs.
    private let file: Mutex<SnapshotFile?>
    /// What is to be in it.
    private let listing: SnapshotListing

    /// A job that fills `file`.
    init(_ file: consuming SnapshotFile, _ listing: SnapshotListing) {
        self.file = Mutex(file)
        self.listing = listing
    }

    /// Writes the whole snapshot and returns its bytes; nil if it was told to stop.
    func run(_ source: FeedSnapshotSource, _ stops: StopFlag) -> Result<Int?, JournalError> {
        do throws(JournalError) {
            return .success(try write(source, stops))
        } catch {
            return .failure(error)
        }
    }

    /// Writes the whole snapshot.
    private func write(_ source: FeedSnapshotSource, _ stops: StopFlag) throws(JournalError) -> Int? {
        guard var snapshot = file.withLock({ $0.take() }) else { return nil }
        var listing = listing
        while !listing.isAtEnd {
            guard !stops.isRaised else { return nil }
            try snapshot.append(listing.next(source).span)
        }
        return try snapshot.finish(count: listing.count)
    }
}
