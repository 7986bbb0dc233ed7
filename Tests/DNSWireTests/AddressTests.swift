import DNSWire
import Testing

@Suite struct AddressTests {
    @Test(arguments: [
        ("192.0.2.1", "192.0.2.1"), ("0.0.0.0", "0.0.0.0"), ("255.255.255.255", "255.255.255.255"), ("::", "::"),
        ("::1", "::1"), ("1::", "1::"), ("2001:DB8::1", "2001:db8::1"), ("2001:db8:0:0:1:0:0:1", "2001:db8::1:0:0:1"),
        ("2001:db8:0:1:1:1:1:1", "2001:db8:0:1:1:1:1:1"), ("1:2:3:4:5:6:7:8", "1:2:3:4:5:6:7:8"),
        ("0:0:0:0:0:0:0:0", "::"), ("1:0:0:2:0:0:0:3", "1:0:0:2::3"), ("::ffff:192.0.2.1", "192.0.2.1"),
        ("::ffff:c000:201", "192.0.2.1"), ("64:ff9b::192.0.2.33", "64:ff9b::c000:221"), ("fe80::", "fe80::"),
        ("1:2:3:4:5:6:7::", "1:2:3:4:5:6:7:0"), ("::2:3:4:5:6:7:8", "0:2:3:4:5:6:7:8"), ("0001::0ABC", "1::abc"),
    ])
    func `an address is read, and written in canonical form`(_ text: String, _ expected: String) throws {
        let address = try #require(IPAddress(text))
        #expect(address.description == expected)
        #expect(IPAddress(address.description) == address)
    }

    @Test(arguments: [
        "", "1", "1.2.3", "1.2.3.4.5", "256.1.1.1", "01.2.3.4", "1.2.3.4 ", " 1.2.3.4", "1.2.3.", ".1.2.3", "1..2.3",
        "-1.2.3.4", "+1.2.3.4", "1.2.3.4/8", "0x1.2.3.4", ":", ":::", "1::2::3", "1:2:3:4:5:6:7", "1:2:3:4:5:6:7:8:9",
        "12345::", "g::", "::1%eth0", "1:2:3:4:5:6:7:8::", "::1:2:3:4:5:6:7:8", "1:", ":1", "1::1.2.3", "1.2.3.4::",
        "::1.2.3.4:5", "1:2:3:4:5:6:7:1.2.3.4", "[::1]", "١.2.3.4", "+1::", "::-1",
    ])
    func `text that is no address is refused`(_ text: String) {
        #expect(IPAddress(text) == nil)
    }

    @Test(arguments: [
        ("192.0.2.1", true), ("2001:db8::1", true), ("127.0.0.1", false), ("127.255.0.9", false), ("::1", false),
        ("169.254.169.254", false), ("169.253.0.1", true), ("fe80::1", false), ("febf::1", false), ("fec0::1", true),
        ("224.0.0.1", false), ("239.255.255.255", false), ("240.0.0.1", true), ("ff02::1", false), ("0.0.0.0", false),
        ("0.1.2.3", false), ("::", false), ("255.255.255.255", false), ("::ffff:127.0.0.1", false), ("10.0.0.1", true),
    ])
    func `special addresses are not learned`(_ text: String, _ expected: Bool) {
        #expect(IPAddress(text)?.isLearnable == expected)
    }

    @Test func `addresses are read from records of the right length only`() {
        let bytes: [UInt8] = [192, 0, 2, 1] + [UInt8](repeating: 0, count: 11) + [1]
        #expect(IPAddress(bytes.span, at: 0, count: 4)?.description == "192.0.2.1")
        #expect(IPAddress(bytes.span, at: 0, count: 16)?.description == "c000:201::1")
        #expect(IPAddress(bytes.span, at: 12, count: 4)?.description == "0.0.0.1")
        for (offset, count) in [(13, 4), (1, 16), (-1, 4), (0, 3), (0, 5), (0, 0), (20, 4)] {
            let address = IPAddress(bytes.span, at: offset, count: count)
            #expect(address == nil, "\(count) bytes at \(offset)")
        }
    }

    @Test(arguments: [
        ("10.0.0.0/8", "10.255.0.1", "11.0.0.0"), ("192.0.2.1", "192.0.2.1", "192.0.2.2"),
        ("0.0.0.0/0", "255.1.2.3", "::1"), ("::/0", "1.2.3.4", ""), ("fd00::/8", "fdff::1", "fe00::1"),
        ("2001:db8::/33", "2001:db8:7fff::1", "2001:db8:8000::1"), ("fe80::/10", "febf::1", "fec0::"),
        ("192.0.2.128/25", "192.0.2.255", "192.0.2.127"), ("2001:db8::/127", "2001:db8::1", "2001:db8::2"),
    ])
    func `a prefix holds its own`(_ text: String, _ inside: String, _ outside: String) throws {
        let prefix = try #require(IPPrefix(text))
        #expect(prefix.description == text)
        #expect(prefix.contains(try #require(IPAddress(inside))))
        if let address = IPAddress(outside) { #expect(!prefix.contains(address)) }
    }

    @Test(arguments: [
        "", "/", "10.0.0.0/", "10.0.0.0/33", "10.0.0.1/8", "10.0.0.0/-1", "10.0.0.0/+8", "10.0.0.0/8/8", "::/129",
        "fd00::1/64", "x/8", "10.0.0.0/08x", "/8", "10.0.0.0 /8", "10.0.0.0/0008",
    ])
    func `text that is no prefix is refused`(_ text: String) {
        #expect(IPPrefix(text) == nil)
    }

    @Test func `every length of a prefix cuts at its bit`() throws {
        let all = try #require(IPAddress("ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff"))
        for length in 0...128 {
            let prefix = try #require(IPPrefix(all, length: length))
            let ones = (0..<16).reduce(0) { $0 + prefix.address.byte($1).nonzeroBitCount }
            #expect(ones == length)
            #expect(prefix.contains(all))
        }
        #expect(IPPrefix(all, length: 129) == nil && IPPrefix(all, length: -1) == nil)
    }
}
