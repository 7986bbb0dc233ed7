import DNSWire
import FQDNCache
import Testing

@testable import DNSProxy

/// How many responses a client may have.
@Suite struct ResponseLimiterTests {
    /// When the tests begin.
    private let now = Moment(seconds: 1_000)

    /// An address.
    private func address(_ text: String) throws -> IPAddress { try #require(IPAddress(text)) }

    @Test func `a client has a second's worth at once, then as much as time brings, and never more than that`() throws {
        let limiter = ResponseLimiter(perSecond: 10, ipv6PrefixLength: 64)
        let client = try address("10.0.0.1")
        #expect((0..<50).count { _ in limiter.admits(client, now: now) } == 10)
        // A fifth of a second brings two.
        let later = now.adding(nanoseconds: 200_000_000)
        #expect((0..<50).count { _ in limiter.admits(client, now: later) } == 2)
        // A quiet hour brings no more than a second.
        #expect((0..<50).count { _ in limiter.admits(client, now: now.adding(seconds: 3_600)) } == 10)
    }

    @Test func `each client has its own, whatever another one asks for`() throws {
        let limiter = ResponseLimiter(perSecond: 5, ipv6PrefixLength: 64)
        let flooder = try address("10.0.0.1")
        for _ in 0..<10_000 { _ = limiter.admits(flooder, now: now) }
        for number in 2..<200 {
            let client = IPAddress(ipv4: 0x0A00_0000 + UInt32(number))
            #expect((0..<9).count { _ in limiter.admits(client, now: now) } == 5)
        }
        #expect(!limiter.admits(flooder, now: now))
    }

    @Test(arguments: [
        (64, "2001:db8::1", "2001:db8::2", true), (64, "2001:db8:0:1::1", "2001:db8:0:2::1", false),
        (128, "2001:db8::1", "2001:db8::2", false), (48, "2001:db8:0:1::1", "2001:db8:0:2::1", true),
        (72, "2001:db8::1", "2001:db8:0:0:100::1", false), (72, "2001:db8::1", "2001:db8:0:0:80::1", true),
        (32, "10.0.0.1", "10.0.0.2", false),
    ])
    func `IPv6 addresses with the same first bits are one client, IPv4 addresses are each one`(
        _ length: Int, _ first: String, _ second: String, _ isOne: Bool
    ) throws {
        let limiter = ResponseLimiter(perSecond: 1, ipv6PrefixLength: length)
        #expect(limiter.admits(try address(first), now: now))
        #expect(limiter.admits(try address(second), now: now) == !isOne)
    }

    @Test func `more clients than there are accounts make it lenient, not strict`() {
        let limiter = ResponseLimiter(perSecond: 2, ipv6PrefixLength: 64)
        for _ in 1...2 {
            for number in 0..<UInt32(2 * ResponseLimiter.capacity) {
                #expect(limiter.admits(IPAddress(ipv4: number), now: now))
            }
        }
    }
}
