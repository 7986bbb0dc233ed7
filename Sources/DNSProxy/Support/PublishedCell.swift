import Synchronization

/// A value that is replaced whole, and says which of them it is.
protocol Versioned: Sendable {
    /// Counts the values of this process; each has another one than those before it.
    var generation: UInt64 { get }
}

/// The place where a value in force is published whole; workers look at `generation` once per turn of their loop and take
/// the lock only when it has moved.
final class PublishedCell<Value: Versioned>: Sendable {
    /// The value in force.
    private let current: Mutex<Value>
    /// Its generation.
    private let published: Atomic<UInt64>

    /// A cell with a first value in it.
    init(_ value: Value) {
        current = Mutex(value)
        published = Atomic(value.generation)
    }

    /// The generation of the value in force.
    var generation: UInt64 { published.load(ordering: .acquiring) }

    /// The value in force.
    func load() -> Value { current.withLock { $0 } }

    /// Puts into force what `next` makes of the value before; nil leaves that in force, and false is returned.
    @discardableResult
    func publish(_ next: (Value) -> Value?) -> Bool {
        current.withLock { value in
            guard let next = next(value) else { return false }
            value = next
            published.store(next.generation, ordering: .releasing)
            return true
        }
    }
}
