import DNSWire
import FQDNPolicy
import Testing

/// The compiled patterns against a matcher that is too simple to be wrong.
@Suite struct GlobPropertyTests {
    /// Whether `pattern` (the text of a `matchPattern` of `[a-z*.-]`) matches `name`, by trying every way.
    static func naive(_ pattern: [[UInt8]], _ name: [[UInt8]]) -> Bool {
        var globs = pattern[...]
        var labels = name[...]
        if globs.count > 1, globs[0].count > 1, globs[0].allSatisfy({ $0 == UInt8(ascii: "*") }) {
            globs = globs.dropFirst()
            guard labels.count > globs.count else { return false }
            labels = labels.suffix(globs.count)
        }
        guard globs.count == labels.count else { return false }
        return zip(globs, labels).allSatisfy { naiveLabel($0[...], $1[...]) }
    }

    /// Whether one label matches, by trying every length for every star.
    private static func naiveLabel(_ glob: ArraySlice<UInt8>, _ label: ArraySlice<UInt8>) -> Bool {
        guard let first = glob.first else { return label.isEmpty }
        if first == UInt8(ascii: "*") {
            return naiveLabel(glob.dropFirst(), label) || (!label.isEmpty && naiveLabel(glob, label.dropFirst()))
        }
        return label.first == first && naiveLabel(glob.dropFirst(), label.dropFirst())
    }

    /// A random label of 1 to `length` characters.
    private func label(_ alphabet: [UInt8], _ length: Int, _ generator: inout SplitMix) -> [UInt8] {
        (0..<Int(generator.next() % UInt64(length) + 1)).map { _ in
            alphabet[Int(generator.next() % UInt64(alphabet.count))]
        }
    }

    @Test func `a million random patterns and names are decided as by trying every way`() throws {
        var generator = SplitMix(state: 20)
        var pairs = 0
        var matches = 0
        let identity = IdentityEntry(
            name: "x", namespace: "default", labels: [:], prefixes: [], place: DocumentPlace(file: "random"))
        for round in 0..<100 {
            let alphabet = Array((round % 2 == 0 ? "ab**" : "aab-*").utf8)
            var patterns: [[[UInt8]]] = []
            var texts: Set<String> = []
            while patterns.count < 100 {
                var labels = (0..<Int(generator.next() % 3 + 1)).map { _ in label(alphabet, 7, &generator) }
                if generator.next() % 8 == 0 { labels.insert(Array("**".utf8), at: 0) }
                let text = labels.map { String(decoding: $0, as: UTF8.self) }.joined(separator: ".")
                // Stars alone are every name; what they mean is tested elsewhere.
                guard text.contains(where: { $0 != "*" }), texts.insert(text).inserted else { continue }
                patterns.append(labels)
            }
            let policies = try patterns.enumerated().map { number, labels in
                let text = labels.map { String(decoding: $0, as: UTF8.self) }.joined(separator: ".")
                let entries = [PatternEntry(try Pattern(.matchPattern, text), line: 1)]
                let rule = EgressRule(
                    toPorts: [PortRule(ports: nil, dns: entries)], toFQDNs: entries,
                    place: DocumentPlace(file: "random"))
                return PolicyDocument(
                    kind: .clusterwide, namespace: nil, name: "\(number)", file: "random", line: 1,
                    specs: [.init(selector: EndpointSelector(), egress: [rule])])
            }
            let snapshot = try #require(
                PolicyCompiler.compile(policies: policies, identities: [identity]).snapshot)
            var buffer = NameBuffer()
            for _ in 0..<100 {
                let labels = (0..<Int(generator.next() % 4 + 1)).map { _ in
                    label(Array("aab-".utf8), 9, &generator)
                }
                buffer.assign(try DomainName(labels.map { String(decoding: $0, as: UTF8.self) }.joined(separator: ".")))
                let expected = patterns.indices.filter { GlobPropertyTests.naive(patterns[$0], labels) }
                let found = snapshot.rules(identity: 1, name: buffer).compactMap { Int($0.policy) }
                pairs += patterns.count
                matches += expected.count
                if found != expected { Issue.record("\(labels): \(found), not \(expected), by \(texts)") }
                let verdict = snapshot.verdict(identity: 1, name: buffer, transport: .udp)
                #expect(verdict.isAnswered == !expected.isEmpty && verdict.isSelected == !expected.isEmpty)
            }
        }
        #expect(pairs == 1_000_000)
        #expect(matches > 20_000, "\(matches)")
    }

    @Test func `hostile patterns by the thousand are decided at once`() throws {
        var texts: [String] = []
        for stars in 1...30 {
            texts.append(String(repeating: "*a", count: stars) + "*b.x")
            texts.append(String(repeating: "a*", count: stars) + "b.x")
        }
        for first in 0..<60 {
            for second in 0..<60 { texts.append("*\(first)*\(second)*c.x") }
        }
        let snapshot = try snapshot(texts)
        let names = try [
            String(repeating: "a", count: 63), String(repeating: "0123456789", count: 6),
            "1" + String(repeating: "9", count: 60) + "c",
        ].map { NameBuffer.Box(try DomainName("\($0).x")) }
        let time = ProcessorTime.measure {
            for _ in 0..<20 {
                for name in names { _ = snapshot.verdict(identity: 1, name: name.buffer, transport: .udp) }
            }
        }
        // Well below a second even in a debug build; trying every way would never end.
        #expect(time < .seconds(60))
        #expect(snapshot.verdict(identity: 1, name: names[2].buffer, transport: .udp).outcome == .allowed)
        #expect(snapshot.verdict(identity: 1, name: names[0].buffer, transport: .udp).outcome == .denied)
    }

    @Test func `a verdict about one of many globs at one place costs as much as about one of few`() throws {
        func time(_ count: Int) throws -> Duration {
            let snapshot = try snapshot(
                (0..<count).flatMap { ["*-\($0).example.com", "api-*q\($0)q*.example.com", "n\($0)-*.example.com"] })
            let names = try ["foo-\(count / 2)", "api-xq\(count / 3)qx", "n\(count / 4)-z", "none", "api-none"].map {
                NameBuffer.Box(try DomainName("\($0).example.com"))
            }
            return (0..<5).map { _ in
                ProcessorTime.measure {
                    for _ in 0..<200 {
                        for name in names { _ = snapshot.verdict(identity: 1, name: name.buffer, transport: .udp) }
                    }
                }
            }.min() ?? .zero
        }
        let few = try time(10)
        let many = try time(10_000)
        // A thousand times as many; the factor leaves room for longer numbers, caches and a busy machine.
        #expect(many < few * 50, "\(few) \(many)")
    }

    /// A snapshot that allows these patterns to one identity.
    private func snapshot(_ texts: [String]) throws -> PolicySnapshot {
        let entries = try texts.map { PatternEntry(try Pattern(.matchPattern, $0), line: 1) }
        let place = DocumentPlace(file: "f")
        let policy = PolicyDocument(
            kind: .clusterwide, namespace: nil, name: "p", file: "f", line: 1,
            specs: [
                .init(
                    selector: EndpointSelector(),
                    egress: [EgressRule(toPorts: [PortRule(ports: nil, dns: entries)], place: place)])
            ])
        let identity = IdentityEntry(name: "x", namespace: "default", labels: [:], prefixes: [], place: place)
        return try #require(PolicyCompiler.compile(policies: [policy], identities: [identity]).snapshot)
    }
}

extension NameBuffer {
    /// A name buffer that an array can hold.
    final class Box {
        /// The buffer.
        let buffer: NameBuffer

        /// A box of a buffer with this name.
        init(_ name: DomainName) {
            buffer = NameBuffer(name)
        }
    }
}
