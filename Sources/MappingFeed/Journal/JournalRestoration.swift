internal import Glibc

/// What was found when a journal was opened.
public struct JournalRestoration: Sendable {
    /// Changes that were handed over.
    public fileprivate(set) var events: UInt64 = 0
    /// The parts that could not be read.
    public fileprivate(set) var problems: [JournalProblem] = []
    /// The highest sequence number that was ever assigned, as far as the files tell.
    public fileprivate(set) var lastSequence: UInt64 = 0
    /// The instance of the last greeting; nil in a new folder.
    fileprivate(set) var instance: String?
    /// Every change up to here is in the snapshot; 0 if it is not whole.
    private var snapshotSequence: UInt64 = 0
    /// Bytes of the snapshot.
    private(set) var snapshotBytes = 0

    /// The identities at the end.
    private(set) var identities = IdentityBook()
    /// Whether the last greeting was written before the machine was started anew.
    private(set) var isOfOtherBoot = false
    /// Whether the wall clock was set since any of the lines was written.
    private(set) var hasStep = false
    /// How the clocks stood when it began.
    let clock: ClockMark
    /// Seconds that the times of the lines at hand are to be put forward by.
    private var shift = 0.0
    /// Bytes of the last events that are kept.
    private let recentBytes: Int
    /// The last events.
    private var tail: RestoredTail

    /// Nothing found yet, while the clocks stand as in `clock`.
    init(clock: ClockMark, limits: JournalLimits) {
        self.clock = clock
        recentBytes = limits.recentBytes
        tail = RestoredTail(limits)
    }

    /// Hands over the last events, once.
    mutating func takeRecent() -> RecentEvents { tail.take(last: lastSequence) }

    /// Refuses a file of another protocol version; a first line that is no greeting is left for `restore` to report.
    static func checkVersion(_ path: String) throws(JournalError) {
        guard FileSystem.exists(path) else { return }
        let file = try File(path, O_RDONLY)
        var buffer: [UInt8] = []
        _ = try file.read(4096, at: 0, into: &buffer)
        let line = buffer.prefix { $0 != 0x0A }
        guard let event = try? FeedEvent.decode(line.span), case .hello(let hello) = event,
            hello.feedProtocol != FeedHello.currentProtocol
        else { return }
        throw JournalError(.otherVersion(hello.feedProtocol), path)
    }

    /// Hands the events of the snapshot to `body`.
    mutating func restoreSnapshot(
        _ path: String, _ damage: JournalDamage, _ body: (FeedEvent) -> Void
    ) throws(JournalError) {
        guard FileSystem.exists(path) else { return }
        let file = try File(path, damage.openFlags)
        var begin: UInt64 = 0
        var end: UInt64?
        let scan = try JournalScan(file) { (line, _) throws(FeedSyntaxError) in
            switch try FeedEvent.decode(line) {
            case .hello(let hello):
                greet(hello)
                begin = hello.sequence
            case .snapshotEnd(let mark): end = mark.sequence
            case let event?:
                guard instance != nil else { throw FeedSyntaxError(.missingField("protocol"), at: 0) }
                hand(event, to: body)
            case nil: break
            }
        }
        snapshotBytes = scan.goodLength
        if scan.failure == nil, end == begin {
            snapshotSequence = begin
        } else if scan.failure == nil {
            problems.append(
                JournalProblem(path: path, line: scan.lines + 1, reason: "the snapshot ends early", setAside: nil))
        }
        try note(scan, file, line: scan.lines + 1, damage)
    }

    /// Hands the events of a journal from `place` on that are newer than the snapshot to `body`, and moves `place` behind
    /// the last of them.
    mutating func restoreJournal(
        _ path: String, from place: inout JournalPlace, _ damage: JournalDamage, _ body: (FeedEvent) -> Void
    ) throws(JournalError) {
        guard FileSystem.exists(path) else { return }
        let file = try File(path, damage.openFlags)
        let scan = try JournalScan(file, from: place.offset) { (line, bytesBehind) throws(FeedSyntaxError) in
            guard let event = try FeedEvent.decode(line) else { return }
            if case .hello(let hello) = event {
                place.hasHello = true
                greet(hello)
                return
            }
            guard place.hasHello else { throw FeedSyntaxError(.missingField("protocol"), at: 0) }
            guard event.isChange, let sequence = event.sequence else { return }
            guard sequence > place.previous else { throw FeedSyntaxError(.badValue("seq"), at: 0) }
            place.previous = sequence
            // What would be dropped again is not kept in the first place.
            if bytesBehind <= recentBytes { tail.append(event, sequence, line) }
            guard sequence > snapshotSequence else { return }
            place.isNeeded = true
            hand(event, to: body)
        }
        place.offset = scan.goodLength
        place.lines += scan.lines
        try note(scan, file, line: place.lines + 1, damage)
    }

    /// Takes the instance and the sequence number of a greeting.
    private mutating func greet(_ hello: FeedHello) {
        if hello.instance != instance { tail.restart(last: hello.sequence) }
        instance = hello.instance
        lastSequence = max(lastSequence, hello.sequence)
        guard let written = hello.clock else { return }
        isOfOtherBoot = written.boot != clock.boot
        let isStep = !isOfOtherBoot && JournalClock.isStep(from: written, to: clock)
        shift = isStep ? clock.offset - written.offset : 0
        if isStep { hasStep = true }
    }

    /// Hands a change over and counts it.
    private mutating func hand(_ event: FeedEvent, to body: (FeedEvent) -> Void) {
        guard event.isChange else { return }
        events += 1
        let sequence = event.sequence ?? 0
        lastSequence = max(lastSequence, sequence)
        if case .identity(let identity) = event { identities.take(identity, sequence) }
        guard shift != 0, case .upsert(var upsert) = event else {
            body(event)
            return
        }
        for index in upsert.addresses.indices { upsert.addresses[index].expires += shift }
        body(.upsert(upsert))
    }

    /// Does what `damage` says about the line that could not be read, if there is one: moves it and all behind it to a file
    /// of its own, so that appending goes on behind what could be read, or leaves them alone.
    private mutating func note(
        _ scan: JournalScan, _ file: borrowing File, line: Int, _ damage: JournalDamage
    ) throws(JournalError) {
        guard let failure = scan.failure else { return }
        guard case .isSetAside(let now) = damage else {
            // The last line may be one that the other process has begun to write.
            guard failure.reason != .truncated else { return }
            throw JournalError(.damaged(line: line, reason: failure.description), file.path)
        }
        var target = "\(file.path).corrupt-\(now)"
        var attempt = 1
        while FileSystem.exists(target), attempt < 1000 {
            target = "\(file.path).corrupt-\(now)-\(attempt)"
            attempt += 1
        }
        let copy = try File(target, O_WRONLY | O_CREAT | O_EXCL)
        var offset = scan.goodLength
        var buffer: [UInt8] = []
        while try file.read(64 << 10, at: offset, into: &buffer) > 0 {
            try copy.write(buffer.span)
            offset += buffer.count
            buffer.removeAll(keepingCapacity: true)
        }
        try copy.synchronize()
        try file.truncate(to: scan.goodLength)
        problems.append(
            JournalProblem(path: file.path, line: line, reason: failure.description, setAside: target))
    }
}

/// How far a journal was read.
struct JournalPlace: Sendable {
    /// Bytes that were read.
    var offset = 0
    /// Lines among them.
    var lines = 0
    /// Whether there was a greeting among them.
    var hasHello = false
    /// The last sequence number among them.
    var previous: UInt64 = 0
    /// Whether there was a change among them that the snapshot does not have.
    var isNeeded = false
}

/// What happens to lines that cannot be read.
enum JournalDamage {
    /// They are moved to a file of their own, whose name says when: seconds since the epoch.
    case isSetAside(now: UInt64)
    /// They stay, because the file is another process's; a last line without its end is one that is being written.
    case isLeft

    /// How a file is opened.
    var openFlags: Int32 {
        switch self {
        case .isSetAside: O_RDWR
        case .isLeft: O_RDONLY
        }
    }
}

/// A part of a journal that could not be read.
public struct JournalProblem: Hashable, Sendable, CustomStringConvertible {
    /// The file.
    public let path: String
    /// The first line that could not be read, counted from 1.
    public let line: Int
    /// Why.
    public let reason: String
    /// Where that line and all behind it are now; nil if there was nothing to move.
    public let setAside: String?

    /// The same as one line of text, for people.
    public var description: String {
        "\(path):\(line): \(reason); everything before it is restored"
            + (setAside.map { ", the rest is now \($0)" } ?? "")
    }
}
