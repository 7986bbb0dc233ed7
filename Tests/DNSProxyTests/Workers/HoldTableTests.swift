import DNSWire
import FQDNCache
import Testing

@testable import DNSProxy

/// Replies wait for exactly what they need, and never longer than they may.
struct HoldTableTests {
    /// A reply that says which one it is.
    private func hold(_ number: UInt8, sequence: UInt64) -> HoldTable.Hold {
        HoldTable.Hold(
            sender: Sender(socket: 0),
            origin: QueryOrigin(client: IPAddress(ipv4: 0), port: 4_096, transport: .udp, arrived: Moment(seconds: 1)),
            since: Moment(seconds: 1), outcome: .upstream, reply: [number], sequence: sequence)
    }

    /// The replies that `table` lets go up to `sequence`.
    private func released(_ table: inout HoldTable, upTo sequence: UInt64) -> Set<UInt8> {
        var numbers: Set<UInt8> = []
        while let hold = table.popReleased(upTo: sequence) { numbers.formUnion(hold.reply) }
        return numbers
    }

    @Test func `a reply leaves when its own sequence is released, whoever came before it`() {
        var table = HoldTable()
        table.insert(hold(1, sequence: 9), deadline: Moment(seconds: 10))
        table.insert(hold(2, sequence: 4), deadline: Moment(seconds: 11))
        table.insert(hold(3, sequence: 9), deadline: Moment(seconds: 12))
        holds(!table.isReleasable(3))
        holds(table.isReleasable(4))
        #expect(released(&table, upTo: 8) == [2])
        #expect(released(&table, upTo: 9) == [1, 3])
        holds(table.isEmpty)
    }

    @Test func `a reply whose time is up leaves once, and is not released later`() {
        var table = HoldTable()
        table.insert(hold(1, sequence: 5), deadline: Moment(seconds: 10))
        table.insert(hold(2, sequence: 6), deadline: Moment(seconds: 20))
        holds(table.popExpired(now: Moment(seconds: 9)) == nil)
        holds(table.popExpired(now: Moment(seconds: 10))?.reply == [1])
        holds(table.popExpired(now: Moment(seconds: 10)) == nil)
        // The place is used again: what was said about its former reply says nothing about the new one.
        table.insert(hold(3, sequence: 7), deadline: Moment(seconds: 30))
        #expect(released(&table, upTo: 6) == [2])
        holds(table.popExpired(now: Moment(seconds: 29)) == nil)
        #expect(released(&table, upTo: 7) == [3])
        holds(table.popExpired(now: Moment(seconds: 99)) == nil)
    }

    @Test func `while nothing is ever released, memory stays bounded`() {
        var table = HoldTable()
        for second in 1...10_000 {
            table.insert(hold(1, sequence: UInt64(second)), deadline: Moment(seconds: Int64(second)))
            holds(table.popExpired(now: Moment(seconds: Int64(second))) != nil)
        }
        holds(table.orderCount < 200)
        #expect(released(&table, upTo: .max) == [])
    }
}
