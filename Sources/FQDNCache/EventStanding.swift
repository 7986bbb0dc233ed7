/// How the enforcers stand to an event that published something.
public enum EventStanding: Hashable, Sendable {
    /// What it published is in force.
    case inForce
    /// Not all of them have confirmed it yet.
    case awaited
    /// One of them said that it could not put it in force.
    case rejected
}

/// The last of the events that published the addresses of one answer, and whether its reply may leave when that one is in force.
///
/// Enforcers confirm events in their order, so the last one stands for those before it, but for one thing: who waits for it does
/// not hear that one before it was rejected. So those have to be in force already.
struct AwaitedEvent {
    /// Its sequence number; 0 as long as there is none.
    private(set) var sequence: UInt64 = 0
    /// Whether all before it are in force.
    private var isFollowing = true

    /// One of the events has this sequence number.
    mutating func add(_ sequence: UInt64, _ standing: (UInt64) -> EventStanding) {
        guard sequence != self.sequence else { return }
        let earlier = min(sequence, self.sequence)
        if earlier != 0, standing(earlier) != .inForce { isFollowing = false }
        self.sequence = max(sequence, self.sequence)
    }

    /// The sequence number to wait for; nil if waiting for it is not enough, or in vain.
    func awaitable(_ standing: (UInt64) -> EventStanding) -> UInt64? {
        isFollowing && (sequence == 0 || standing(sequence) != .rejected) ? sequence : nil
    }
}
