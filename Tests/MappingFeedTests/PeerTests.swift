import Glibc
import NIOCore
import Testing

@testable import MappingFeed

@Suite(.timeLimit(.minutes(5)))
struct PeerTests {
    @Test(arguments: [
        (PeerCredentials(process: 1, user: 0, group: 5, groups: []), true),
        (PeerCredentials(process: 1, user: 100, group: 5, groups: []), true),
        (PeerCredentials(process: 1, user: 7, group: 200, groups: []), true),
        (PeerCredentials(process: 1, user: 7, group: 5, groups: [1, 200]), true),
        (PeerCredentials(process: 1, user: 7, group: 5, groups: [1, 201]), false),
        (PeerCredentials(process: 1, user: 200, group: 100, groups: [0]), false),
    ])
    func `root, the owner and the group's members may connect`(peer: PeerCredentials, isPermitted: Bool) {
        #expect(peer.isPermitted(owner: 100, group: 200) == isPermitted)
    }

    @Test func `the kernel tells who connected`() async throws {
        let harness = try await HubHarness(hasJournal: false)
        let subscriber = try await RawSubscriber(harness.socket)
        _ = try await subscriber.snapshot(Subscription(acknowledges: true))
        harness.publish(1...4)
        #expect(try await subscriber.changes(4).count == 4)
        subscriber.send(.ack(3))
        await harness.released(3)
        let status = try #require(await harness.hub.subscribers.first)
        #expect(status.process == getpid())
        #expect(status.user == geteuid())
        #expect(status.acknowledges)
        #expect(!status.selects)
        #expect(status.acknowledged == 3)
        #expect(status.eventsBehind == 1)
        #expect(abs(status.connected - Double(time(nil))) < 120)
        await harness.hub.shutdown()
        #expect(await harness.hub.subscribers.isEmpty)
    }

    @Test func `every group of a peer is seen`() throws {
        var pair: [Int32] = [0, 0]
        #expect(socketpair(AF_UNIX, Int32(SOCK_STREAM.rawValue), 0, &pair) == 0)
        defer { pair.forEach { close($0) } }
        let peer = try #require(PeerCredentials(pair[0]))
        var groups = [gid_t](repeating: 0, count: 65_536)
        let count = getgroups(Int32(groups.count), &groups)
        #expect(peer.groups.sorted() == groups.prefix(Int(count)).sorted())
        #expect(peer.group == getegid())
        #expect(PeerCredentials(-1) == nil)
    }

    /// Whether this process can be another user, and Python is there to be one.
    private static let canBeNobody = geteuid() == 0 && PythonProcess.isThere

    @Test(.enabled(if: canBeNobody, "needs root and python3"), arguments: [(65_534, true), (12_345, false)])
    func `a stranger is told that it is not permitted`(group: Int, isMember: Bool) async throws {
        let harness = try await HubHarness(hasJournal: false) { $0.socketGroup = "65534" }
        #expect(chmod(harness.socket, 0o666) == 0, "so that it is not the file that keeps it out")
        #expect(chmod(harness.folder.path, 0o755) == 0)
        let program = """
            import os, socket, sys
            os.setgroups([]); os.setgid(int(sys.argv[2])); os.setuid(12345)
            s = socket.socket(socket.AF_UNIX); s.connect(sys.argv[1])
            sys.exit(0 if b"not permitted" in s.recv(4096) else 7)
            """
        let process = try #require(PythonProcess(["-c", program, harness.socket, "\(group)"]))
        #expect(await process.end() == (isMember ? 7 : 0))
        try await harness.until { harness.hub.counters.disconnects[isMember ? .closed : .notPermitted] == 1 }
        await harness.hub.shutdown()
    }

    @Test func `the socket is given to a group, and an unknown one is named`() throws {
        let folder = TemporaryFolder()
        let mine = "\(getegid())"
        let socket = try UnixSocket(folder.file("feed.sock"), group: mine)
        #expect(socket.group == getegid())
        socket.remove()
        close(socket.descriptor)
        for group in ["no-such-group", "", "-1", "4294967295", "99999999999"] {
            #expect {
                _ = try UnixSocket(folder.file("feed.sock"), group: group)
            } throws: {
                "\($0)"
                    == "\(folder.file("feed.sock")): there is no group \"\(group)\"; make it, or set another feed.group"
            }
        }
        let byName = try UnixSocket(folder.file("feed.sock"), group: geteuid() == 0 ? "root" : mine)
        #expect(byName.group == getegid() || geteuid() == 0 && byName.group == 0)
        close(byName.descriptor)
    }
}
