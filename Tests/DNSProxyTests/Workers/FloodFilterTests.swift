import DNSWire
import FQDNCache
import Glibc
import Testing

@testable import DNSProxy

/// Who is thinned out when a socket's buffer fills, and that the kernel does it.
@Suite struct FloodFilterTests {
    /// A client that asks now and then.
    private let quiet = IPAddress(ipv4: 0x7F00_0001)
    /// A client that floods.
    private let flooder = IPAddress(ipv4: 0x7F00_0002)
    /// A buffer that is too full.
    private let full = FloodFilter.Backlog(waiting: 70, limit: 100, drops: 0)
    /// A buffer that is nearly empty.
    private let empty = FloodFilter.Backlog(waiting: 1, limit: 100, drops: 0)

    /// When look number `count` is.
    private func look(_ count: Int64) -> Moment {
        Moment(seconds: 1_000).adding(nanoseconds: count * FloodFilter.interval)
    }

    /// The filter of a socket, where queries may have waited before, at which two clients were seen.
    private func beside(_ client: IPAddress, mayHaveWaited: Bool = false) -> FloodFilter {
        var filter = FloodFilter(mayHaveWaited: mayHaveWaited)
        filter.see(client, now: look(0))
        filter.see(flooder, now: look(0))
        return filter
    }

    @Test func `who sends most passes by half at each look, and all again when the buffer is empty`() {
        var filter = beside(quiet)
        for round in 1...4 {
            for _ in 0..<100 { filter.note(flooder) }
            filter.note(quiet)
            holds(filter.decide(full, now: look(Int64(round))))
            #expect(filter.passes(flooder) == 1 / Double(1 << round))
        }
        #expect(filter.passes(quiet) == 1 && filter.floods == 1 && filter.isActive)
        // Neither full nor empty: it stays as it is.
        holds(!filter.decide(FloodFilter.Backlog(waiting: 30, limit: 100), now: look(5)))
        holds(filter.decide(empty, now: look(6)))
        #expect(filter.passes(flooder) == 1.25 / 16)
        // A moment later, whether somebody has looked meanwhile or not.
        holds(filter.decide(empty, now: look(31)))
        #expect(!filter.isActive && filter.passes(flooder) == 1)
    }

    @Test
    func
        `a buffer that is a quarter full is a flood while it fills and none while it empties, a nearly full one more so`()
    {
        var filter = beside(quiet)
        for (round, (waiting, passes)) in [(26, 0.5), (40, 0.25), (30, 0.25), (20, 0.25), (80, 1.0 / 16)].enumerated() {
            for _ in 0..<10 { filter.note(flooder) }
            _ = filter.decide(
                FloodFilter.Backlog(waiting: UInt32(waiting), limit: 100), now: look(Int64(round + 1)))
            #expect(filter.passes(flooder) == passes, "\(waiting)")
        }
    }

    @Test func `where many send equally much, nobody floods`() {
        var filter = beside(quiet)
        for number in 0..<1_000 { filter.note(IPAddress(ipv4: UInt32(number % 50))) }
        holds(!filter.decide(full, now: look(1)))
        holds(!filter.decide(full, now: look(2)))
        #expect(!filter.isActive)
    }

    @Test func `among very many the one who sends most is still found`() {
        var filter = beside(quiet)
        for number in 0..<4_000 { filter.note(number % 2 == 0 ? flooder : IPAddress(ipv4: UInt32(number))) }
        holds(filter.decide(full, now: look(1)))
        #expect(filter.passes(flooder) == 0.5 && filter.floods == 1)
    }

    @Test func `a client that is alone may fill the buffer, and for ten seconds after another one was seen it may not`()
    {
        var filter = FloodFilter()
        for (number, isOther, isThinnedOut) in [
            (1, false, false), (2, false, false), (3, true, true), (1_002, false, true), (1_200, false, false),
        ] {
            if isOther { filter.see(quiet, now: look(Int64(number))) }
            filter.see(flooder, now: look(Int64(number)))
            for _ in 0..<100 { filter.note(flooder) }
            _ = filter.decide(full, now: look(Int64(number)))
            #expect((filter.passes(flooder) == 0.5) == isThinnedOut, "\(number)")
            _ = filter.decide(empty, now: look(Int64(number) + 100))
        }
    }

    @Test func `in the second from the first datagram at a socket that was kept open nobody is thinned out`() {
        var filter = beside(quiet, mayHaveWaited: true)
        for (round, passes) in [(1, 1), (99, 1), (100, 0.5)] {
            for _ in 0..<100 { filter.note(flooder) }
            _ = filter.decide(full, now: look(Int64(round)))
            #expect(filter.passes(flooder) == passes)
        }
    }

    @Test func `no more than eight are thinned out, and each a little always passes`() {
        var filter = beside(quiet)
        for round in 1...50 {
            for number in 0..<8 { for _ in 0..<round { filter.note(IPAddress(ipv4: UInt32(round % 3 * 8 + number))) } }
            _ = filter.decide(full, now: look(Int64(round)))
        }
        #expect(filter.floods == 8)
        for number in 8..<16 { #expect(filter.passes(IPAddress(ipv4: UInt32(number))) >= 1.0 / 1024) }
    }

    @Test func `what the kernel has dropped is counted, also when its number begins again`() {
        var filter = beside(quiet)
        _ = filter.decide(FloodFilter.Backlog(waiting: 0, limit: 1, drops: .max - 1), now: look(1))
        let before = filter.drops
        _ = filter.decide(FloodFilter.Backlog(waiting: 0, limit: 1, drops: 3), now: look(2))
        #expect(filter.drops - before == 5)
    }

    /// A UDP socket at `address`.
    private func socket(_ address: SocketAddress) throws -> FileDescriptor {
        let descriptor = try FileDescriptor(
            Glibc.socket(address.family, Int32(SOCK_DGRAM.rawValue), 0), "open a socket")
        try #require(unsafe address.withSockaddr { unsafe bind(descriptor.rawValue, $0, $1) } == 0)
        return descriptor
    }

    /// How many of 400 datagrams from `source` the socket `receiver`, which is at `target`, gets.
    private func delivered(from source: IPAddress, to target: SocketAddress, _ receiver: Int32) throws -> Int {
        let sender = try socket(SocketAddress(source, port: 0))
        var buffer = [UInt8](repeating: 7, count: 64)
        var count = 0
        for _ in 0..<20 {
            for _ in 0..<20 {
                let sent = unsafe target.withSockaddr {
                    unsafe sendto(sender.rawValue, buffer, buffer.count, 0, $0, $1)
                }
                try #require(sent == buffer.count)
            }
            while unsafe recv(receiver, &buffer, buffer.count, Int32(MSG_DONTWAIT)) > 0 { count += 1 }
        }
        return count
    }

    @Test(arguments: [
        ("127.0.0.1", "127.0.0.1", "127.0.0.2"), ("::1", "::1", "2001:db8::1"),
    ])
    func `the kernel drops the datagrams of who floods, and of nobody else`(
        _ listener: String, _ client: String, _ other: String
    ) throws {
        let address = try #require(IPAddress(listener))
        guard let receiver = try? socket(SocketAddress(address, port: 0)) else {
            print("not tested: this machine has no \(listener)")
            return
        }
        let target = try #require(SocketAddress(boundBy: receiver.rawValue))
        let client = try #require(IPAddress(client))
        // From 127.0.0.2 too, or that both of ::1 is told apart from another address.
        let flooder = try #require(IPAddress(other))
        var filter = beside(quiet)
        for round in 1...20 {
            for _ in 0..<10 { filter.note(flooder) }
            _ = filter.decide(full, now: look(Int64(round)))
        }
        filter.apply(to: receiver.rawValue, isIPv4: address.isIPv4)
        #expect(try delivered(from: client, to: target, receiver.rawValue) == 400)
        for round in 21...40 {
            for _ in 0..<10 { filter.note(client) }
            _ = filter.decide(full, now: look(Int64(round)))
        }
        filter.apply(to: receiver.rawValue, isIPv4: address.isIPv4)
        // One of 1,024 passes.
        #expect(try delivered(from: client, to: target, receiver.rawValue) < 40)
        let backlog = try #require(FloodFilter.backlog(of: receiver.rawValue))
        #expect(backlog.drops >= 360 && backlog.limit > 0)
        FloodFilter.detach(receiver.rawValue)
        #expect(try delivered(from: client, to: target, receiver.rawValue) == 400)
    }
}
