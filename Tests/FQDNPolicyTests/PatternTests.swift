import DNSWire
import FQDNPolicy
import Testing

extension Pattern {
    /// Whether the pattern matches a name in text form.
    func matches(_ name: String, for use: PatternUse) throws -> Bool {
        let buffer = NameBuffer(try DomainName(name))
        return matches(buffer, for: use)
    }
}

@Suite struct PatternTests {
    /// A pattern and names that it matches and does not match, for queries and learning alike.
    struct Case: CustomTestStringConvertible, Sendable {
        /// The text of a `matchPattern`.
        let pattern: String
        /// Names that it matches.
        let matches: [String]
        /// Names that it does not match.
        let rejects: [String]
        /// The pattern, to name the case.
        var testDescription: String { pattern }

        /// A case from its parts.
        init(_ pattern: String, matches: [String] = [], rejects: [String] = []) {
            self.pattern = pattern
            self.matches = matches
            self.rejects = rejects
        }
    }

    /// The table of the documentation and what it implies: 171 pairs of pattern and name.
    static let cases: [Case] = [
        Case(
            "cilium.io", matches: ["cilium.io.", "CILIUM.io", "cilium.io"],
            rejects: ["sub.cilium.io.", "io.", "ciliumXio", "cilium.io.evil", ".", "xcilium.io", "cilium.i"]),
        Case("Cilium.IO.", matches: ["cilium.io.", "CiLiUm.Io."], rejects: ["a.cilium.io"]),
        Case(
            "*.cilium.io", matches: ["a.cilium.io.", "A.CILIUM.IO", "-.cilium.io", "_.cilium.io", "0.cilium.io"],
            rejects: [
                "cilium.io.", "a.b.cilium.io.", "acilium.io", #"a\.b.cilium.io"#, #"\000.cilium.io"#,
                #"a\032b.cilium.io"#, #"\195\188.cilium.io"#, "a.cilium.io.com", #"a\*.cilium.io"#, ".",
                #"a.cilium\.io"#,
            ]),
        Case(
            "*cilium.io", matches: ["cilium.io.", "subcilium.io.", "sub-cilium.io", "ciliumcilium.io"],
            rejects: ["a.cilium.io.", "cilium.io.x", "ciliu.io", #"\.cilium.io"#, "io"]),
        Case(
            "api-*.s3.*.amazonaws.com",
            matches: [
                "api-1.s3.eu-west-1.amazonaws.com.", "api-.s3.x.amazonaws.com", "API-A.S3.B.AMAZONAWS.COM",
            ],
            rejects: [
                "api-1.s3.amazonaws.com", "api-1.x.s3.eu.amazonaws.com", "api-1.s3.eu.west.amazonaws.com",
                "api1.s3.eu.amazonaws.com", "xapi-1.s3.eu.amazonaws.com",
            ]),
        Case(
            "*.*.svc.cluster.local", matches: ["web.prod.svc.cluster.local.", "a.b.svc.cluster.local"],
            rejects: ["prod.svc.cluster.local.", "svc.cluster.local", "a.b.c.svc.cluster.local"]),
        Case(
            "**.cilium.io",
            matches: ["a.cilium.io.", "a.b.c.cilium.io.", "cilium.io.cilium.io", "x_y.-.cilium.io"],
            rejects: [
                "cilium.io.", "acilium.io", "io", ".", #"a\032.b.cilium.io"#, #"b.a\.c.cilium.io"#,
                #"\255.x.cilium.io"#, "a.cilium.io.x",
            ]),
        Case("***.cilium.io", matches: ["a.cilium.io.", "a.b.cilium.io."], rejects: ["cilium.io."]),
        Case("*****.x", matches: ["a.x", "b.a.x"], rejects: ["x", "."]),
        Case(
            "**cilium.io", matches: ["cilium.io.", "subcilium.io."], rejects: ["a.cilium.io.", "a.bcilium.io"]),
        Case("a.**.b", matches: ["a.x.b", "a.-.b"], rejects: ["a.b", "a.x.y.b", "ab", "a.x.bb"]),
        Case("a.**", matches: ["a.x", "a.com"], rejects: ["a", "a.b.c", "b.a.x"]),
        Case("**.**.x", matches: ["a.b.x", "a.b.c.x"], rejects: ["a.x", "x"]),
        Case("**.*", matches: ["a.b", "a.b.c"], rejects: ["a", "."]),
        Case("*.*", matches: ["a.b", "x-1.y_2"], rejects: ["a", "a.b.c", "."]),
        Case("*.*.", matches: ["a.b."], rejects: ["a"]),
        Case("**.a*c.x", matches: ["q.ac.x", "p.q.abc.x"], rejects: ["abc.x", "q.ab.x"]),
        Case("*a*.x", matches: ["a.x", "bab.x", "aaaa.x", "ba.x", "ab.x"], rejects: ["b.x", "x", "c.a.x"]),
        Case("*a", matches: ["a", "ba", "aa"], rejects: ["ab", "a.a"]),
        Case("a*", matches: ["a", "ab", "abc"], rejects: ["ba", "a.b"]),
        Case("a**b", matches: ["ab", "axb"], rejects: ["a", "b", "a.b"]),
        Case("*ab*ab*", matches: ["abab", "xabxabx", "aabab"], rejects: ["ab", "aba", "bab"]),
        Case("a*b*c", matches: ["abc", "aXbYc", "abbcc", "abcbc"], rejects: ["acb", "ab", "abcx"]),
        Case("*-*-*", matches: ["--", "a-b-c", "a-b-c-d"], rejects: ["-", "ab", "a-b"]),
        Case(".", matches: ["."], rejects: ["com", "a.com", #"\."#, #"\000"#]),
        Case("  cilium.io ", matches: ["cilium.io"], rejects: ["a.cilium.io"]),
        Case("\t*.cilium.io\n", matches: ["a.cilium.io"], rejects: ["cilium.io"]),
        Case("_dns._udp.x-y.z", matches: ["_DNS._udp.X-Y.z"], rejects: ["dns._udp.x-y.z"]),
        Case("1.2.3.4", matches: ["1.2.3.4"], rejects: ["1.2.3.5", "0.1.2.3.4"]),
        Case("com", matches: ["com."], rejects: ["a.com", "co", "."]),
        Case("*.x.*", matches: ["a.x.b"], rejects: ["a.x", "x.b", "a.y.b"]),
        Case("xn--*.de", matches: ["xn--bcher-kva.de"], rejects: ["b\\195\\188cher.de", "xn-a.de"]),
    ]

    @Test(arguments: cases)
    func `a pattern means what the table says`(_ each: Case) throws {
        let pattern = try Pattern(.matchPattern, each.pattern)
        for use in PatternUse.allCases {
            for name in each.matches {
                #expect(try pattern.matches(name, for: use), "\(each.pattern) \(name)")
            }
            for name in each.rejects {
                #expect(try !pattern.matches(name, for: use), "\(each.pattern) \(name)")
            }
        }
    }

    @Test func `the table has the size that its comment says`() {
        #expect(PatternTests.cases.reduce(0) { $0 + $1.matches.count + $1.rejects.count } == 171)
    }

    @Test(arguments: ["*", "**", "*.", "**.", " * ", "***", "***."])
    func `stars alone are every name for queries, and names of plain labels for learning`(_ text: String) throws {
        let pattern = try Pattern(.matchPattern, text)
        for name in ["a", "a.b", ".", "A_-9.x"] {
            for use in PatternUse.allCases { #expect(try pattern.matches(name, for: use)) }
        }
        for name in [#"a\.b"#, #"\000"#, #"a.\255.b"#, #"x\032"#, #"*.a"#, "a/b", "a+b.c", #"\@"#] {
            #expect(try pattern.matches(name, for: .query), "\(name)")
            #expect(try !pattern.matches(name, for: .learning), "\(name)")
        }
    }

    @Test func `a matchName is one name, in any case, with or without trailing dot`() throws {
        for text in ["cilium.io", "CILIUM.io.", " cilium.IO "] {
            let pattern = try Pattern(.matchName, text)
            #expect(try pattern.matches("Cilium.io", for: .query))
            #expect(try !pattern.matches("a.cilium.io", for: .query))
            #expect(pattern.description == "cilium.io")
        }
        #expect(try Pattern(.matchName, ".").matches(".", for: .learning))
    }

    /// The longest label, and one character more.
    static let labels = (longest: String(repeating: "a", count: 63), tooLong: String(repeating: "a", count: 64))

    @Test(
        arguments: [
            (.matchPattern, "", .empty), (.matchName, "  \t", .empty),
            (.matchName, "*.a", .starInName), (.matchName, "*", .starInName),
            (.matchPattern, "a..b", .emptyLabel), (.matchPattern, ".a", .emptyLabel), (.matchName, "a..", .emptyLabel),
            (.matchPattern, "..", .emptyLabel), (.matchPattern, "*..", .emptyLabel),
            (.matchPattern, "**..a", .emptyLabel),
            (.matchPattern, "a b", .character(" ", .matchPattern)),
            (.matchPattern, "a/b", .character("/", .matchPattern)),
            (.matchName, "a,b", .character(",", .matchName)), (.matchName, #"a\.b"#, .character("\\", .matchName)),
            (.matchPattern, "[a-z].x", .character("[", .matchPattern)),
            (.matchPattern, "bücher.de", .character("ü", .matchPattern)),
            (.matchPattern, "a\u{0}b", .character("\0", .matchPattern)),
            (.matchName, "http://a", .character(":", .matchName)),
            (.matchName, labels.tooLong, .labelTooLong), (.matchPattern, "*" + labels.tooLong + ".x", .labelTooLong),
            (.matchPattern, String(repeating: "a.", count: 128), .tooLong),
            (.matchPattern, String(repeating: "*", count: 256), .tooLong),
            (.matchName, String(repeating: "a.", count: 127) + "b", .nameTooLong),
            (.matchPattern, "**." + String(repeating: "a.", count: 125) + "aa", .nameTooLong),
        ] as [(Pattern.Field, String, PatternError)])
    func `what is not a pattern is refused, with the reason`(
        _ field: Pattern.Field, _ text: String, _ expected: PatternError
    ) {
        #expect(throws: expected) { try Pattern(field, text) }
    }

    @Test(
        arguments: [
            labels.longest, labels.longest + ".*", "*" + labels.longest, String(repeating: "*", count: 255),
            String(repeating: "a.", count: 127), "**." + String(repeating: "a.", count: 126),
            "*" + String(repeating: ".a", count: 126),
        ])
    func `what is just short enough is a pattern`(_ text: String) throws {
        _ = try Pattern(.matchPattern, text)
    }

    @Test func `every reason is a readable end of a sentence`() {
        let all: [PatternError] = [
            .empty, .tooLong, .starInName, .emptyLabel, .labelTooLong, .nameTooLong, .character("ü", .matchName),
        ]
        #expect(Set(all.map(\.description)).count == all.count)
        #expect(
            "\(PatternError.character("ü", .matchName))"
                == #"contains "ü": only letters, digits, "-", "_" and "." are allowed; "#
                + #"write international names in their "xn--" form"#)
    }

    @Test func `the text of a pattern reads back as the same pattern`() throws {
        for each in PatternTests.cases {
            let pattern = try Pattern(.matchPattern, each.pattern)
            #expect(try Pattern(.matchPattern, pattern.description) == pattern, "\(each.pattern)")
        }
    }

    @Test func `a hostile pattern is decided at once`() throws {
        let pattern = try Pattern(.matchPattern, String(repeating: "a*", count: 60) + "b." + labelPattern + ".x")
        let name = NameBuffer(try DomainName("\(PatternTests.labels.longest).\(PatternTests.labels.longest).x"))
        let time = ProcessorTime.measure {
            for _ in 0..<1000 where pattern.matches(name, for: .query) { Issue.record("it matches") }
        }
        // Quadratic at worst: some 4000 steps each; backtracking would need longer than the universe has.
        #expect(time < .seconds(60))
    }

    /// A second label full of stars.
    private var labelPattern: String { String(repeating: "*a", count: 60) }
}
