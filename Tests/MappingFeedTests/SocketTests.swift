import Glibc
import Testing

@testable import MappingFeed

@Suite(.timeLimit(.minutes(5)))
struct SocketTests {
    /// Where the sockets are.
    private let folder = TemporaryFolder()

    @Test func `the socket is for the daemon's user and group, in a folder that is made`() throws {
        umask(0o022)
        let socket = try UnixSocket(folder.file("run/feed.sock"))
        #expect(folder.mode("run/feed.sock") == 0o660)
        #expect(folder.mode("run") == 0o750)
        socket.remove()
        close(socket.descriptor)
        #expect(folder.mode("run/feed.sock") == 0)
    }

    @Test func `a socket that nobody listens on is replaced`() throws {
        let old = try UnixSocket(folder.file("feed.sock"))
        close(old.descriptor)
        let new = try UnixSocket(folder.file("feed.sock"))
        old.remove()
        #expect(folder.names == ["feed.sock"], "the new file is not the old socket's to remove")
        new.remove()
        close(new.descriptor)
    }

    @Test func `a socket that somebody listens on is left alone`() async throws {
        let harness = try await HubHarness(hasJournal: false)
        #expect {
            _ = try UnixSocket(harness.socket)
        } throws: {
            "\($0)" == "\(harness.socket): another process listens here; stop it or set another feed.socket"
        }
        _ = try await RawSubscriber(harness.socket).snapshot(Subscription())
        await harness.hub.shutdown()
    }

    @Test func `what is no socket is not removed`() throws {
        try folder.write("feed.sock", "precious")
        #expect(throws: FeedSocketError.self) { _ = try UnixSocket(folder.file("feed.sock")) }
        #expect(throws: FeedSocketError.self) { _ = try UnixSocket(folder.file("feed.sock/below")) }
        #expect(throws: FeedSocketError.self) { _ = try UnixSocket(folder.file(String(repeating: "x", count: 108))) }
        #expect(folder.read("feed.sock") == "precious")
    }
}
