internal import Glibc

/// Reads the lines of one journal file, in memory that does not grow with the file.
struct JournalScan {
    /// Where the lines end that were read without an error.
    private(set) var goodLength: Int
    /// How many those were.
    private(set) var lines = 0
    /// What is wrong with the line behind them; nil if the file was read to its end.
    private(set) var failure: FeedSyntaxError?

    /// Bytes that are read at a time, at most.
    private static let maxChunk = 1 << 20

    /// Hands each line from `offset` on, without its newline, to `body`, until one is refused or the file ends; with it
    /// the bytes of the file behind the line, as far as they were there at the beginning.
    init(
        _ file: borrowing File, from offset: Int = 0,
        _ body: (Span<UInt8>, _ bytesBehind: Int) throws(FeedSyntaxError) -> Void
    ) throws(JournalError) {
        goodLength = offset
        let size = try file.size()
        let chunk = min(max(size - offset, 0) + 1, JournalScan.maxChunk)
        var buffer: [UInt8] = []
        var start = 0
        while true {
            if start > 0 {
                buffer.removeFirst(start)
                start = 0
            }
            let unread = buffer.count
            guard unread <= FeedEvent.maxLineLength else {
                failure = FeedSyntaxError(.lineTooLong, at: FeedEvent.maxLineLength)
                return
            }
            let received = try file.read(chunk, at: goodLength + unread, into: &buffer)
            guard received > 0 else {
                if unread > 0 { failure = FeedSyntaxError(.truncated, at: unread) }
                return
            }
            var searched = unread
            while let end = JournalScan.newline(in: buffer.span, from: searched) {
                do {
                    try body(buffer.span.extracting(start..<end), size - goodLength - (end - start))
                } catch {
                    failure = error
                    return
                }
                goodLength += end + 1 - start
                lines += 1
                start = end + 1
                searched = start
            }
        }
    }

    /// Where the next newline is.
    private static func newline(in bytes: Span<UInt8>, from start: Int) -> Int? {
        guard start < bytes.count else { return nil }
        return unsafe bytes.withUnsafeBytes { bytes in
            guard let base = bytes.baseAddress, let found = unsafe memchr(base + start, 0x0A, bytes.count - start)
            else { return nil }
            return unsafe UnsafeRawPointer(found) - base
        }
    }
}
