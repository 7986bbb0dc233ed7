import DNSWire
import FQDNCache
import FQDNPolicy
import Testing

@testable import DNSProxy

/// The tables of what is with upstreams.
struct ExchangeTests {
    /// When the tests begin.
    private let now = Moment(seconds: 1_000)

    /// An exchange with `key`.
    private func exchange(_ key: UInt64 = 1) -> Exchange {
        Exchange(
            message: [UInt8](repeating: 0, count: 40), key: key, answerKey: AnswerKey(type: .a), route: 0,
            giveUp: now.adding(seconds: 4), isWanted: false)
    }

    /// An attempt with that number over `socket` with `id`.
    private func attempt(_ number: Int, socket: Int = 3, id: UInt16 = 7) -> Attempt {
        Attempt(
            number: number, server: 0, socket: socket, id: id, mask: .none, isMasked: false, hasEDNS: true,
            isFallback: false, started: now)
    }

    /// A client that waits.
    private func waiter(_ client: IPAddress) -> Waiter {
        Waiter(
            sender: Sender(socket: 0), origin: QueryOrigin(client: client, port: 4_096, transport: .udp, arrived: now),
            query: QueryMessage(), question: InlineArray(repeating: 0))
    }

    @Test func `two attempts are found by socket and ID until each has ended`() {
        var table = ExchangeTable(capacity: 10)
        let place = table.insert(exchange())
        let deadline = now.adding(seconds: 1)
        _ = table.start(attempt(1), at: place, slot: 0, deadline: deadline, late: nil)
        let second = table.start(attempt(2, socket: 4, id: 8), at: place, slot: 1, deadline: deadline, late: nil)
        holds(table.places[place].freeSlot == nil)
        holds(table.find(socket: 3, id: 7).map { $0 == (place, 0) } ?? false)
        holds(table.find(socket: 4, id: 8).map { $0 == (place, 1) } ?? false)
        holds(table.find(socket: 3, id: 8) == nil)
        holds(table.find(second).map { $0 == (place, 1) } ?? false)
        holds(table.end(place, slot: 0)?.number == 1)
        holds(table.find(socket: 3, id: 7) == nil)
        holds(table.places[place].isRunning && table.places[place].freeSlot == 0)
        holds(table.end(place, slot: 1)?.number == 2)
        holds(table.find(second) == nil && table.end(place, slot: 1) == nil)
    }

    @Test func `alarms go off in order, and none for what has ended`() {
        var table = ExchangeTable(capacity: 10)
        let place = table.insert(exchange())
        table.setAlarm(place, .clientResponse, at: now.adding(nanoseconds: 1_800))
        _ = table.start(
            attempt(1), at: place, slot: 0, deadline: now.adding(nanoseconds: 800), late: now.adding(nanoseconds: 400))
        #expect(table.nextDeadline == now.adding(nanoseconds: 400))
        holds(table.popAlarm(now: now) == nil)
        let later = now.adding(nanoseconds: 1_000)
        holds(table.popAlarm(now: later)?.event == .late(attempt: 1))
        holds(table.popAlarm(now: later)?.event == .timeout(attempt: 1))
        holds(table.popAlarm(now: later) == nil)
        _ = table.end(place, slot: 0)
        _ = table.start(
            attempt(2), at: place, slot: 0, deadline: now.adding(nanoseconds: 1_500),
            late: now.adding(nanoseconds: 1_400))
        _ = table.end(place, slot: 0)
        holds(table.popAlarm(now: now.adding(seconds: 1))?.event == .clientResponse)
        table.setAlarm(place, .clientResponse, at: later)
        table.remove(place)
        // The place is used again, and what was meant for the exchange before does not hit the new one.
        #expect(table.insert(exchange(2)) == place)
        holds(table.popAlarm(now: now.adding(seconds: 100)) == nil)
    }

    @Test func `what ended attempts leave behind does not pile up`() {
        var table = ExchangeTable(capacity: 10)
        let place = table.insert(exchange())
        for number in 1...100_000 {
            _ = table.start(
                attempt(number), at: place, slot: 0, deadline: now.adding(seconds: 1), late: now.adding(seconds: 1))
            _ = table.end(place, slot: 0)
        }
        #expect(table.alarmCount < 2_000)
    }

    @Test func `waiting clients are counted, each for itself`() {
        var table = ExchangeTable(capacity: 2)
        let one = IPAddress(ipv4: 1)
        let two = IPAddress(ipv4: 2)
        let place = table.insert(exchange())
        for _ in 0..<3 { table.join(place, waiter(one)) }
        holds(table.hasRoomForWaiter)
        table.join(place, waiter(two))
        holds(!table.hasRoomForWaiter)
        #expect(table.waiting(one) == 3 && table.waiting(two) == 1)
        holds(table.popWaiter(place)?.origin.client == two)
        #expect(table.waiting(two) == 0)
        for _ in 0..<3 { holds(table.popWaiter(place)?.origin.client == one) }
        holds(table.popWaiter(place) == nil)
        #expect(table.waiting(one) == 0)
        holds(table.places[place].isWanted)
    }

    @Test func `nobody joins an exchange that is over for clients`() {
        var table = ExchangeTable(capacity: 10)
        let place = table.insert(exchange(5))
        holds(table.find(key: 5) { _ in true } == place)
        holds(table.find(key: 5) { _ in false } == nil)
        table.hide(place)
        holds(table.find(key: 5) { _ in true } == nil)
        let next = table.insert(exchange(5))
        table.remove(place)
        holds(table.find(key: 5) { _ in true } == next)
        #expect(table.count == 1)
        holds(!table.has(place) && table.has(next) && !table.has(2) && !table.has(-1))
        holds(table.insert(exchange(6)) == place && table.has(place))
    }

    @Test func `a question is with one worker at a time`() {
        let directory = ExchangeDirectory()
        #expect(directory.claim(42, for: 0) == nil)
        #expect(directory.claim(42, for: 1) == 0)
        #expect(directory.claim(43, for: 1) == nil)
        directory.release(42, by: 1)
        #expect(directory.claim(42, for: 1) == 0 && directory.count == 2)
        directory.release(42, by: 0)
        #expect(directory.claim(42, for: 1) == nil)
    }
}
