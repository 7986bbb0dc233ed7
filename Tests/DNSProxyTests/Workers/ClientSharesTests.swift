import DNSWire
import FQDNCache
import FQDNPolicy
import Testing

@testable import DNSProxy

/// Who makes room when many wait.
@Suite struct ClientSharesTests {
    /// When the tests begin.
    private let now = Moment(seconds: 1_000)

    /// Starts an exchange in `table`, which `clients` wait for.
    private func begin(_ table: inout ExchangeTable, route: Int = 0, _ clients: IPAddress...) -> Int {
        let place = table.insert(
            Exchange(
                message: [UInt8](repeating: 0, count: 40), key: UInt64.random(in: .min ... .max),
                answerKey: AnswerKey(type: .a), route: route, giveUp: now, isWanted: false))
        for client in clients {
            table.join(
                place,
                Waiter(
                    sender: Sender(socket: 0),
                    origin: QueryOrigin(client: client, port: 4_096, transport: .udp, arrived: now),
                    query: QueryMessage(), question: InlineArray(repeating: 0)))
        }
        return place
    }

    @Test func `the oldest question of the client with most goes first, down to a fair share`() {
        var table = ExchangeTable(capacity: 100)
        let heavy = IPAddress(ipv4: 1)
        let light = IPAddress(ipv4: 2)
        let places = (0..<5).map { _ in begin(&table, heavy) }
        _ = begin(&table, light)
        for place in places.prefix(3) {
            let waiter = table.popHeaviest(than: light, isAlone: true)
            holds(waiter?.origin.client == heavy && waiter?.exchange == place)
        }
        // Two against one: another one of the light client would make it two against two, so nobody makes way.
        holds(table.popHeaviest(than: light, isAlone: true) == nil)
        holds(table.popHeaviest(than: heavy, isAlone: true) == nil)
        holds(table.popHeaviest(than: IPAddress(ipv4: 3), isAlone: true)?.exchange == places[3])
        #expect(table.waiting(heavy) == 1 && table.waiting(light) == 1 && table.waiterCount == 2)
    }

    @Test func `an exchange that others wait for too does not end for one client's sake`() {
        var table = ExchangeTable(capacity: 100)
        let heavy = IPAddress(ipv4: 1)
        let popular = begin(&table, heavy, IPAddress(ipv4: 2), heavy)
        let own = begin(&table, heavy)
        _ = begin(&table, heavy)
        holds(table.popHeaviest(than: IPAddress(ipv4: 3), isAlone: true)?.exchange == own)
        // Where it is the places of clients that are few, one among several can go.
        let waiter = table.popHeaviest(than: IPAddress(ipv4: 3), isAlone: false)
        holds(waiter?.exchange == popular)
        #expect(table.waiterCount == 3 && table.places[popular].firstWaiter >= 0)
    }

    @Test func `only an exchange of the route that is full makes room there`() {
        var table = ExchangeTable(capacity: 100)
        let heavy = IPAddress(ipv4: 1)
        for _ in 0..<3 { _ = begin(&table, route: 7, heavy) }
        let place = begin(&table, route: 8, heavy)
        holds(
            table.popHeaviest(than: IPAddress(ipv4: 2), isAlone: true, fits: { $0.route == 8 })?.exchange == place)
        holds(table.popHeaviest(than: IPAddress(ipv4: 2), isAlone: true, fits: { $0.route == 8 }) == nil)
    }

    @Test func `whatever order questions come and end in, the client with most is known`() {
        var table = ExchangeTable(capacity: 1_000)
        var random = SystemRandomNumberGenerator()
        var running: [Int] = []
        var counts: [IPAddress: Int] = [:]
        for _ in 0..<20_000 {
            let client = IPAddress(ipv4: UInt32.random(in: 1...20, using: &random))
            if running.count < 500, Bool.random(using: &random) || running.isEmpty {
                running.append(begin(&table, client))
                counts[client, default: 0] += 1
            } else {
                let place = running.remove(at: Int.random(in: 0..<running.count, using: &random))
                let waiter = table.popWaiter(place)
                let asked = waiter?.origin.client ?? client
                holds(table.popWaiter(place) == nil)
                table.remove(place)
                counts[asked, default: 0] -= 1
            }
            #expect(table.waiting(client) == counts[client, default: 0])
            let most = counts.values.max() ?? 0
            let heaviest = table.shares.heaviest.map { table.shares.shares[$0].count }
            #expect(heaviest ?? 0 == most)
        }
        #expect(table.waiterCount == running.count)
    }
}
