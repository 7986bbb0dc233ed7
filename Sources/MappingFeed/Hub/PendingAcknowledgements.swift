internal import DequeModule

/// The events that a subscriber was sent and has not acknowledged, where not every event is for it.
///
/// An event that was not for it needs no acknowledgement, so what it has confirmed reaches up to the first event that
/// it was sent and owes an answer for.
struct PendingAcknowledgements {
    /// The numbers of such events, rising, with a gap between any two ranges.
    private var ranges: Deque<ClosedRange<UInt64>> = []

    /// Ranges that are told apart at most; beyond them a gap counts as if its events had been sent, so that the
    /// acknowledgement of a later one is waited for.
    static let limit = 1024

    /// Nothing is owed.
    init() {}

    /// Notes that the events `range` are sent, which are behind all before.
    mutating func expect(_ range: ClosedRange<UInt64>) {
        guard let last = ranges.last else {
            ranges.append(range)
            return
        }
        if last.upperBound + 1 >= range.lowerBound || ranges.count >= PendingAcknowledgements.limit {
            ranges[ranges.count - 1] = last.lowerBound...max(last.upperBound, range.upperBound)
        } else {
            ranges.append(range)
        }
    }

    /// Notes that everything up to `sequence` is acknowledged.
    mutating func settle(_ sequence: UInt64) {
        while let first = ranges.first, first.lowerBound <= sequence {
            ranges.removeFirst()
            if first.upperBound > sequence {
                ranges.prepend((sequence + 1)...first.upperBound)
                return
            }
        }
    }

    /// Everything up to here is acknowledged or was not for the subscriber, which was sent what it gets up to `sent`.
    func confirmed(sent: UInt64) -> UInt64 { ranges.first.map { $0.lowerBound - 1 } ?? sent }
}
