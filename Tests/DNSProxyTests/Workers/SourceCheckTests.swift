import DNSWire
import FQDNCache
import Testing

@testable import DNSProxy

/// Whose datagrams cannot be queries of clients, and which upstreams are the daemon itself.
@Suite struct SourceCheckTests {
    /// When the tests begin.
    private let now = Moment(seconds: 1_000)

    /// A listener or a source.
    private func at(_ text: String) throws -> SocketAddress { try #require(SocketAddress(text, defaultPort: 53)) }

    /// Why a datagram from `source` is dropped by a daemon at `listeners` that takes queries from everybody.
    private func reason(_ source: String, _ listeners: [String]) throws -> DropReason? {
        var check = SourceCheck(
            listeners: try listeners.map { try at($0) },
            networks: try ["0.0.0.0/0", "::/0"].map { try #require(IPPrefix($0)) })
        let source = try at(source)
        guard check.isDoubtful(source.address, port: source.port) else { return nil }
        return check.reason(source.address, port: source.port, isAllowed: true, now: now)
    }

    @Test(arguments: [
        ("0.0.0.0:4000", DropReason.noHost), ("0.1.2.3:4000", .noHost), ("255.255.255.255:4000", .noHost),
        ("224.0.0.251:5353", .noHost), ("[::]:4000", .noHost), ("[ff02::fb]:5353", .noHost),
        ("192.0.2.1:4000", nil), ("[2001:db8::1]:4000", nil), ("127.0.0.1:4000", nil),
    ])
    func `addresses that no host has are no clients`(_ source: String, _ expected: DropReason?) throws {
        #expect(try reason(source, ["127.0.0.1:5355"]) == expected)
    }

    @Test(arguments: [
        ("127.0.0.1:5355", ["127.0.0.1:5355"], true), ("127.0.0.2:5355", ["127.0.0.1:5355"], false),
        ("127.0.0.1:5356", ["127.0.0.1:5355"], false), ("127.0.0.1:5291", ["127.0.0.1:5355"], false),
        ("127.0.0.1:5355", ["0.0.0.0:5355"], true), ("127.0.0.9:5355", ["0.0.0.0:5355"], true),
        ("192.0.2.77:5355", ["0.0.0.0:5355"], false), ("127.0.0.1:5355", ["[::]:5355"], false),
        ("[::1]:5355", ["[::]:5355", "127.0.0.1:53"], true), ("127.0.0.1:53", ["[::]:5355", "127.0.0.1:53"], true),
    ])
    func `our own listeners are no clients, wildcards included`(
        _ source: String, _ listeners: [String], _ isOwn: Bool
    ) throws {
        #expect(try reason(source, listeners) == (isOwn ? .ownListener : nil))
    }

    @Test func `without networks that have such addresses nobody looks for them on the way of a hit`() throws {
        let check = SourceCheck(listeners: [try at("127.0.0.1:53")], networks: EngineConfiguration.privateNetworks)
        #expect(!check.isDoubtful(try #require(IPAddress("224.0.0.1")), port: 4_000))
        // What is not allowed is still told apart.
        var other = check
        let expected: [(String, UInt16, DropReason)] = [
            ("224.0.0.1", 4_000, .noHost), ("192.0.2.1", 4_000, .notAllowed), ("127.0.0.1", 0, .noPort),
        ]
        for (source, port, expected) in expected {
            let reason = other.reason(try #require(IPAddress(source)), port: port, isAllowed: false, now: now)
            #expect(reason == expected)
        }
    }

    @Test(arguments: [
        ("198.18.0.1:53", "0.0.0.0:53", true), ("198.18.0.1:54", "0.0.0.0:53", false),
        ("198.18.0.2:53", "0.0.0.0:53", false), ("198.18.0.1:53", "[::]:53", false),
        ("[2001:db8::7]:53", "[::]:53", true), ("[2001:db8::8]:53", "[::]:53", false),
        ("198.18.0.1:53", "198.18.0.1:53", true), ("127.0.0.5:53", "0.0.0.0:53", true),
    ])
    func `an upstream at an address of this host is where a wildcard listens`(
        _ server: String, _ listener: String, _ isOwn: Bool
    ) throws {
        let local: Set = [try #require(IPAddress("198.18.0.1")), try #require(IPAddress("2001:db8::7"))]
        #expect([try at(listener)].take(try at(server), local: local) == isOwn)
    }

    @Test func `the addresses of this host have its loopback`() throws {
        #expect(LocalAddresses.current().contains(try #require(IPAddress("127.0.0.1"))))
    }
}
