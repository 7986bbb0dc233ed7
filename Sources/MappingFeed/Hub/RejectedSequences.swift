internal import DequeModule
internal import Synchronization

/// The changes that an enforcer said it could not put in force; any thread may ask.
final class RejectedSequences: Sendable {
    /// The highest of them ever, 0 for none: what is above it needs no lock to be told.
    private let highest = Atomic<UInt64>(0)
    /// The last of them.
    private let numbers: Mutex<Numbers>

    /// A bounded set that forgets what came first.
    private struct Numbers {
        /// The numbers.
        var set: Set<UInt64> = []
        /// The same in the order in which they came.
        var order: Deque<UInt64> = []
        /// How many are remembered.
        let limit: Int
    }

    /// Nothing rejected; `limit` numbers are remembered.
    init(limit: Int) {
        numbers = Mutex(Numbers(limit: limit))
    }

    /// Remembers a number, and forgets the oldest if there are too many.
    func insert(_ sequence: UInt64) {
        numbers.withLock { numbers in
            guard numbers.set.insert(sequence).inserted else { return }
            numbers.order.append(sequence)
            if numbers.order.count > numbers.limit, let oldest = numbers.order.popFirst() { numbers.set.remove(oldest) }
        }
        if sequence > highest.load(ordering: .relaxed) { highest.store(sequence, ordering: .releasing) }
    }

    /// Whether a number was rejected and is still remembered.
    func contains(_ sequence: UInt64) -> Bool {
        guard sequence <= highest.load(ordering: .acquiring) else { return false }
        return numbers.withLock { $0.set.contains(sequence) }
    }
}
