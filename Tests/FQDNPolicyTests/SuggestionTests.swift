import DNSWire
import FQDNPolicy
import Testing

@Suite struct PublicSuffixTests {
    /// A list with rules of every form.
    private let suffixes = PublicSuffixes(
        """
        // comment
        com
        uk
        co.uk   // behind a blank
        *.ck
        !www.ck
        github.io
        io
        公司.cn
        cn
        .. bad

        """, source: "test")

    @Test(
        arguments: [
            ("com", 1, true), ("example.com", 1, true), ("a.b.example.com", 1, true), ("co.uk", 2, true),
            ("a.co.uk", 2, true), ("uk", 1, true), ("bl.uk", 1, true), ("a.b.ck", 2, true), ("b.ck", 2, true),
            ("ck", 1, false), ("www.ck", 1, true), ("a.www.ck", 1, true), ("github.io", 2, true),
            ("x.github.io", 2, true),
            ("x.xn--55qx5d.cn", 2, true), ("local", 1, false), ("svc.cluster.local", 1, false), (".", 0, false),
        ])
    func `rules, wildcards and exceptions are applied as the list says`(_ name: String, _ labels: Int, _ listed: Bool)
        throws
    {
        let found = suffixes.suffix(of: try DomainName(name))
        #expect(found.labels == labels && found.isListed == listed)
    }

    @Test(
        arguments: [
            ("bücher", "xn--bcher-kva"), ("公司", "xn--55qx5d"), ("한국", "xn--3e0b707e"), ("рф", "xn--p1ai"),
            ("السعودية", "xn--mgberp4a5d4ar"), ("個人", "xn--gmqw5a"), ("ascii", "ascii"),
        ])
    func `international suffixes are those of queries`(_ text: String, _ ascii: String) throws {
        let list = PublicSuffixes("\(text).zz\n", source: "test")
        #expect(list.suffix(of: try DomainName("a.\(ascii).zz")).labels == 2)
    }

    @Test func `without the list of the system a small one is used, and says so`() throws {
        let list = PublicSuffixes.system(path: "/nonexistent/list.dat")
        #expect(list.source == "a small built-in list")
        for (name, labels) in [
            ("a.com", 1), ("a.co.uk", 2), ("a.github.io", 2), ("b.s3.amazonaws.com", 3), ("x.com.br", 2),
            ("x.or.jp", 2),
            ("xyz", 1), ("org", 1),
        ] {
            let found = list.suffix(of: try DomainName(name))
            #expect(found.labels == labels && found.isListed, "\(name)")
        }
    }
}

@Suite struct SuggestionTests {
    /// Suffixes for these tests.
    static let suffixes = PublicSuffixes("com\nco.uk\nio\ngithub.io\ns3.amazonaws.com\n", source: "test \u{7}list")
    /// Whom suggestions are for.
    static let identity = Identity(
        id: IdentityID(namespace: "production", labels: ["app": "api"]), names: ["api"], namespace: "production",
        labels: ["app": "api", "tier": "back\"end"], prefixes: [])

    /// The entries for these names, in text form.
    private func entries(_ names: [String], minimum: Int = 3) throws -> [String] {
        PolicySuggestion(
            identity: SuggestionTests.identity, names: try names.map { SeenName(try DomainName($0)) },
            suffixes: SuggestionTests.suffixes, options: .init(minimumSiblings: minimum)
        ).entries.map(\.text)
    }

    @Test(
        arguments: [
            (["a.x.com", "b.x.com", "c.x.com"], ["*.x.com"]),
            (["a.x.com", "b.x.com"], ["a.x.com", "b.x.com"]),
            (["a.com", "b.com", "c.com"], ["a.com", "b.com", "c.com"]),
            (["a.co.uk", "b.co.uk", "c.co.uk"], ["a.co.uk", "b.co.uk", "c.co.uk"]),
            (["a.github.io", "b.github.io", "c.github.io"], ["a.github.io", "b.github.io", "c.github.io"]),
            (["1.a.github.io", "2.a.github.io", "3.a.github.io"], ["*.a.github.io"]),
            (
                ["a.s3.amazonaws.com", "b.s3.amazonaws.com", "c.s3.amazonaws.com"],
                ["a.s3.amazonaws.com", "b.s3.amazonaws.com", "c.s3.amazonaws.com"]
            ),
            (["s.e1.amazonaws.com", "s.e2.amazonaws.com", "s.w1.amazonaws.com"], ["s.*.amazonaws.com"]),
            (["api-1.x.com", "api-2.x.com", "api-30.x.com"], ["api-*.x.com"]),
            (["api1.x.com", "api12.x.com", "api13.x.com"], ["api*.x.com"]),
            (["apa.x.com", "apb.x.com", "apc.x.com"], ["*.x.com"]),
            (["a-db.x.com", "b-db.x.com", "cc-db.x.com"], ["*-db.x.com"]),
            (["p-a-s.x.com", "p-b-s.x.com", "p-s.x.com"], ["p-*s.x.com", "p-*-s.x.com", "p-*.x.com"]),
            (["x.com", "www.x.com", "a.x.com", "b.x.com"], ["x.com", "*.x.com"]),
            (["a.x.y.com", "b.x.y.com", "c.x.y.com", "a.z.y.com"], ["*.x.y.com", "a.z.y.com"]),
            ([".", "com"], [".", "com"]),
            (["a.b", "c.b", "d.b"], ["a.b", "c.b", "d.b"]),
            (["a.c.b", "d.c.b", "e.c.b"], ["*.c.b"]),
        ])
    func `names are folded below a registered name, as narrowly as they have words in common`(
        _ names: [String], _ expected: [String]
    ) throws {
        let found = try entries(names)
        if names.contains("p-s.x.com") {
            // The hyphen before the last word is the one behind the first.
            #expect(found == ["p-*.x.com"])
        } else {
            #expect(Set(found) == Set(expected), "\(found)")
        }
    }

    @Test func `the document says where everything comes from, and reads back`() throws {
        let names: [SeenName] = [
            SeenName(try DomainName("api-1.x.com"), count: 5), SeenName(try DomainName("api-2.x.com"), count: 2),
            SeenName(try DomainName("api-1.x.com"), count: .max), SeenName(try DomainName("x.com")),
            SeenName(try DomainName(#"a\032b.x.com"#)), SeenName(try DomainName("rare.com"), count: 0),
        ]
        let suggestion = PolicySuggestion(
            identity: SuggestionTests.identity, names: names, suffixes: SuggestionTests.suffixes,
            options: .init(minimumSiblings: 2, maximumNames: 4, showsCounts: true))
        #expect(suggestion.omitted == 1)
        #expect(suggestion.inexpressible.map(\.description) == [#"a\032b.x.com."#])
        #expect(
            suggestion.text == #"""
                # Suggested from 3 names that production/api asked for. Read it before you use it.
                # 1 pattern stands for 2 or more names that differ in one label, below a registered domain
                # (public suffixes: test \u{07}list).
                # 1 more names were left out: those that were asked for least.
                # Left out, since no pattern can be these names:
                #   a\032b.x.com.
                apiVersion: cilium.io/v2
                kind: CiliumNetworkPolicy
                metadata:
                  name: "suggested-api"
                  namespace: "production"
                spec:
                  endpointSelector:
                    matchLabels:
                      "app": "api"
                      "tier": "back\"end"
                  egress:
                    - toEndpoints:
                        - matchLabels:
                            k8s:io.kubernetes.pod.namespace: kube-system
                            k8s-app: kube-dns
                      toPorts:
                        - ports:
                            - {port: "53", protocol: ANY}
                          rules:
                            dns:
                              - matchName: "x.com"  # 1 query
                              - matchPattern: "api-*.x.com"  # 2 names such as api-1.x.com, 18446744073709551615 queries
                    # Every port is open to these: add toPorts to say which are needed.
                    - toFQDNs:
                        - matchName: "x.com"
                        - matchPattern: "api-*.x.com"

                """#)
        #expect(Policies.load(suggestion.text).problems == [])
    }

    @Test func `labels of any text select the identity that the suggestion is for, and unknown clients too`() throws {
        let labels = ["a": "", "b c": "\"\\\n\t\u{1}é🐦", "k8s:x": "y", "#": ": - {"]
        let entries = """
            identities:
            - {name: "A b", namespace: "n#", addresses: [10.0.0.1]}
            """
        #expect(Policies.load("", identities: entries).problems.count == 1)
        let identity = Identity(
            id: IdentityID(rawValue: 7), names: ["Ä/B\n"], namespace: "n#", labels: labels, prefixes: [])
        let text = PolicySuggestion(
            identity: identity, names: [SeenName(try DomainName("a.b"))], suffixes: SuggestionTests.suffixes
        ).text
        let problems = DocumentProblems()
        var documents = DocumentDispatcher(problems: problems)
        documents.read(text, file: "s.yaml")
        #expect(problems.list == [])
        let requirements = try #require(documents.policies.first).specs[0].selector.requirements
        let found = Dictionary(requirements.map { ($0.key, $0.values) }) { first, _ in first }
        for (key, value) in labels { #expect(found[key] == [value], "\(key)") }
        #expect(found["io.kubernetes.pod.namespace"] == ["n#"])
        let unknown = PolicySuggestion(
            identity: .unknown, names: [SeenName(try DomainName("a.b"))], suffixes: SuggestionTests.suffixes)
        let snapshot = try Policies.snapshot(unknown.text)
        #expect(try snapshot.outcome("192.0.2.1", "a.b") == .allowed)
        #expect(try snapshot.outcome("192.0.2.1", "b.b") == .denied)
    }

    @Test func `nothing seen is a document that allows nothing`() throws {
        let text = PolicySuggestion(
            identity: SuggestionTests.identity, names: [], suffixes: SuggestionTests.suffixes
        ).text
        let snapshot = try Policies.snapshot(
            text,
            identities:
                #"identities: [{name: api, namespace: production, labels: {app: api, tier: "back\"end"}, addresses: [10.0.0.1]}]"#
        )
        #expect(try snapshot.outcome("10.0.0.1", "a.b") == .denied)
    }

    @Test func `a suggestion allows the names that were seen, what folds say, and nothing else`() throws {
        var generator = SplitMix(state: 5)
        let words = ["a", "b", "api-1", "api-2", "api-30", "x-db", "y-db", "s1", "s2", "www", "com", "io", "co"]
        let tops = ["com", "co.uk", "github.io", "io", "x.com", "y.x.com", "local"]
        func name() -> String {
            let labels = (0..<Int(generator.next() % 3)).map { _ in words[Int(generator.next() % UInt64(words.count))] }
            return (labels + [tops[Int(generator.next() % UInt64(tops.count))]]).joined(separator: ".")
        }
        let identities =
            #"identities: [{name: api, namespace: production, labels: {app: api, tier: "back\"end"}, addresses: [10.0.0.1]}]"#
        var folds = 0
        for _ in 0..<150 {
            let seen = Set((0..<Int(generator.next() % 90)).map { _ in name() })
            let suggestion = PolicySuggestion(
                identity: SuggestionTests.identity, names: try seen.map { SeenName(try DomainName($0)) },
                suffixes: SuggestionTests.suffixes, options: .init(minimumSiblings: 3))
            #expect(suggestion.entries.reduce(0) { $0 + $1.names } == seen.count)
            let patterns = try suggestion.entries.filter(\.isPattern).map { try Pattern(.matchPattern, $0.text) }
            folds += patterns.count
            for pattern in suggestion.entries where pattern.isPattern {
                let labels = pattern.text.split(separator: ".")
                let star = try #require(labels.firstIndex { $0.contains("*") })
                let below = try DomainName(labels[(star + 1)...].joined(separator: "."))
                #expect(SuggestionTests.suffixes.suffix(of: below).labels < below.labelCount, "\(pattern.text)")
            }
            let snapshot = try Policies.snapshot(suggestion.text, identities: identities)
            for text in seen.union((0..<200).map { _ in name() }) {
                let buffer = NameBuffer(try DomainName(text))
                let isFolded = patterns.contains { $0.matches(buffer, for: .query) }
                let verdict = try snapshot.verdict("10.0.0.1", text)
                #expect(verdict.isAnswered == (seen.contains(text) || isFolded), "\(text)")
                #expect(verdict.isSelected == verdict.isAnswered)
            }
        }
        #expect(folds > 50)
    }
}
