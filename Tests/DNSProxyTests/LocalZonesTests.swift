import DNSWire
import Glibc
import Testing

@testable import DNSProxy
@testable import FQDNPolicy

/// What a response says, section by section, as text that the record listings use.
private func respond(_ zones: LocalZones, _ question: String, _ type: RecordType, room: Int = 65_535) throws
    -> [String]?
{
    var output = [UInt8](repeating: 0xAA, count: room)
    let name = NameBuffer(try DomainName(question))
    var span = output.mutableSpan
    guard let length = zones.respond(question: name, type: type, into: &span)?.length else { return nil }
    let message = Array(output[..<length])
    let header = try #require(readHeader(message))
    #expect(header.id == 0)
    #expect(header.flags.isSuperset(of: [.response, .authoritative]))
    var cursor = MessageCursor()
    var owner = NameBuffer()
    let asked = cursor.readQuestion(message.span, into: &owner)
    let isAsked = owner.equals(name)
    #expect(isAsked)
    #expect(asked.type == type)
    var lines = [header.flags.contains(.truncated) ? "TC" : header.flags.responseCode.description]
    for index in 0..<Int(header.answerCount + header.authorityCount) {
        let start = cursor.offset
        let record = cursor.readRecord(message.span, owner: &owner)
        let data = RecordText.data(of: message.span, recordAt: start) ?? "?"
        let section = index < Int(header.answerCount) ? "" : "authority: "
        lines.append("\(section)\(owner.domainName) \(record.ttl) \(record.type) \(data)")
    }
    #expect(cursor.failure == nil)
    #expect(cursor.offset == message.count)
    return lines
}

/// The header of `message`.
private func readHeader(_ message: [UInt8]) -> Header? { Header(message.span) }

/// The zone of `text`, which has nothing wrong with it.
private func zone(_ text: String) throws -> LocalZones {
    var problems: [DocumentProblem] = []
    let zone = try #require(ZoneFile.parse(Array(text.utf8), file: "test.zone", &problems))
    #expect(problems == [])
    return LocalZones([zone])
}

@Suite struct LocalZonesTests {
    static let text = """
        ; local records
        $ORIGIN example.test.
        $TTL 300
        @       IN SOA ns root (
                1 3600 600
                86400 60 )
        @       NS   ns
        ns      A    192.0.2.53
        www     A    192.0.2.1
                60 A 192.0.2.2
        WWW     AAAA 2001:db8::1
        alias   CNAME www
        far     CNAME www.elsewhere.test.
        dangling CNAME nothere
        *.wild  A    192.0.2.3
        *.wild  TXT  "any"
        b.wild  TXT  "b"
        deep.er.leaf A 192.0.2.4
        d       DNAME example.test.
        *.cw    CNAME www
        h       HTTPS 1 . alpn=h2 ipv4hint=192.0.2.7
        mail    MX   10 mx1
        u       TYPE65280 \\# 2 0102
        """
    static let soa = "authority: example.test. 60 SOA ns.example.test. root.example.test. 1 3600 600 86400 60"

    @Test(arguments: [
        (
            "www.example.test", RecordType.a,
            ["NOERROR", "www.example.test. 60 A 192.0.2.1", "www.example.test. 60 A 192.0.2.2"]
        ),
        ("www.example.test", .aaaa, ["NOERROR", "www.example.test. 300 AAAA 2001:db8::1"]),
        ("www.example.test", .txt, ["NOERROR", soa]),
        ("nothere.example.test", .a, ["NXDOMAIN", soa]),
        ("a.www.example.test", .a, ["NXDOMAIN", soa]),
        (
            "alias.example.test", .a,
            [
                "NOERROR", "alias.example.test. 300 CNAME www.example.test.", "www.example.test. 60 A 192.0.2.1",
                "www.example.test. 60 A 192.0.2.2",
            ]
        ),
        ("alias.example.test", .cname, ["NOERROR", "alias.example.test. 300 CNAME www.example.test."]),
        ("alias.example.test", .txt, ["NOERROR", "alias.example.test. 300 CNAME www.example.test.", soa]),
        ("far.example.test", .a, ["NOERROR", "far.example.test. 300 CNAME www.elsewhere.test."]),
        ("dangling.example.test", .a, ["NXDOMAIN", "dangling.example.test. 300 CNAME nothere.example.test.", soa]),
        ("x.wild.example.test", .a, ["NOERROR", "x.wild.example.test. 300 A 192.0.2.3"]),
        ("x.y.wild.example.test", .a, ["NOERROR", "x.y.wild.example.test. 300 A 192.0.2.3"]),
        ("x.wild.example.test", .mx, ["NOERROR", soa]),
        // A name that exists shields itself and what is below it from the wildcard (RFC 4592, section 2.2.1).
        ("b.wild.example.test", .a, ["NOERROR", soa]),
        ("x.b.wild.example.test", .a, ["NXDOMAIN", soa]),
        ("wild.example.test", .a, ["NOERROR", soa]),
        ("er.leaf.example.test", .a, ["NOERROR", soa]),
        ("leaf.example.test", .a, ["NOERROR", soa]),
        ("x.leaf.example.test", .a, ["NXDOMAIN", soa]),
        ("*.wild.example.test", .txt, ["NOERROR", "*.wild.example.test. 300 TXT \"any\""]),
        (
            "q.cw.example.test", .aaaa,
            ["NOERROR", "q.cw.example.test. 300 CNAME www.example.test.", "www.example.test. 300 AAAA 2001:db8::1"]
        ),
        (
            "www.d.example.test", .aaaa,
            [
                "NOERROR", "d.example.test. 300 DNAME example.test.", "www.d.example.test. 300 CNAME www.example.test.",
                "www.example.test. 300 AAAA 2001:db8::1",
            ]
        ),
        ("d.example.test", .a, ["NOERROR", soa]),
        ("h.example.test", .https, ["NOERROR", "h.example.test. 300 HTTPS 1 . alpn=h2 ipv4hint=192.0.2.7"]),
        ("mail.example.test", .mx, ["NOERROR", "mail.example.test. 300 MX 10 mx1.example.test."]),
        ("u.example.test", RecordType(rawValue: 65_280), ["NOERROR", "u.example.test. 300 TYPE65280 \\# 2 0102"]),
        ("example.test", .ns, ["NOERROR", "example.test. 300 NS ns.example.test."]),
        (
            "example.test", .any,
            [
                "NOERROR", "example.test. 300 SOA ns.example.test. root.example.test. 1 3600 600 86400 60",
                "example.test. 300 NS ns.example.test.",
            ]
        ),
    ])
    func `a zone answers as an authoritative server does`(_ question: String, _ type: RecordType, _ expected: [String])
        throws
    {
        #expect(try respond(zone(LocalZonesTests.text), question, type) == expected)
    }

    @Test(arguments: ["test", "other.test", "anexample.test", "."])
    func `a name outside of every zone is nobody's`(_ question: String) throws {
        #expect(try respond(zone(LocalZonesTests.text), question, .a) == nil)
    }

    @Test func `an answer that does not fit is cut to its question`() throws {
        #expect(try respond(zone(LocalZonesTests.text), "www.example.test", .a, room: 60) == ["TC"])
    }

    @Test func `aliases that lead out of the zones say where to, and others do not`() throws {
        let zones = try zone(LocalZonesTests.text)
        var output = [UInt8](repeating: 0, count: 4_096)
        var span = output.mutableSpan
        let far = try #require(
            zones.respond(question: NameBuffer(try DomainName("far.example.test")), type: .a, into: &span))
        let departure = try #require(far.departure)
        #expect(departure.question.description == "far.example.test.")
        #expect(departure.target.description == "www.elsewhere.test.")
        #expect(
            departure.aliases == departure.question.bytes + [0, 5, 0, 1, 0, 0, 1, 44, 0, 20] + departure.target.bytes)
        for (name, type) in [("alias", RecordType.a), ("far", .cname), ("www", .a), ("dangling", .a)] {
            let question = NameBuffer(try DomainName("\(name).example.test"))
            let answer = try #require(zones.respond(question: question, type: type, into: &span))
            #expect(answer.departure == nil, "\(name) \(type)")
        }
    }

    @Test func `every mistake of a zone file is reported with its line`() throws {
        let text = """
            $ORIGIN example.test.
            $TTL 300

            ; the zone begins below
            @ SOA ns root 1 3600 600 86400 60
            a A 300.1.1.1

            b NOSUCH x
            $INCLUDE foo
            c..d A 192.0.2.1
            other.test. A 192.0.2.1
            e CH TXT "x"
            f CNAME a
            f A 192.0.2.1
            g CNAME a
            g CNAME b
            @ SOA ns root 2 3600 600 86400 60
            sub NS ns.sub
            h A 192.0.2.1
            h A 192.0.2.1
            i CNAME j
            j CNAME i
            k A ( 192.0.2.1
            l A 192.0.2.2
            """
        var problems: [DocumentProblem] = []
        let parsed = ZoneFile.parse(Array(text.utf8), file: "bad.zone", &problems)
        #expect(parsed?.apex.description == "example.test.")
        let lines = problems.map { "\($0.line) \($0.severity)" }
        #expect(
            Set(lines) == [
                "6 error", "8 error", "9 error", "10 error", "11 error", "12 error", "14 error", "16 error", "17 error",
                "18 warning", "20 warning", "21 error", "22 error", "23 error",
            ])
        #expect(problems.allSatisfy { $0.file == "bad.zone" && !$0.message.isEmpty })
    }

    @Test(arguments: ["", "\n\n", "; nothing\n", "www.example. A 192.0.2.1\n"])
    func `a file without SOA is no zone`(_ text: String) {
        var problems: [DocumentProblem] = []
        let zone = ZoneFile.parse(Array(text.utf8), file: "none.zone", &problems)
        #expect(zone == nil)
        #expect(problems.map(\.message) == ["the zone file has no SOA record, which says where the zone begins"])
    }

    @Test func `bytes that are no zone file are refused without a crash`() {
        // A linear congruence (Knuth's MMIX) with a fixed seed, so that a failure repeats.
        var state: UInt64 = 0x20_6E
        func random(below limit: Int) -> Int {
            state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
            return Int(state >> 33) % limit
        }
        let source = Array(LocalZonesTests.text.utf8)
        for _ in 0..<300 {
            var text = source
            for _ in 0...random(below: 8) { text[random(below: text.count)] = UInt8(random(below: 256)) }
            var problems: [DocumentProblem] = []
            let zone = ZoneFile.parse(text, file: "x", &problems)
            #expect(zone != nil || !problems.isEmpty)
        }
        var problems: [DocumentProblem] = []
        let long = ZoneFile.parse([UInt8](repeating: UInt8(ascii: "a"), count: 100_000), file: "x", &problems)
        #expect(long == nil && !problems.isEmpty)
    }

    @Test func `missing files, folders and two files of one zone are errors that name the file`() throws {
        let template = Array("/tmp/zones-XXXXXX\0".utf8CString)
        var path = template
        let folder = try #require(mkdtemp(&path).map { String(cString: $0) })
        defer {
            for file in ["one.zone", "two.zone"] { unlink("\(folder)/\(file)") }
            rmdir(folder)
        }
        for file in ["one.zone", "two.zone"] {
            let stream = try #require(fopen("\(folder)/\(file)", "w"))
            fputs("example.test. 60 IN SOA ns. root. 1 2 3 4 5\n", stream)
            fclose(stream)
        }
        let paths = ["\(folder)/none.zone", folder, "\(folder)/one.zone", "\(folder)/two.zone", "/dev/zero"]
        let (zones, problems) = ZoneFile.load(paths)
        #expect(zones.apexes.map(\.description) == ["example.test."])
        #expect(
            problems.map(\.description) == [
                "\(folder)/none.zone: error: cannot open the zone file: No such file or directory",
                "\(folder): error: the zone file is not a regular file",
                "\(folder)/two.zone:1:1: error: the zone example.test. is also in \(folder)/one.zone:1",
                "/dev/zero: error: the zone file is not a regular file",
            ])
    }

    @Test func `localhost is the loopback, invalid and onion do not exist, and a zone file may say otherwise`() throws {
        let special = LocalZones.none.withSpecialNames
        let soa = "10800 SOA localhost. nobody.invalid. 1 3600 1200 604800 10800"
        for (name, type, expected) in [
            ("localhost.", .a, ["NOERROR", "localhost. 10800 A 127.0.0.1"]),
            ("db.localhost.", .aaaa, ["NOERROR", "db.localhost. 10800 AAAA ::1"]),
            ("localhost.", .mx, ["NOERROR", "authority: localhost. \(soa)"]),
            ("db.invalid.", .a, ["NXDOMAIN", "authority: invalid. \(soa)"]),
            ("abc.onion.", .aaaa, ["NXDOMAIN", "authority: onion. \(soa)"]),
            ("localhost.example.", .a, nil),
        ] as [(String, RecordType, [String]?)] {
            #expect(try respond(special, name, type) == expected, "\(name)")
        }
        let own = try zone("$ORIGIN localhost.\n@ 60 IN SOA . . 1 2 3 4 5\n@ 60 IN A 127.0.0.9\n").withSpecialNames
        #expect(try respond(own, "localhost.", .a) == ["NOERROR", "localhost. 60 A 127.0.0.9"])
        #expect(own.apexes.count == 3 && own.configuredApexes.map(\.description) == ["localhost."])
    }
}
