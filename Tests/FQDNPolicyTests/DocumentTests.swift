import FQDNPolicy
import Testing

@Suite struct DocumentTests {
    /// What reading `text` as one mapping with the keys of `body` has to say.
    private func problems(
        _ text: String, _ body: (inout DocumentMapping) -> Void = { $0.acceptAllKeys() }
    ) -> [String] {
        let problems = DocumentProblems()
        for node in DocumentNode.documents(in: text, file: "f.yaml", problems: problems) {
            node.mapping(problems, body)
        }
        return problems.list.map(\.description)
    }

    @Test func `every value knows its line, column and key path`() throws {
        let text = """
            spec:
              egress:
              - toPorts:
                - ports: []
                - rules:
                    dns:
                    - matchPattern: "*"
            """
        let (documents, problems) = DocumentNode.documents(in: text, file: "p.yaml")
        #expect(problems.isEmpty)
        var node = try #require(documents.first)
        for step in ["spec", "egress", "0", "toPorts", "1", "rules", "dns", "0", "matchPattern"] {
            switch node.content {
            case .mapping(let pairs): node = try #require(pairs.first { $0.key == step }).value
            case .sequence(let elements): node = elements[try #require(Int(step))]
            case .scalar: Issue.record("too deep")
            }
        }
        #expect(node.path == "spec.egress[0].toPorts[1].rules.dns[0].matchPattern")
        #expect(node.line == 7 && node.column == 25)
        #expect(node.problem(.error, "no").description == "p.yaml:7:25: error: \(node.path): no")
    }

    @Test func `a file has several documents, and empty ones are left out`() {
        let (documents, problems) = DocumentNode.documents(in: "a: 1\n---\n---\n# nothing\n---\nb: 2\n", file: "f")
        #expect(documents.map(\.line) == [1, 6])
        #expect(problems.isEmpty)
        #expect(DocumentNode.documents(in: "", file: "f").documents.isEmpty)
    }

    @Test(
        arguments: [
            ("a: [1, 2", "f.yaml:2:1: error: not YAML: did not find expected ',' or ']' while parsing a flow sequence"),
            ("a: 1\n b: 2\n", "f.yaml:2:3: error: not YAML: mapping values are not allowed in this context"),
            ("a: 1\nb: 2\na: 3\n", "f.yaml:3:1: error: duplicate key \"a\", first on line 1"),
            ("x:\n  a: 1\n  b: 2\n  \"a\": 3\n", "f.yaml:4:3: error: duplicate key \"a\", first on line 2"),
            ("x: {a: 1, a: 2}\n", "f.yaml:1:5: error: duplicate key \"a\", first on line 1"),
            ("a: \u{1}\n", "f.yaml:1:4: error: not YAML: control characters are not allowed"),
            (
                "a: *b\n",
                #"f.yaml:1:4: error: a: "*b" must be in quotes: an unquoted * starts a YAML alias, and there is no anchor "&b" before it"#
            ),
            (
                "a:\n- *.b.c\n",
                #"f.yaml:2:3: error: a[0]: "*.b.c" must be in quotes: an unquoted * starts a YAML alias"#
            ),
            ("*: 1\n", #"f.yaml:1:1: error: "*" must be in quotes: an unquoted * starts a YAML alias"#),
            ("? [a]\n: 1\n", "f.yaml:1:3: error: a key must be text"),
            ("[a]\n", "f.yaml:1:1: error: expected a mapping of keys and values, found a list"),
        ])
    func `broken YAML is named by its place`(_ text: String, _ expected: String) {
        #expect(problems(text) == [expected])
    }

    @Test func `documents before a syntax error are read, those behind are not`() {
        let (documents, problems) = DocumentNode.documents(in: "a: 1\n---\nb: [\n---\nc: 3\n", file: "f")
        #expect(documents.count == 1 && problems.count == 1)
    }

    @Test func `anchors and aliases work, with the path of where they are used`() throws {
        let text = "a: &x {k: [1, \"*\"]}\nb: *x\nc: [*x, &x 7, *x]\nd: \"* *x\"\ne: a *x\nf: |\n  - *x\n"
        let (documents, problems) = DocumentNode.documents(in: text, file: "f")
        #expect(problems.isEmpty)
        guard case .mapping(let pairs) = try #require(documents.first).content else {
            Issue.record("no mapping")
            return
        }
        guard case .mapping(let inner) = pairs[1].value.content, case .sequence(let list) = inner[0].value.content,
            case .scalar("*", false) = list[1].content
        else {
            Issue.record("alias not expanded")
            return
        }
        #expect(list[1].path == "b.k[1]" && pairs[1].value.line == 2)
        guard case .sequence(let uses) = pairs[2].value.content, case .mapping = uses[0].content,
            case .scalar("7", true) = uses[2].content
        else {
            Issue.record("a later anchor of the same name did not replace the first")
            return
        }
        let texts = pairs[3...].compactMap { pair in
            if case .scalar(let text, _) = pair.value.content { text } else { nil }
        }
        #expect(texts == ["* *x", "a *x", "- *x\n"])
    }

    @Test func `an alias inside its own anchor is an error, not a loop`() {
        #expect(problems("a: &x [*x]\nb: *x\n").count == 1)
    }

    @Test func `aliases that expand without end are refused at once`() {
        var text = "l0: &l0 [a, a, a, a, a, a, a, a, a, a]\n"
        for level in 1...40 {
            let aliases = Array(repeating: "*l\(level - 1)", count: 10).joined(separator: ", ")
            text += "l\(level): &l\(level) [\(aliases)]\n"
        }
        var found: [String] = []
        let limits = DocumentLimits(values: 100_000, depth: 64)
        let time = ProcessorTime.measure {
            found = DocumentNode.documents(in: text, file: "f", limits: limits).problems.map(\.message)
        }
        #expect(found == ["the file has more than 100000 values, what its aliases repeat included"])
        #expect(time < .seconds(60))
    }

    @Test func `aliases in keys that the parser would hash without end are refused at once`() {
        var text = "l0: &l0 [a, a]\n"
        for level in 1...60 { text += "l\(level): &l\(level) [*l\(level - 1), *l\(level - 1)]\n" }
        text += "? *l60\n: 1\n? [*l60]\n: 2\n"
        var found: [DocumentProblem] = []
        let time = ProcessorTime.measure {
            found = DocumentNode.documents(in: text, file: "f", limits: DocumentLimits(values: 10_000)).problems
        }
        #expect(found.hasErrors)
        #expect(time < .seconds(60))
    }

    /// A text that would cost too much to parse, and what is said of it.
    struct CostlyText: CustomTestStringConvertible, Sendable {
        /// What it is; the text itself would fill the log.
        let testDescription: String
        /// The text.
        let text: String
        /// The problem.
        let problem: String

        /// A text from its parts.
        init(_ title: String, _ text: String, _ problem: String = "") {
            testDescription = title
            self.text = text
            self.problem = problem
        }
    }

    @Test(
        arguments: [
            CostlyText(
                "brackets", String(repeating: "[", count: 100_000), "f.yaml:1:1: error: too many nested brackets"),
            CostlyText(
                "nested lists", String(repeating: "- ", count: 90) + "a",
                "f.yaml:1:131: error: " + String(repeating: "[0]", count: 65) + ": nested more than 64 levels deep"),
            CostlyText(
                "a long text", "a: \"" + String(repeating: "x", count: 1 << 20) + "\"",
                "f.yaml: error: the file has 1048581 bytes, more than the limit of 1000000"),
            CostlyText(
                "many values", "[" + String(repeating: "a,", count: 60_000) + "]",
                "f.yaml: error: the file has more than 50000 values"),
        ])
    func `what costs too much is refused before it costs`(_ each: CostlyText) {
        let limits = DocumentLimits(bytes: 1_000_000, values: 50_000, depth: 64)
        let found = DocumentNode.documents(in: each.text, file: "f.yaml", limits: limits).problems
        #expect(found.map(\.description) == [each.problem])
    }

    /// Something to choose from.
    private enum Mode: String, CaseIterable {
        case sequential, random
    }

    @Test func `all bad values are reported at once, each with its key path`() {
        let found = problems(
            """
            workers: many
            listen: 127.0.0.1
            on: "true"
            yes: yes
            mode: seqential
            nothing:
            cache: {sise: 3, size: 0, deep: {odd: 1}}
            names: [a, [b], c]
            enforcment: x
            """
        ) { root in
            #expect(root.integer("workers", in: 1...8) == nil)
            #expect(root.strings("listen") == nil)
            #expect(root.bool("on") == nil)
            #expect(root.bool("yes") == nil)
            #expect(root.choice("mode", Mode.self) == nil)
            #expect(root.string("nothing") == nil)
            #expect(root.strings("names") == ["a", "c"])
            #expect(root.string("absent", required: true) == nil)
            #expect(root.string("enforcement") == nil)
            root.mapping("cache") { cache in
                #expect(cache.integer("size", in: 1...9) == nil)
                cache.mapping("deep") { #expect($0.has("surplus") == false) }
            }
        }
        #expect(
            found == [
                #"f.yaml:1:10: error: workers: expected a whole number from 1 to 8, found "many""#,
                #"f.yaml:2:9: error: listen: expected a list, found text"#,
                #"f.yaml:3:5: error: on: expected true or false, found "true""#,
                #"f.yaml:4:6: error: yes: expected true or false, found yes"#,
                #"f.yaml:5:7: error: mode: unknown value "seqential" (did you mean "sequential"?); expected one of sequential, random"#,
                #"f.yaml:6:9: error: nothing: expected text, found nothing"#,
                #"f.yaml:8:12: error: names[1]: expected text, found a list"#,
                #"f.yaml:1:1: error: "absent" is missing"#,
                #"f.yaml:7:24: error: cache.size: expected a whole number from 1 to 9, found "0""#,
                #"f.yaml:7:34: error: cache.deep: unknown key "odd""#,
                #"f.yaml:7:9: error: cache: unknown key "sise""#,
                #"f.yaml:9:1: error: unknown key "enforcment" (did you mean "enforcement"?)"#,
            ])
    }

    @Test func `good values are read as what they are`() {
        let found = problems("n: -5\nq: \"53\"\nb: true\nm: random\nl: [\"1\", 22, 333]\ns: 1.5\n") { root in
            #expect(root.integer("n", in: -10...10) == -5)
            #expect(root.integer("q", in: 0...99) == 53)
            #expect(root.bool("b") == true)
            #expect(root.choice("m", Mode.self) == .random)
            #expect(root.values("l", "a number") { Int($0) } == [1, 22, 333])
            #expect(root.string("s") == "1.5")
        }
        #expect(found == [])
    }

    @Test func `a file of endless mistakes does not fill memory, and remarks hide no error`() throws {
        let text = "[" + String(repeating: "1,", count: 5000) + "]"
        let problems = DocumentProblems(limit: 10)
        for node in DocumentNode.documents(in: text, file: "f", problems: problems) {
            for element in node.elements(problems) ?? [] { problems.warning(element, "w") }
            #expect(problems.list.count == 11 && problems.isFull && !problems.hasErrors)
            #expect(problems.list.last?.description == "f: notice: there are more remarks; these are the first")
            // Documents with nothing but remarks can be used.
            #expect(!problems.list.hasErrors)
            for element in node.elements(problems) ?? [] { problems.error(element, "e") }
        }
        #expect(problems.list.count == 22 && problems.hasErrors && problems.list.hasErrors)
        #expect(problems.list.last?.description == "f: error: there are more errors; these are the first")
    }

    @Test func `thousands of remarks about valid policies keep nothing from being loaded`() {
        let policies = (0..<1500).map { Policies.policy("  endpointSelector: {}\n  ingress: [{}]", name: "p\($0)") }
        let (snapshot, problems) = Policies.load(policies.joined())
        #expect(snapshot?.policyCount == 1500)
        #expect(problems.count == 1001 && !problems.hasErrors)
    }

    @Test func `a message never carries control characters to a terminal`() {
        #expect(quoted("a\u{1B}[31m\"") == #""a\u{1B}[31m\"""#)
        #expect(quoted(String(repeating: "x", count: 100)).count == 83)
    }
}
