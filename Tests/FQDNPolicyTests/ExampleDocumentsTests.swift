import DNSWire
import FQDNPolicy
import Foundation
import Testing

/// The example documents of the repository, as they are shipped.
@Suite struct ExampleDocumentsTests {
    /// The folder of examples.
    private static let folder = URL(fileURLWithPath: #filePath).deletingLastPathComponent()
        .deletingLastPathComponent().deletingLastPathComponent().appendingPathComponent("Examples")

    /// The paths below `Examples` of all YAML files with policies or identities.
    private static var documents: [String] {
        guard let files = FileManager.default.enumerator(atPath: folder.resolvingSymlinksInPath().path) else {
            return []
        }
        return files.compactMap { $0 as? String }.filter { path in
            guard !path.contains(".build/"), path.hasSuffix(".yaml") || path.hasSuffix(".yml"),
                let text = try? String(contentsOf: folder.appendingPathComponent(path), encoding: .utf8)
            else { return false }
            return text.split(separator: "\n").contains { line in
                line.hasPrefix("identities:") && !line.contains("[identities")
                    || PolicyDocument.Kind.allCases.contains { line == "kind: \($0.rawValue)" }
            }
        }.sorted()
    }

    /// An example, a client and what becomes of a name that it asks for.
    struct Case: Sendable {
        /// The folder below `Examples`.
        let example: String
        /// The client's address.
        let client: String
        /// The name.
        let name: String
        /// What becomes of it.
        let outcome: Verdict.Outcome
        /// The ports that are opened.
        let learned: [String]

        /// A case from its parts.
        init(_ example: String, _ client: String, _ name: String, _ outcome: Verdict.Outcome, _ learned: [String] = [])
        {
            self.example = example
            self.client = client
            self.name = name
            self.outcome = outcome
            self.learned = learned
        }
    }

    /// What the examples promise.
    static let cases: [Case] = [
        Case("quickstart", "127.0.0.1", "shop.example", .allowed),
        Case("quickstart", "127.0.0.1", "api.shop.example", .allowed, ["shop/web 443/TCP"]),
        Case("quickstart", "127.0.0.1", "WWW.shop.example", .allowed, ["shop/web 443/TCP"]),
        Case("quickstart", "127.0.0.1", "assets-7.shop.example", .allowed, ["shop/web 443/TCP"]),
        Case("quickstart", "127.0.0.1", "assets-.shop.example", .allowed, ["shop/web 443/TCP"]),
        Case("quickstart", "127.0.0.1", "assets.shop.example", .denied),
        Case("quickstart", "127.0.0.1", "ledger.shop.example", .denied),
        Case("quickstart", "127.0.0.1", "a.assets-7.shop.example", .denied),
        Case("quickstart", "127.0.0.1", "api.partner.example", .allowed),
        Case("quickstart", "127.0.0.1", "example.com", .denied),
        Case("quickstart", "127.0.0.2", "ledger.shop.example", .allowed, ["shop/batch 5432/TCP"]),
        Case("quickstart", "127.0.0.2", "assets-7.shop.example", .allowed, ["shop/batch 443/TCP"]),
        Case("quickstart", "127.0.0.2", "shop.example", .denied),
        Case("quickstart", "127.0.0.2", "pay.shop.example", .denied),
        Case("quickstart", "127.0.0.3", "shop.example", .prohibited),
    ]

    /// The snapshot of one example.
    private func snapshot(_ example: String) throws -> PolicySnapshot {
        let files = ExampleDocumentsTests.documents.filter { $0.hasPrefix("\(example)/") }
            .map { ExampleDocumentsTests.folder.appendingPathComponent($0).path }
        do throws(PolicySources.LoadError) {
            return try PolicySources(policies: files).load(generation: 1).snapshot
        } catch {
            Issue.record("\(error)")
            throw error
        }
    }

    @Test(arguments: cases)
    func `an example does what its page says`(_ each: Case) throws {
        let snapshot = try snapshot(each.example)
        #expect(try snapshot.outcome(each.client, each.name) == each.outcome)
        #expect(try snapshot.learned(each.client, each.name) == each.learned)
    }

    @Test func `every example document loads without a warning, and has cases above`() throws {
        let documents = ExampleDocumentsTests.documents
        #expect(documents.count >= 3)
        let examples = Set(documents.map { String($0.prefix { $0 != "/" }) })
        #expect(examples.subtracting(ExampleDocumentsTests.cases.map(\.example)) == [], "examples without cases")
        for example in examples {
            let files = documents.filter { $0.hasPrefix("\(example)/") }
                .map { ExampleDocumentsTests.folder.appendingPathComponent($0).path }
            let problems = PolicySources(policies: files).check(suffixes: .builtIn)
            #expect(problems.filter { $0.severity != .notice } == [])
        }
    }
}
