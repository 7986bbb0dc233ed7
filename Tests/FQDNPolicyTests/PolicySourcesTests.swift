import DNSWire
import FQDNPolicy
import Foundation
import Testing

@Suite struct PolicySourcesTests {
    /// Runs `body` with the path of a new empty folder that is removed afterwards.
    private func withFolder(_ body: (String) throws -> Void) throws {
        let folder = NSTemporaryDirectory() + "policy-sources-\(UInt64.random(in: 0 ... .max))"
        try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
        defer { try? FileManager.default.removeItem(atPath: folder) }
        try body(folder)
    }

    /// Writes a file.
    private func write(_ text: String, _ path: String) throws {
        try Data(text.utf8).write(to: URL(fileURLWithPath: path))
    }

    /// The problems of loading what must not load.
    private func failure(_ sources: PolicySources, limits: DocumentLimits = DocumentLimits()) -> [String] {
        do throws(PolicySources.LoadError) {
            _ = try sources.load(generation: 1, limits: limits)
            return ["it loaded"]
        } catch {
            return error.problems.map(\.description)
        }
    }

    @Test func `a directory is its YAML files, without hidden ones, and both kinds may be anywhere`() throws {
        try withFolder { folder in
            try write(Policies.allowing("[{matchName: a.b}]", name: "one"), "\(folder)/b.yaml")
            try write(
                Policies.allowing("[{matchName: c.d}]", name: "two") + "---\n" + Policies.identities, "\(folder)/a.yml")
            try write("not: [yaml", "\(folder)/.hidden.yaml")
            try write("not: [yaml", "\(folder)/README.md")
            let loaded = try PolicySources(policies: [folder], identities: ["\(folder)/a.yml"]).load(generation: 7)
            #expect(loaded.snapshot.policyCount == 2 && loaded.snapshot.generation == 7)
            #expect(try loaded.snapshot.outcome("10.0.0.1", "a.b") == .allowed)
            #expect(try loaded.snapshot.outcome("10.0.0.1", "x.y") == .denied)
        }
    }

    @Test func `no sources at all make a snapshot that allows everything`() throws {
        let loaded = try PolicySources().load(generation: 1)
        #expect(try loaded.snapshot.outcome("10.0.0.1", "a.b") == .allowed)
        #expect(loaded.problems.isEmpty)
    }

    @Test func `errors of all files are reported together, in order of the files`() throws {
        try withFolder { folder in
            try write("kind: X\n", "\(folder)/a.yaml")
            try write("identities: [{name: a, addresses: [x]}]\n", "\(folder)/b.yaml")
            try Data([0x61, 0xFF]).write(to: URL(fileURLWithPath: "\(folder)/c.yaml"))
            try FileManager.default.createDirectory(atPath: "\(folder)/d.yaml", withIntermediateDirectories: true)
            let found = failure(PolicySources(policies: [folder, "\(folder)/none"], identities: ["/dev/null"]))
            #expect(found.count == 6)
            #expect(found.filter { $0.contains("a.yaml:1:7: error: kind: unknown kind") }.count == 1)
            #expect(found.filter { $0.contains("b.yaml:1:36: error: identities[0].addresses[0]: expected") }.count == 1)
            #expect(found.filter { $0.hasSuffix("c.yaml: error: is not UTF-8 text") }.count == 1)
            #expect(found.filter { $0.hasSuffix("d.yaml: error: is not a regular file") }.count == 1)
            #expect(found.filter { $0.hasSuffix("none: error: there is no such file or directory") }.count == 1)
            #expect(found.filter { $0 == "/dev/null: error: is not a regular file" }.count == 1)
        }
    }

    @Test func `warnings and notices come with the snapshot`() throws {
        try withFolder { folder in
            try write(Policies.policy("  endpointSelector: {}\n  ingress: []\n"), "\(folder)/a.yaml")
            let loaded = try PolicySources(policies: ["\(folder)/"]).load(generation: 1)
            #expect(loaded.problems.map(\.severity) == [.notice])
            #expect(loaded.problems.map(\.file) == ["\(folder)/a.yaml"])
        }
    }

    @Test func `a file that is too large is refused without being read`() throws {
        try withFolder { folder in
            let path = "\(folder)/big.yaml"
            try write("", path)
            // Sparse: the file has no blocks, so reading it is the only thing that could take time or memory.
            #expect(truncate(path, 100 << 20) == 0)
            #expect(
                failure(PolicySources(policies: [path]))
                    == ["\(path): error: the file has 104857600 bytes, more than the limit of 16777216"])
        }
    }

    @Test func `a byte order mark is not part of the first key`() throws {
        try withFolder { folder in
            try write("\u{FEFF}" + Policies.identities, "\(folder)/i.yaml")
            #expect(try PolicySources(identities: [folder]).load(generation: 1).snapshot.identities.count == 5)
        }
    }

    @Test func `the fingerprint changes with every change of files and with nothing else`() throws {
        try withFolder { folder in
            try FileManager.default.createDirectory(atPath: "\(folder)/v1", withIntermediateDirectories: true)
            try FileManager.default.createDirectory(atPath: "\(folder)/v2", withIntermediateDirectories: true)
            try write("a: 1\n", "\(folder)/v1/x.yaml")
            try write("a: 1\n", "\(folder)/v2/x.yaml")
            try FileManager.default.createSymbolicLink(atPath: "\(folder)/now", withDestinationPath: "v1")
            let sources = PolicySources(policies: ["\(folder)/now"])
            var seen = [sources.fingerprint()]
            #expect(sources.fingerprint() == seen[0])
            try write("a: 12\n", "\(folder)/v1/x.yaml")
            seen.append(sources.fingerprint())
            try write("a: 1\n", "\(folder)/v1/y.yaml")
            seen.append(sources.fingerprint())
            try write("a: 1\n", "\(folder)/v1/y.txt")
            #expect(sources.fingerprint() == seen[2])
            // As a Kubernetes ConfigMap is swapped: the link is replaced by one to another folder.
            try FileManager.default.createSymbolicLink(atPath: "\(folder)/next", withDestinationPath: "v2")
            #expect(rename("\(folder)/next", "\(folder)/now") == 0)
            seen.append(sources.fingerprint())
            try FileManager.default.removeItem(atPath: "\(folder)/v2/x.yaml")
            seen.append(sources.fingerprint())
            #expect(Set(seen).count == 5)
        }
    }
}
