/// Lines that were read.
struct FeedBatch: Sendable {
    /// The lines, without newlines.
    var lines: [[UInt8]]
    /// The events that they are, but for those of unknown kinds.
    var events: [FeedEvent]
}
