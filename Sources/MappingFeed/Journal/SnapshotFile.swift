internal import Glibc

/// A snapshot that is being written beside the old one; it takes its place when it is whole.
///
/// It shares no file with `Journal`, so it may be written by another thread.
public struct SnapshotFile: ~Copyable, Sendable {
    /// The files.
    private let paths: JournalPaths
    /// What is written.
    private let file: File
    /// Every change up to this sequence number is in the snapshot.
    public let sequence: UInt64
    /// Bytes that were written.
    private var bytes: Int

    /// Begins a snapshot of everything up to the sequence number in `hello`.
    init(_ paths: JournalPaths, hello: FeedHello) throws(JournalError) {
        let file = try File(paths.newSnapshot, O_WRONLY | O_CREAT | O_TRUNC)
        var lines = FeedEvent.hello(hello).line
        FeedEvent.snapshotBegin(SnapshotMark(sequence: hello.sequence, count: 0)).encode(into: &lines)
        try file.write(lines.span)
        self.paths = paths
        self.file = file
        sequence = hello.sequence
        bytes = lines.count
    }

    /// Appends whole lines.
    public mutating func append(_ lines: Span<UInt8>) throws(JournalError) {
        try file.write(lines)
        bytes += lines.count
    }

    /// Puts the snapshot of `count` events in the place of the old one, and returns its bytes.
    public consuming func finish(count: UInt64) throws(JournalError) -> Int {
        try append(FeedEvent.snapshotEnd(SnapshotMark(sequence: sequence, count: count)).line.span)
        try file.synchronize()
        try FileSystem.rename(paths.newSnapshot, to: paths.snapshot)
        try FileSystem.synchronize(directory: paths.directory)
        return bytes
    }
}
