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

    /// What was taken since the start, or since `forget`.
    var changes: [MappingChange] { log.withLock { $0 } }

    /// Whether it takes nothing.
    var refuses: Bool {
        get { isClosed.load(ordering: .relaxed) }
        set { isClosed.store(newValue, ordering: .relaxed) }
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
