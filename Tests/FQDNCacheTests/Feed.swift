import FQDNCache
import Synchronization

/// A feed that writes down what it is given, numbered from 1, or refuses it.
final class Feed: Sendable {
    /// What it was given.
    private let log = Mutex<[MappingChange]>([])
    /// The number of the last change.
    private let sequence = Atomic<UInt64>(0)
    /// Whether it refuses.
    private let isClosed = Atomic<Bool>(false)

    /// The number of the last change that is in force.
    private let confirmed = Atomic<UInt64>(.max)
    /// The changes that were rejected.
    private let refusals = Mutex<Set<UInt64>>([])

    /// What was taken since the start, or since `forget`.
    var changes: [MappingChange] { log.withLock { $0 } }

    /// Whether it takes nothing.
    var refuses: Bool {
        get { isClosed.load(ordering: .relaxed) }
        set { isClosed.store(newValue, ordering: .relaxed) }
    }

    /// The number of the last change that the enforcers have answered for: all, unless told otherwise.
    var released: UInt64 {
        get { confirmed.load(ordering: .relaxed) }
        set { confirmed.store(newValue, ordering: .relaxed) }
    }

    /// The numbers of changes that could not be put in force.
    var rejected: Set<UInt64> {
        get { refusals.withLock { $0 } }
        set { refusals.withLock { $0 = newValue } }
    }

    /// How the enforcers stand to a change.
    func standing(_ sequence: UInt64) -> EventStanding {
        rejected.contains(sequence) ? .rejected : sequence <= released ? .inForce : .awaited
    }

    /// Takes a change and returns its number, or 0.
    func publish(_ change: MappingChange) -> UInt64 {
        guard !refuses else { return 0 }
        return log.withLock {
            $0.append(change)
            return sequence.wrappingAdd(1, ordering: .relaxed).newValue
        }
    }

    /// Starts a new list, without starting to count anew.
    func forget() { log.withLock { $0 = [] } }
}
