import CLinux
import DNSWire
import FQDNCache
import FQDNPolicy
import Glibc
import Synchronization

/// How everything outside a worker's thread hands it work: a queue behind a lock, and an eventfd that wakes it.
final class Mailbox: Sendable {
    /// Letters that may wait; beyond it `post` refuses, so that a stuck worker costs bounded memory.
    static let capacity = 65_536

    /// One piece of work.
    enum Letter: Sendable {
        /// A query that came over a connection.
        case query(connection: ConnectionID, client: SocketAddress, message: [UInt8])
        /// A query whose question is with an upstream here, from the worker that it came to.
        case steered(sender: Sender, origin: QueryOrigin, message: [UInt8])
        /// What became of a question that an exchange has sent over a connection.
        case upstreamAnswer(exchange: ExchangeID, StreamAnswer)
        /// A query that the process before this one has left without an answer.
        case left(LeftQuery)
        /// Stop taking queries, answer what is in flight, then end; at that moment with whatever is still in flight.
        case stop(by: Moment)
    }

    /// Queries that other workers have passed on, since the start.
    struct Steered {
        /// Those that came as datagrams.
        var udp: UInt64 = 0
        /// Those that came over connections.
        var tcp: UInt64 = 0
    }

    /// What is behind the lock.
    private struct Content {
        /// The letters that wait.
        var letters: [Letter] = []
        /// Queries that were among the letters, taken or not.
        var steered = Steered()
    }

    /// The letters that wait, and what has been among them.
    private let content = Mutex(Content())
    /// What the worker's epoll set watches.
    let descriptor: Int32
    /// Whether a wake-up is on its way.
    private let awake = Atomic<Bool>(false)

    /// An empty mailbox.
    /// - Throws: `SystemError` when the kernel gives no eventfd.
    init() throws(SystemError) {
        descriptor = eventfd(0, Int32(EFD_NONBLOCK | EFD_CLOEXEC))
        guard descriptor >= 0 else { throw SystemError("create an eventfd") }
    }

    deinit { close(descriptor) }

    /// Leaves a letter; false when the mailbox is full.
    @discardableResult
    func post(_ letter: Letter) -> Bool {
        let accepted = content.withLock { content in
            guard content.letters.count < Mailbox.capacity else { return false }
            if case .steered(_, let origin, _) = letter {
                switch origin.transport {
                case .udp: content.steered.udp += 1
                case .tcp: content.steered.tcp += 1
                }
            }
            content.letters.append(letter)
            return true
        }
        if accepted { wake() }
        return accepted
    }

    /// Wakes the worker without a letter.
    func wake() {
        guard !awake.exchange(true, ordering: .acquiringAndReleasing) else { return }
        eventfd_write(descriptor, 1)
    }

    /// Takes every letter into `taken`, whose own storage is left behind to be filled next.
    func drain(into taken: inout [Letter]) {
        var value: UInt64 = 0
        unsafe eventfd_read(descriptor, &value)
        awake.store(false, ordering: .sequentiallyConsistent)
        taken.removeAll(keepingCapacity: true)
        content.withLock { swap(&$0.letters, &taken) }
    }

    /// Queries that other workers have passed on to this one, taken or not.
    var steered: Steered { content.withLock { $0.steered } }
}

/// A client's connection, unique for the life of the process.
struct ConnectionID: Hashable, Sendable {
    /// Counted up from 1.
    let rawValue: UInt64
}
