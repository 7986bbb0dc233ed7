import DNSWire
import FQDNCache
import FQDNPolicy

/// Who makes room when something is full.
///
/// A client that has too many questions waiting is told so with its next one: those before it are nearer to their answers.
/// Where what clients share is full, the oldest question of the client with most goes, so that the others have their fair
/// share however much one of them asks. Either gets SERVFAIL with the extended error 14 (Not Ready, RFC 8914, section 4.15)
/// at once, and can ask another server, rather than silence.
extension Pipeline {
    /// Whether another question of `client` may wait; counts it if not.
    mutating func hasRoomToWait(_ client: IPAddress) -> Bool {
        guard exchanges.waiting(client) < UpstreamTiming.waitingPerClient else {
            counters.overloadedClient += 1
            return false
        }
        guard !exchanges.hasRoomForWaiter else { return true }
        counters.overloaded += 1
        guard let waiter = exchanges.popHeaviest(than: client, isAlone: false) else { return false }
        makeWay(waiter)
        return true
    }

    /// Whether another exchange may begin on `route` for `client`, or for the cache alone; counts it if not.
    mutating func hasRoomToAsk(_ route: Int, for client: IPAddress?) -> Bool {
        let isFull = !exchanges.hasRoom
        guard isFull || !routing.places[route].contains(where: { health.hasRoom($0) }) else { return true }
        guard let client else { return false }
        if isFull { counters.overloaded += 1 } else { counters.overloadedServer += 1 }
        guard
            let waiter = exchanges.popHeaviest(
                than: client, isAlone: true, fits: { isFull ? true : $0.route == route && $0.isRunning })
        else { return false }
        makeWay(waiter)
        guard isFull || routing.places[route].contains(where: { health.hasRoom($0) }) else {
            counters.overloadedServer += 1
            return false
        }
        return true
    }

    /// Ends the wait of `waiter`, and the exchange that it waited for if nobody else does.
    private mutating func makeWay(_ waiter: Waiter) {
        counters.shed += 1
        shed.append(waiter)
        let place = waiter.exchange
        guard exchanges.has(place), exchanges.places[place].firstWaiter < 0, !exchanges.places[place].isAnswered else {
            return
        }
        for slot in 0..<2 { release(place, slot: slot) }
        conclude(place)
    }

    /// Tells those who have made room in this turn.
    mutating func answerShed(turn: Turn, listeners: inout Listeners) {
        let waiters = shed
        shed.removeAll(keepingCapacity: true)
        for waiter in waiters {
            fail(waiter, as: .overloaded, error: .notReady, turn: turn, listeners: &listeners)
        }
    }
}
