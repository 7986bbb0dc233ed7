import DNSWire
import Testing

@Suite struct DomainNameTests {
    @Test(arguments: [
        ("example.org", "example.org."), ("Example.ORG.", "example.org."), (".", "."), ("a\\.b.c", "a\\.b.c."),
        ("a\\046b", "a\\.b."), ("\\065", "a."), ("\\\\", "\\\\."), ("\\000", "\\000."), ("a b", "a\\032b."),
        ("ä", "\\195\\164."), ("\\\"", "\\\"."), ("*.x", "*.x."), ("_dns.x", "_dns.x."), ("a;b", "a\\;b."),
        ("a@b", "a\\@b."), ("\u{1B}[0m", "\\027[0m."),
        (String(repeating: "a", count: 63), String(repeating: "a", count: 63) + "."),
    ])
    func `presentation format is read, and written so that it reads back`(_ text: String, _ expected: String) throws {
        let parsed = try DomainName(text)
        #expect(parsed.description == expected)
        #expect(try DomainName(parsed.description) == parsed)
        #expect(parsed.description.utf8.allSatisfy { (0x21...0x7E).contains($0) })
    }

    @Test(arguments: [
        ("", NameError.emptyLabel), ("a..b", .emptyLabel), ("..", .emptyLabel), (".a", .emptyLabel),
        ("a\\", .badEscape), ("a\\1", .badEscape), ("a\\12", .badEscape), ("a\\256", .badEscape),
        ("a\\1x2", .badEscape),
        (String(repeating: "a", count: 64), .labelTooLong),
        (String(repeating: "a.", count: 128), .nameTooLong),
        (String(repeating: String(repeating: "a", count: 63) + ".", count: 4), .nameTooLong),
    ])
    func `text that is no name says why`(_ text: String, _ expected: NameError) {
        #expect(throws: expected) { try DomainName(text) }
    }

    @Test func `the longest name has 255 bytes`() throws {
        let label = String(repeating: "a", count: 63)
        #expect(try DomainName("\(label).\(label).\(label).\(label.dropLast(2))").bytes.count == 255)
        #expect(throws: NameError.nameTooLong) { try DomainName("\(label).\(label).\(label).\(label.dropLast(1))") }
        #expect(try DomainName(String(repeating: "a.", count: 127)).labelCount == 127)
    }

    @Test func `names sort by labels from the right`() {
        // The example of RFC 4034, section 6.1.
        let sorted = [
            "example.", "a.example.", "yljkjljk.a.example.", "Z.a.example.", "zABC.a.EXAMPLE.", "z.example.",
            "\\001.z.example.", "*.z.example.", "\\200.z.example.",
        ].map(name)
        #expect(sorted.reversed().sorted() == sorted)
    }

    @Test func `parents lead to the root`() {
        #expect(name("a.b.").parent == name("b."))
        #expect(name("b.").parent == .root)
        #expect(DomainName.root.parent == nil)
        #expect(name("a\\.b.c.").parent == name("c."))
    }
}
