import DequeModule
import FQDNCache
import HeapModule

/// Finished replies that wait until a sequence number of the feed is journalled and acknowledged, or their time is up.
struct HoldTable: ~Copyable {
    /// Replies that may wait at once; beyond it a reply is treated as if its time were up.
    static let capacity = 16_384

    /// One waiting reply.
    struct Hold: Sendable {
        /// Who gets it.
        var sender: Sender
        /// Where the query came from.
        var origin: QueryOrigin
        /// Since when it waits.
        var since: Moment
        /// How the query ends with the reply.
        var outcome: QueryOutcome
        /// The reply, a header at least.
        var reply: [UInt8]
        /// What the client gets instead when its time is up; empty for the reply all the same.
        var failure: [UInt8] = []
        /// The highest sequence number that it waits for.
        var sequence: UInt64
    }

    /// What orders the waiting replies by what they wait for.
    private struct Order: Comparable {
        /// What is waited for.
        let sequence: UInt64
        /// Place of the reply.
        let place: Int
        /// Which use of that place.
        let generation: UInt64

        static func < (left: Order, right: Order) -> Bool { left.sequence < right.sequence }
    }

    /// Replies by place.
    private var holds: [Hold?] = []
    /// How often each place was used.
    private var generations: [UInt64] = []
    /// Places that are free.
    private var free: [Int] = []
    /// Places by sequence number; entries of an earlier generation are void.
    private var order = Heap<Order>()
    /// Places by deadline, which is in the order of arrival because all wait equally long.
    private var deadlines = Deque<(deadline: Moment, place: Int, generation: UInt64)>()
    /// Replies that wait.
    private(set) var count = 0

    /// Whether another reply may wait.
    var hasRoom: Bool { count < HoldTable.capacity }

    /// Whether no reply waits.
    var isEmpty: Bool { count == 0 }

    /// Entries of the order, void ones included.
    var orderCount: Int { order.count }

    /// Whether a reply waits for nothing beyond `sequence`.
    func isReleasable(_ sequence: UInt64) -> Bool { order.min.map { $0.sequence <= sequence } ?? false }

    /// When the first reply's time is up.
    var nextDeadline: Moment? { deadlines.first?.deadline }

    /// Lets a reply wait until `deadline`, which must not lie before that of an earlier one.
    mutating func insert(_ hold: Hold, deadline: Moment) {
        let place: Int
        if let reused = free.popLast() {
            place = reused
            holds[place] = hold
            generations[place] += 1
        } else {
            place = holds.count
            holds.append(hold)
            generations.append(0)
        }
        // Replies whose time was up have left their entries behind; while nothing is released nobody else removes them.
        if order.count > 2 * count + 64 {
            order = Heap(order.unordered.filter { generations[$0.place] == $0.generation && holds[$0.place] != nil })
        }
        order.insert(Order(sequence: hold.sequence, place: place, generation: generations[place]))
        deadlines.append((deadline, place, generations[place]))
        count += 1
    }

    /// Takes a reply that waits for nothing beyond `sequence`.
    mutating func popReleased(upTo sequence: UInt64) -> Hold? {
        while let first = order.min, first.sequence <= sequence {
            order.removeMin()
            if generations[first.place] == first.generation, let hold = take(first.place) { return hold }
        }
        return nil
    }

    /// Takes a reply whose time is up.
    mutating func popExpired(now: Moment) -> Hold? {
        while let first = deadlines.first {
            let isVoid = generations[first.place] != first.generation || holds[first.place] == nil
            guard isVoid || first.deadline <= now else { return nil }
            deadlines.removeFirst()
            if !isVoid, let hold = take(first.place) { return hold }
        }
        return nil
    }

    /// Empties a place.
    private mutating func take(_ place: Int) -> Hold? {
        guard let hold = holds[place] else { return nil }
        holds[place] = nil
        free.append(place)
        count -= 1
        return hold
    }
}
