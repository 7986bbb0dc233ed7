import DNSWire
import Glibc
import Testing

@testable import MappingFeed

/// The enforcer in Python that the documentation shows.
@Suite(.enabled(if: PythonProcess.isThere, "needs python3"), .timeLimit(.minutes(5)))
struct PythonExampleTests {
    /// The program.
    private static let program =
        "/" + #filePath.split(separator: "/").dropLast(3).joined(separator: "/") + "/Examples/feed-python/enforcer.py"

    /// What the program has printed.
    private func printed(_ folder: TemporaryFolder) -> [String] {
        (folder.read("out") ?? "").split(separator: "\n").map(String.init)
    }

    @Test func `the example acknowledges, follows every change, and resumes after a restart of the daemon`()
        async throws
    {
        let first = try await HubHarness()
        first.hub.announce([FeedIdentity(id: 1, name: "api", namespace: "production")])
        first.publish(1...1)
        let folder = first.folder
        let python = try #require(PythonProcess([Self.program, first.socket], output: folder.file("out")))
        try await first.until { first.hub.acknowledgingSubscribers == 1 && first.hub.released == 2 }
        #expect(printed(folder) == ["open exactly {(1, 'host.101.'): ['192.0.2.1']}"])
        first.publish(2...2)
        let name = try DomainName("host.102.")
        let address = IPAddress(ipv4: 0xC000_0202)
        let last = first.hub.publish(MappingDelete(identity: 1, name: name, addresses: [address], reason: .expired))
        try await first.until { first.hub.released == last }
        #expect(printed(folder).dropFirst() == ["open 1 192.0.2.2 [('TCP', 443, None)]", "close 1 192.0.2.2"])
        await first.hub.shutdown()
        let second = try await HubHarness(folderOf: first)
        try await second.until { second.hub.acknowledgingSubscribers == 1 }
        #expect(second.hub.counters.resumes == 1)
        let next = second.hub.withdrawIdentities(except: [])
        try await second.until { second.hub.released == next }
        #expect(printed(folder).dropFirst(3) == ["close 1 everything"])
        await python.stop()
        await second.hub.shutdown()
    }
}
